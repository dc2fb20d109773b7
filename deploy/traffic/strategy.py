"""A deploymentConfig, however it is written, as a tuple of steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.document import suggest
from core.units import duration, percent, seconds

LONGEST_SHIFT_S = 2880 * 60.0  # Source: CodeDeploy TrafficRoutingConfig, first to last increment

PREDEFINED = (
    "LambdaAllAtOnce",
    "LambdaCanary10Percent5Minutes",
    "LambdaCanary10Percent10Minutes",
    "LambdaCanary10Percent15Minutes",
    "LambdaCanary10Percent30Minutes",
    "LambdaLinear10PercentEvery1Minute",
    "LambdaLinear10PercentEvery2Minutes",
    "LambdaLinear10PercentEvery3Minutes",
    "LambdaLinear10PercentEvery10Minutes",
)
_PREFIX = "CodeDeployDefault."
_CANARY = re.compile(r"(?:Lambda)?Canary(\d+)Percent(\d+)(Second|Minute)s?")
_LINEAR = re.compile(r"(?:Lambda)?Linear(\d+)PercentEvery(\d+)(Second|Minute)s?")
_UNIT_S = {"Second": 1.0, "Minute": 60.0}
_HELP = "a CodeDeployDefault name, Canary10Percent5Minutes, Linear10PercentEvery1Minute, AllAtOnce or a list of steps"


@dataclass(frozen=True, slots=True)
class Step:
    """Give the new version `weight_pct` of the traffic, then wait `wait_s` seconds."""

    weight_pct: float
    wait_s: float = 0.0


Steps = tuple[Step, ...]
ALL_AT_ONCE: Steps = (Step(100.0),)


def parse(value: str | Sequence[str], *, bake_s: float = 0.0) -> Steps:
    """The steps of a deployment configuration: weights grow strictly and the last one is 100.

    `value` is a predefined name (`CodeDeployDefault.LambdaCanary10Percent5Minutes`), a short name with free numbers
    (`Canary20Percent30Seconds`, `Linear10PercentEvery1Minute`, with or without `Lambda` in front), `AllAtOnce`, or a
    list such as `["1%", "wait 2m", "10%", "wait 5m", "100%"]`. `bake_s` is added to the wait after the last step.
    A linear percentage that does not divide 100 ends with the remainder.
    Source: CodeDeploy deployment configurations for Lambda; seconds and step lists are ours.

    Raises:
        ValueError: it is none of these; the message says what is wrong and what is possible.
    """
    steps = _named(value) if isinstance(value, str) else _listed(value)
    total = sum(step.wait_s for step in steps[:-1])
    if total > LONGEST_SHIFT_S:
        raise ValueError(f"the shift would take {duration(total)}; the longest allowed is {duration(LONGEST_SHIFT_S)}")
    return (*steps[:-1], replace(steps[-1], wait_s=steps[-1].wait_s + bake_s)) if bake_s else steps


def describe(steps: Steps) -> str:
    """`steps` for people: `10 %, wait 30 s, 100 %`."""
    parts = []
    for step in steps:
        parts.append(f"{step.weight_pct:g} %")
        if step.wait_s > 0:
            parts.append(f"wait {duration(step.wait_s)}")
    return ", ".join(parts)


def _named(name: str) -> Steps:
    short = name.removeprefix(_PREFIX)
    if short != name and short not in PREDEFINED:
        known = [_PREFIX + known for known in PREDEFINED]
        raise ValueError(_because(f"CodeDeploy has no predefined configuration {name!r} for Lambda", name, known))
    if short in ("AllAtOnce", "LambdaAllAtOnce"):
        return ALL_AT_ONCE
    if match := _CANARY.fullmatch(short):
        first = _whole_percent(match[1])
        return (Step(first, _interval(match[2], match[3])), Step(100.0))
    if match := _LINEAR.fullmatch(short):
        return _linear(_whole_percent(match[1]), _interval(match[2], match[3]))
    known = ["AllAtOnce", *PREDEFINED, *(known.removeprefix("Lambda") for known in PREDEFINED)]
    raise ValueError(_because(f"{name!r} is not a deployment configuration", name, known))


def _because(what: str, name: str, known: Sequence[str]) -> str:
    return f"{what}; {suggest(name, known) or 'write ' + _HELP}"


def _whole_percent(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 99:
        raise ValueError(f"the percentage must be from 1 to 99, not {text}")
    return value


def _interval(number: str, unit: str) -> float:
    if int(number) == 0:
        raise ValueError("the interval must be longer than nothing")
    return int(number) * _UNIT_S[unit]


def _linear(weight_pct: float, interval_s: float) -> Steps:
    steps = []
    reached = weight_pct
    while reached < 100:
        steps.append(Step(reached, interval_s))
        reached += weight_pct
    return (*steps, Step(100.0))


def _listed(items: Sequence[str]) -> Steps:
    steps: list[Step] = []
    for number, item in enumerate(items, 1):
        text = str(item).strip()
        try:
            if text.startswith("wait"):
                steps = _with_wait(steps, seconds(text.removeprefix("wait")))
            else:
                steps.append(Step(percent(text)))
        except ValueError as error:
            raise ValueError(f"step {number} ({text!r}): {error}; write '10%' or 'wait 30s'") from None
    _check_weights(steps)
    return tuple(steps)


def _with_wait(steps: list[Step], wait_s: float) -> list[Step]:
    if not steps:
        raise ValueError("a wait needs a percentage before it")
    return [*steps[:-1], replace(steps[-1], wait_s=steps[-1].wait_s + wait_s)]


def _check_weights(steps: Sequence[Step]) -> None:
    if not steps:
        raise ValueError("the list of steps is empty; write for example [10%, wait 30s, 100%]")
    reached = 0.0
    for step in steps:
        if round(step.weight_pct, 2) != step.weight_pct:
            raise ValueError(f"{step.weight_pct} % is finer than a hundredth of a percent")
        if step.weight_pct <= reached:
            raise ValueError(f"percentages must grow: {step.weight_pct:g} % comes after {reached:g} %")
        reached = step.weight_pct
    if reached != 100:
        raise ValueError(f"the last percentage must be 100 %, not {reached:g} %")

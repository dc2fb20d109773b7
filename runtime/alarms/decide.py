"""Decides the state of a metric alarm from its datapoints. Pure.

Source: CloudWatch, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runtime.alarms.records import State

EXTRA_POINTS = 2
"""How many datapoints before the evaluation periods are looked at, too, in case some are missing: CloudWatch's example
looks at 5 for 3 and does not say how many else."""
_LOW_SAMPLE = 10

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")


@dataclass(frozen=True, slots=True)
class Datapoint:
    """One period that was measured; `at` is its first second, `samples` 0 when their number is not known."""

    at: int
    value: float
    samples: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """When datapoints mean an alarm: at least `to_alarm` of `periods` breach."""

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    treat_missing: str = "missing"
    samples_needed: float = 0.0
    """Fewer samples than this leave the state as it is (percentiles, EvaluateLowSampleCountPercentile `ignore`)."""

    def breaches(self, value: float) -> bool:
        """Whether one value is on the wrong side of the threshold."""
        return COMPARISONS[self.comparison](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the datapoints mean. `state` None: the alarm stays as it is."""

    state: State | None
    evaluated: tuple[Datapoint, ...]
    """Oldest first."""
    filled: int
    """How many missing datapoints were needed beside them."""

    def breaching(self, rule: Rule) -> int:
        """How many of the evaluated datapoints breach."""
        return sum(rule.breaches(point.value) for point in self.evaluated)


def decide(points: Sequence[Datapoint | None], rule: Rule) -> Verdict:
    """The state for the datapoints of the evaluation range, oldest first, None where one is missing.

    With as many datapoints as evaluation periods, the latest of them alone decide. With fewer, all count, and the
    missing ones are filled in as the rule says.
    """
    known = [point for point in points if point is not None]
    evaluated = tuple(known[-rule.periods :])
    verdict = Verdict(None, evaluated, rule.periods - len(evaluated))
    if evaluated and sum(point.samples for point in evaluated) < rule.samples_needed:
        return verdict
    return Verdict(_state(points, rule, verdict), evaluated, verdict.filled)


def _state(points: Sequence[Datapoint | None], rule: Rule, verdict: Verdict) -> State | None:
    breaching = verdict.breaching(rule)
    if breaching >= rule.to_alarm:
        return State.ALARM
    if not verdict.filled or rule.treat_missing == "notBreaching":
        return State.OK
    if rule.treat_missing == "breaching":
        return State.ALARM if breaching + verdict.filled >= rule.to_alarm else State.OK
    if breaching < len(verdict.evaluated):
        return State.OK
    if rule.treat_missing == "ignore":
        return None
    return State.ALARM if _since_oldest(points) >= rule.to_alarm else State.INSUFFICIENT_DATA


def _since_oldest(points: Sequence[Datapoint | None]) -> int:
    """How many periods ago the oldest datapoint is, the latest period being the first; 0 when there is none.

    Source: CloudWatch, "Avoiding premature transitions to alarm state": breaching datapoints with none after them
    that does not breach mean an alarm once the oldest is as old as the datapoints that are needed.
    """
    return next((len(points) - index for index, point in enumerate(points) if point is not None), 0)


def samples_needed(rank: float) -> float:
    """How many samples a percentile needs to mean something (p99: 1000). Source: "Percentile-based alarms"."""
    rest = 100 - rank if rank >= 50 else rank
    return round(_LOW_SAMPLE * 100 / rest, 6) if rest > 0 else 0.0

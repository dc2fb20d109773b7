"""When an asynchronous event is tried again, and when it is given up. Pure. Source: reference §11."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RETRY_DELAYS_S = (60.0, 120.0)
MAX_RETRIES = 2
MAX_AGE_S = 21_600.0
_FIRST_BACKOFF_S, _LAST_BACKOFF_S = 1.0, 300.0

EXHAUSTED = "RetriesExhausted"
TOO_OLD = "EventAgeExceeded"
NO_CONCURRENCY = "ZeroReservedConcurrency"
RECURSIVE = "RecursiveInvocation"
"""The first two are in AWS's documents; the others are ours for what AWS describes without naming a condition."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the event invoke config of a function, version or alias says; the defaults are AWS's."""

    retries: int = MAX_RETRIES
    max_age_s: float = MAX_AGE_S
    delays_s: Sequence[float] = RETRY_DELAYS_S
    """Before each retry; the last one stands for those that follow."""

    def delay_s(self, failures: int) -> float:
        """The wait after the `failures`th failure."""
        return self.delays_s[min(failures, len(self.delays_s)) - 1] if self.delays_s else 0.0


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Never again; `condition` is AWS's word for why."""

    condition: str


def before_invoking(age_s: float, rules: Rules, *, concurrency: int | None) -> GiveUp | None:
    """Why an event is not to be run at all; None when it is. `concurrency` is what is reserved for the function."""
    if concurrency == 0:
        return GiveUp(NO_CONCURRENCY)
    return GiveUp(TOO_OLD) if age_s >= rules.max_age_s else None


def after_function_error(failures: int, age_s: float, rules: Rules) -> Again | GiveUp:
    """What follows the `failures`th failure of the function: a retry it would be too old for is not waited for."""
    if failures > rules.retries:
        return GiveUp(EXHAUSTED)
    delay_s = rules.delay_s(failures)
    return Again(delay_s) if age_s + delay_s < rules.max_age_s else GiveUp(TOO_OLD)


def after_refusal(refusals: int, age_s: float, rules: Rules, *, recursive: bool = False) -> Again | GiveUp:
    """What follows the `refusals`th time the event could not be run (throttled, not ready); retries are not used up."""
    if recursive:
        return GiveUp(RECURSIVE)
    if age_s >= rules.max_age_s:
        return GiveUp(TOO_OLD)
    doubled = _FIRST_BACKOFF_S * 2 ** min(refusals - 1, 30)
    return Again(min(doubled, _LAST_BACKOFF_S, max(0.0, rules.max_age_s - age_s)))

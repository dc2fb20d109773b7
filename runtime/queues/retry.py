"""When an asynchronous event is tried again, and when it is given up. Pure. Source: reference §11."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RETRY_DELAYS_S = (60.0, 120.0)
MAX_AGE_S = 21_600.0
_FIRST_BACKOFF_S, _LAST_BACKOFF_S = 1.0, 300.0


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Never again; `condition` is AWS's word for why."""

    condition: str


def after_function_error(failures: int, delays_s: Sequence[float] = RETRY_DELAYS_S) -> Again | GiveUp:
    """What follows the `failures`th failure of the function itself."""
    return Again(delays_s[failures - 1]) if failures <= len(delays_s) else GiveUp("RetriesExhausted")


def after_refusal(refusals: int, age_s: float) -> Again | GiveUp:
    """What follows the `refusals`th time the event could not be run (throttled, not ready); retries are not used up."""
    if age_s >= MAX_AGE_S:
        return GiveUp("EventAgeExceeded")
    return Again(min(_FIRST_BACKOFF_S * 2 ** (refusals - 1), _LAST_BACKOFF_S))

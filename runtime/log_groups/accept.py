"""PutLogEvents: what a batch means, and what is wrong with it. Pure. Source: CloudWatch Logs, PutLogEvents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from runtime.api.errors import ApiError

_DAY_MS = 86_400_000
_OLDEST_MS = 14 * _DAY_MS
_NEWEST_MS = 2 * 3_600_000
_MOST_BYTES = 1_048_576
_OVERHEAD_BYTES = 26
_LARGEST_EVENT_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Batch:
    """The events to be kept, and what is said of the others."""

    events: tuple[tuple[int, str], ...]
    rejected: Mapping[str, int]


def batch(given: Sequence[Mapping[str, Any]], now_ms: int, retention_days: int | None) -> Batch:
    """What is kept of a request's events; too old and too new ones are not.

    Raises:
        ApiError: the batch as a whole is wrong.
    """
    events = [(int(each["timestamp"]), str(each["message"])) for each in given]
    if any(later[0] < at[0] for at, later in pairwise(events)):
        raise _invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if events[-1][0] - events[0][0] > _DAY_MS:
        raise _invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    size = sum(len(message.encode()) + _OVERHEAD_BYTES for _, message in events)
    if size > _MOST_BYTES:
        raise _invalid(f"Upload too large: {size} bytes exceeds limit of {_MOST_BYTES}")
    if retention_days is not None and retention_days * _DAY_MS < _OLDEST_MS:
        oldest, member = now_ms - retention_days * _DAY_MS, "expiredLogEventEndIndex"
    else:
        oldest, member = now_ms - _OLDEST_MS, "tooOldLogEventEndIndex"
    old = sum(at < oldest for at, _ in events)
    new = sum(at > now_ms + _NEWEST_MS for at, _ in events)
    rejected = {member: old} if old else {}
    if new:
        rejected["tooNewLogEventStartIndex"] = len(events) - new
    return Batch(tuple(events[old : len(events) - new]), rejected)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)

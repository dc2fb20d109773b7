"""Recursive loops: how often a function ran in one chain of requests, told by the trace header. Pure.

Lambda counts in the header's `Lineage` field (`1:<hash>:<count>`, several joined by `|`), which the AWS SDKs carry from
`_X_AMZN_TRACE_ID` into every request a function makes, and SQS, SNS and S3 into the events that follow.
Source: Lambda, "recursive loop detection"; the field's form as real headers show it (`Lineage=1:fe460cdd:0`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from runtime.api.errors import ApiError

LIMIT = 16
"""A function runs this often in one chain of requests; the next invocation is stopped. Source: "about 16"."""
_MAX_ENTRIES = 32
_FIELD = "Lineage="
_ENTRY = re.compile(r"(?:\d+:)?([0-9a-f]{8}):(\d{1,6})")


@lru_cache(maxsize=4096)
def identity(function: str) -> str:
    """The eight hexadecimal digits that stand for a function (its name, or its ARN)."""
    return hashlib.sha256(function.encode()).hexdigest()[:8]


def runs_before(trace_id: str, function: str) -> int:
    """How often `function` ran before in the chain that `trace_id` belongs to."""
    if _FIELD not in trace_id:
        return 0
    count = _counts(trace_id).get(identity(function))
    return 0 if count is None else count + 1


def entered(trace_id: str, function: str) -> str:
    """The trace header that `function` gets to see when it is invoked with `trace_id`."""
    if _FIELD not in trace_id:
        return f"{trace_id};{_FIELD}1:{identity(function)}:0" if trace_id else trace_id
    counts = _counts(trace_id)
    own = identity(function)
    counts[own] = counts.pop(own, -1) + 1
    kept = list(counts.items())[-_MAX_ENTRIES:]
    return _joined(trace_id, kept)


def merged(trace_ids: Iterable[str]) -> str:
    """One header for an invocation with several causes: the first one's, with the highest count of each function."""
    headers = [trace_id for trace_id in trace_ids if trace_id]
    if len(headers) < 2:
        return headers[0] if headers else ""
    counts: dict[str, int] = {}
    for header in headers:
        for name, count in _counts(header).items():
            counts[name] = max(count, counts.get(name, 0))
    return _joined(headers[0], list(counts.items())[-_MAX_ENTRIES:])


def stopped() -> ApiError:
    """What a caller hears when the loop is cut."""
    return ApiError(
        "RecursiveInvocationException",
        "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources "
        "and stopped your function's invocation.",
    )


def _counts(trace_id: str) -> dict[str, int]:
    """Function identity to the count the header has for it; what cannot be read counts as nothing."""
    field = next((part for part in trace_id.split(";") if part.startswith(_FIELD)), "")
    found = (_ENTRY.fullmatch(entry) for entry in field[len(_FIELD) :].split("|"))
    return {match[1]: int(match[2]) for match in found if match is not None}


def _joined(trace_id: str, counts: list[tuple[str, int]]) -> str:
    parts = [part for part in trace_id.split(";") if part and not part.startswith(_FIELD)]
    if counts:
        parts.append(_FIELD + "1:" + "|".join(f"{name}:{count}" for name, count in counts))
    return ";".join(parts)

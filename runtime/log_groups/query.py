"""Reading logs: pages of events of a group or a stream. The files are read in threads; the rest is pure."""

from __future__ import annotations

import base64
import binascii
import heapq
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.api.errors import ApiError
from runtime.log_groups.files import Event, read, read_all
from runtime.log_groups.patterns.pattern import Pattern

MOST_EVENTS = 10_000
_MOST_BYTES = 1 << 20
"""Source: CloudWatch Logs, "up to 1 MB (up to 10,000 log events)"."""

Found = Sequence[tuple[str, Path]]


def filtered(found: Found, pattern: Pattern, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """FilterLogEvents: one page of the events that match, oldest first."""
    start, end = parameters.get("startTime", 0), parameters.get("endTime")
    after = _key(parameters.get("nextToken"))
    limit = parameters.get("limit") or MOST_EVENTS
    each = (
        event
        for event in read_all(found, start, end + 1 if end is not None else None)
        if (after is None or event.key > after) and pattern(event.message) is not None
    )
    page = heapq.nsmallest(limit + 1, each, key=lambda event: event.key)
    shown = _fitting(page[:limit])
    following = _token(shown[-1]) if len(page) > len(shown) else None
    events = [{**_shown(event), "logStreamName": event.stream, "eventId": _id(event)} for event in shown]
    return {"events": events, "searchedLogStreams": [], "nextToken": following}


def of_stream(path: Path, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """GetLogEvents: the events of one stream, the last ones, or the first with startFromHead."""
    start, end = parameters.get("startTime", 0), parameters.get("endTime")
    limit = parameters.get("limit") or MOST_EVENTS
    token = parameters.get("nextToken", "")
    events = list(read(path, name, start, end))
    direction, _, place = token.partition("/")
    if token and (direction not in {"f", "b"} or not place.isdigit()):
        raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
    if direction == "f":
        shown = _fitting([event for event in events if event.number >= int(place)][:limit])
    elif direction == "b":
        shown = _fitting([event for event in events if event.number < int(place)][-limit:], latest=True)
    elif parameters.get("startFromHead"):
        shown = _fitting(events[:limit])
    else:
        shown = _fitting(events[-limit:], latest=True)
    if shown:
        first, last = shown[0].number, shown[-1].number + 1
    else:
        first = last = int(place) if place else 0
    return {
        "events": [_shown(event) for event in shown],
        "nextForwardToken": f"f/{last}",
        "nextBackwardToken": f"b/{first}",
    }


def _fitting(events: Sequence[Event], *, latest: bool = False) -> list[Event]:
    """As many as one answer carries; the latest of them when asked. One event always fits."""
    size = 0
    kept: list[Event] = []
    for event in reversed(events) if latest else events:
        size += len(event.message.encode()) + 26
        if kept and size > _MOST_BYTES:
            break
        kept.append(event)
    return kept[::-1] if latest else kept


def _shown(event: Event) -> dict[str, Any]:
    return {"timestamp": event.at_ms, "ingestionTime": event.at_ms, "message": event.message}


def _id(event: Event) -> str:
    """The same number for the same event, in the order of events."""
    return f"{event.at_ms:014d}{zlib.crc32(event.stream.encode()):010d}{event.number:012d}"


def _token(event: Event) -> str:
    return base64.urlsafe_b64encode(json.dumps(event.key).encode()).decode()


def _key(token: str | None) -> tuple[int, str, int] | None:
    if token is None:
        return None
    try:
        at, stream, number = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError):
        raise ApiError("InvalidParameterException", "The specified nextToken is invalid.") from None
    return int(at), str(stream), int(number)

"""CloudWatch Logs' reading operations over the log files: groups, streams, events."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from core.ids import Ids
from runtime.api.errors import ApiError
from runtime.api.rpc import RpcService
from runtime.control.paging import page
from runtime.logs import Event, groups, read, streams
from runtime.names import Scope

_EVENTS_PER_PAGE = 10_000
_NAMES_PER_PAGE = 50


def log_service(root: Path, scope: Scope, flush: Callable[[], None], ids: Ids) -> RpcService:
    """The service over the files under `root`; `flush` writes what is not in them yet."""
    query = _Query(root, scope, flush)
    operations = {
        "DescribeLogGroups": query.groups,
        "DescribeLogStreams": query.streams,
        "FilterLogEvents": query.filter,
        "GetLogEvents": query.get,
    }
    return RpcService("logs", "logs", "Logs_20140328", operations, ids)


class _Query:
    def __init__(self, root: Path, scope: Scope, flush: Callable[[], None]) -> None:
        self._root = root
        self._scope = scope
        self._flush = flush

    def groups(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of log groups."""
        prefix = parameters.get("logGroupNamePrefix", "")
        found = [name for name in groups(self._root) if name.startswith(prefix)]
        shown, following = page(found, parameters.get("nextToken"), parameters.get("limit"), _NAMES_PER_PAGE)
        described = [{"logGroupName": name, "arn": f"{self._arn(name)}:*"} for name in shown]
        return {"logGroups": described, "nextToken": following}

    def streams(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of a group's streams."""
        group = self._group(parameters)
        prefix = parameters.get("logStreamNamePrefix", "")
        found = [(name, path) for name, path in streams(self._root, group) if name.startswith(prefix)]
        if parameters.get("orderBy") == "LastEventTime":
            found.sort(key=lambda each: each[1].stat().st_mtime)
        if parameters.get("descending"):
            found.reverse()
        shown, following = page(found, parameters.get("nextToken"), parameters.get("limit"), _NAMES_PER_PAGE)
        described = [
            {
                "logStreamName": name,
                "arn": f"{self._arn(group)}:log-stream:{name}",
                "lastEventTimestamp": int(path.stat().st_mtime * 1000),
                "storedBytes": path.stat().st_size,
            }
            for name, path in shown
        ]
        return {"logStreams": described, "nextToken": following}

    def filter(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of a group's events that have every word of the pattern, oldest first."""
        group, words = self._group(parameters), _words(parameters.get("filterPattern", ""))
        names, prefix = parameters.get("logStreamNames"), parameters.get("logStreamNamePrefix", "")
        wanted = [
            name for name, _ in streams(self._root, group)
            if name.startswith(prefix) and (names is None or name in names)
        ]  # fmt: skip
        found = [each for each in self._events(group, wanted, parameters) if all(word in each.text for word in words)]
        token, limit = parameters.get("nextToken"), parameters.get("limit")
        shown, following = page(found, token, limit, _EVENTS_PER_PAGE)
        first = len(found) - len(shown) if following is None else 0
        events = [
            {**_shown(each), "logStreamName": each.stream, "eventId": f"{_ms(each.at)}{first + index:012d}"}
            for index, each in enumerate(shown)
        ]
        return {"events": events, "searchedLogStreams": [], "nextToken": following}

    def get(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The events of one stream: the last ones, or the first with startFromHead."""
        group, name = self._group(parameters), parameters["logStreamName"]
        if name not in dict(streams(self._root, group)):
            raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
        found = list(self._events(group, [name], parameters))
        limit = parameters.get("limit") or _EVENTS_PER_PAGE
        token = parameters.get("nextToken", "")
        start = 0 if parameters.get("startFromHead") else max(0, len(found) - limit)
        if token[:2] == "f/" and token[2:].isdigit():
            start = int(token[2:])
        elif token[:2] == "b/" and token[2:].isdigit():
            start = max(0, int(token[2:]) - limit)
        shown = found[start : start + limit]
        tokens = {"nextForwardToken": f"f/{start + len(shown)}", "nextBackwardToken": f"b/{start}"}
        return {"events": [_shown(each) for each in shown], **tokens}

    def _events(self, group: str, names: list[str], parameters: Mapping[str, Any]) -> list[Event]:
        start, end = parameters.get("startTime", 0), parameters.get("endTime", 1 << 62)
        found = [each for each in read(self._root, group, names) if start <= _ms(each.at) < end]
        return sorted(found, key=lambda each: each.at)

    def _group(self, parameters: Mapping[str, Any]) -> str:
        name = parameters.get("logGroupName") or parameters.get("logGroupIdentifier", "")
        name = str(name).partition(":log-group:")[2].removesuffix(":*") if ":log-group:" in str(name) else str(name)
        self._flush()
        if name not in groups(self._root):
            raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
        return name

    def _arn(self, group: str) -> str:
        return f"arn:aws:logs:{self._scope.region}:{self._scope.account}:log-group:{group}"


def _words(pattern: str) -> list[str]:
    """The words or quoted phrases of an unstructured filter pattern.

    Raises:
        ApiError: a pattern of another kind ({…}, […], ?word, -word, %…%).
    """
    if pattern.strip().startswith(("{", "[", "?", "-", "%")):
        raise ApiError("InvalidParameterException", "This local runtime's filter patterns are words and quoted phrases")
    try:
        return shlex.split(pattern)
    except ValueError:
        raise ApiError("InvalidParameterException", "Invalid filter pattern") from None


def _shown(event: Event) -> dict[str, Any]:
    at = _ms(event.at)
    return {"timestamp": at, "ingestionTime": at, "message": event.text + "\n"}


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)

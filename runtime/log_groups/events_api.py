"""CloudWatch Logs' operations on streams and their events."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.ids import Ids
from runtime.api.errors import ApiError
from runtime.api.rpc import Act
from runtime.control.paging import page
from runtime.http import Response
from runtime.log_groups import query
from runtime.log_groups.accept import batch
from runtime.log_groups.api import NAMES_PER_PAGE, GroupOperations
from runtime.log_groups.files import first_and_last, line, stamp
from runtime.log_groups.groups import Group
from runtime.log_groups.patterns.pattern import compile_pattern
from runtime.log_groups.tail import LiveTail
from runtime.logs import Logs
from runtime.metrics.embedded import MARK

_SEQUENCE = "49039859601429024486"
"""Any token will do. Source: "sequence tokens are now ignored"."""


class EventOperations:
    """Operations by name."""

    def __init__(self, logs: Logs, groups: GroupOperations, ids: Ids) -> None:
        self._logs = logs
        self._groups = groups
        self._ids = ids
        self.table: dict[str, Act] = {
            "CreateLogStream": self.create,
            "DeleteLogStream": self.delete,
            "DescribeLogStreams": self.describe,
            "PutLogEvents": self.put,
            "GetLogEvents": self.get,
            "FilterLogEvents": self.filter,
            "StartLiveTail": self.tail,
        }

    # streams ----------------------------------------------------------------------------------------------------

    def create(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the stream exists, without events."""
        path = self._groups.group(parameters).stream(parameters["logStreamName"])
        self._logs.flush()
        if path.exists():
            raise ApiError("ResourceAlreadyExistsException", "The specified log stream already exists")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return {}

    def delete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the stream and its events are gone."""
        path = self._stream(self._groups.group(parameters), parameters["logStreamName"])
        self._logs.forget(path)
        path.unlink()
        return {}

    def describe(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of a group's streams."""
        group = self._groups.group(parameters)
        self._logs.flush()
        prefix, by_time = parameters.get("logStreamNamePrefix", ""), parameters.get("orderBy") == "LastEventTime"
        if prefix and by_time:
            raise ApiError("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
        found = [(name, path) for name, path in group.streams().items() if name.startswith(prefix)]
        if by_time:
            found.sort(key=lambda each: each[1].stat().st_mtime)
        if parameters.get("descending"):
            found.reverse()
        shown, following = page(found, parameters.get("nextToken"), parameters.get("limit"), NAMES_PER_PAGE)
        return {"logStreams": [self._shown(group, *each) for each in shown], "nextToken": following}

    def _shown(self, group: Group, name: str, path: Path) -> dict[str, Any]:
        status, times = path.stat(), first_and_last(path)
        known: dict[str, Any] = {}
        if times is not None:
            known = {
                "firstEventTimestamp": times[0],
                "lastEventTimestamp": times[1],
                "lastIngestionTime": round(status.st_mtime * 1000),
            }
        return {
            "logStreamName": name,
            "creationTime": times[0] if times is not None else round(status.st_mtime * 1000),
            "arn": f"{self._groups.arn(group)}:log-stream:{name}",
            "uploadSequenceToken": _SEQUENCE,
            "storedBytes": status.st_size,
            **known,
        }

    def _stream(self, group: Group, name: str) -> Path:
        """The stream's file, with everything that was written to it.

        Raises:
            ApiError: there is no such stream.
        """
        self._logs.flush()
        path = group.stream(name)
        if not path.is_file():
            raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
        return path

    # events -----------------------------------------------------------------------------------------------------

    def put(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What was not taken; all the rest is kept."""
        group = self._groups.group(parameters)
        name = parameters["logStreamName"]
        path = self._stream(group, name)
        taken = batch(parameters["logEvents"], self._groups.now_ms(), group.settings.retention_days)
        for at_ms, message in taken.events:
            ends = message.endswith("\n")
            self._logs.append(path, line(stamp(at_ms), message.removesuffix("\n"), ends=ends))
            if MARK in message:
                self._logs.embedded(message, at_ms / 1000)
            for hook in group.hooks:
                hook(name, at_ms, message)
        return {"nextSequenceToken": _SEQUENCE, "rejectedLogEventsInfo": dict(taken.rejected) or None}

    async def get(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of a stream's events."""
        name = parameters["logStreamName"]
        path = self._stream(self._groups.group(parameters), name)
        return await asyncio.to_thread(query.of_stream, path, name, parameters)

    async def filter(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of a group's events that match a pattern, by time."""
        group = self._groups.group(parameters)
        names, prefix = parameters.get("logStreamNames"), parameters.get("logStreamNamePrefix", "")
        if names is not None and prefix:
            raise ApiError(
                "InvalidParameterException", "Only one of logStreamNamePrefix and logStreamNames can be specified."
            )
        pattern = compile_pattern(parameters.get("filterPattern", ""))
        self._logs.flush()
        known = group.streams()
        if names is not None and not set(names) <= known.keys():
            raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
        wanted = [
            (name, path) for name, path in known.items()
            if name.startswith(prefix) and (names is None or name in names)
        ]  # fmt: skip
        return await asyncio.to_thread(query.filtered, wanted, pattern, parameters)

    def tail(self, parameters: Mapping[str, Any]) -> Response:
        """New events from now on, as an event stream."""
        groups = [self._groups.named(identifier) for identifier in parameters["logGroupIdentifiers"]]
        return LiveTail(groups, parameters, self._ids).response(self._groups.arn)

"""StartLiveTail: new events of groups as an event stream, once a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from core.ids import Ids
from runtime.api.event_stream import CONTENT_TYPE, message
from runtime.http import Response
from runtime.log_groups.groups import Group
from runtime.log_groups.patterns.pattern import Pattern, compile_pattern

_EVERY_S = 1.0
_MOST_IN_UPDATE = 500
"""Source: CloudWatch Logs, StartLiveTail: 500 events a second, beyond that a sample."""
_MOST_WAITING = 100_000
_LONGEST_S = 3 * 3600.0
"""Source: "sessions … up to three hours"."""
_JSON = "application/json"


class LiveTail:
    """One session."""

    def __init__(self, groups: Sequence[Group], parameters: Mapping[str, Any], ids: Ids) -> None:
        self._groups = groups
        self._parameters = parameters
        self._id = ids.uuid()
        self._pattern: Pattern = compile_pattern(parameters.get("logEventFilterPattern", ""))
        self._names: Sequence[str] | None = parameters.get("logStreamNames")
        self._prefixes: Sequence[str] | None = parameters.get("logStreamNamePrefixes")
        self._waiting: list[dict[str, Any]] = []

    def response(self, describe: Callable[[Group], str]) -> Response:
        """The answer that goes on as long as the client listens. `describe` gives a group's identifier."""
        headers = (("Content-Type", CONTENT_TYPE), ("x-amzn-RequestId", self._id))
        return Response(200, headers, stream=self._events(describe))

    async def _events(self, describe: Callable[[Group], str]) -> AsyncIterator[bytes]:
        hooks = [(group, self._hook(describe(group))) for group in self._groups]
        for group, hook in hooks:
            group.hooks.append(hook)
        try:
            yield message("initial-response", "application/x-amz-json-1.1", b"{}")
            asked = {"requestId": self._id, "sessionId": self._id, **self._parameters}
            yield message("sessionStart", _JSON, json.dumps(asked).encode())
            for _ in range(int(_LONGEST_S / _EVERY_S)):
                await asyncio.sleep(_EVERY_S)
                yield message("sessionUpdate", _JSON, json.dumps(self._update()).encode())
        finally:
            for group, hook in hooks:
                if hook in group.hooks:
                    group.hooks.remove(hook)

    def _hook(self, identifier: str) -> Callable[[str, int, str], None]:
        def hear(stream: str, at_ms: int, text: str) -> None:
            if not self._wants(stream) or len(self._waiting) >= _MOST_WAITING or self._pattern(text) is None:
                return
            event = {"logStreamName": stream, "logGroupIdentifier": identifier, "message": text}
            self._waiting.append({**event, "timestamp": at_ms, "ingestionTime": at_ms})

        return hear

    def _wants(self, stream: str) -> bool:
        if self._names is not None:
            return stream in self._names
        return self._prefixes is None or any(stream.startswith(prefix) for prefix in self._prefixes)

    def _update(self) -> dict[str, Any]:
        found, self._waiting = self._waiting, []
        step = -(-len(found) // _MOST_IN_UPDATE) or 1
        return {"sessionMetadata": {"sampled": step > 1}, "sessionResults": found[::step]}

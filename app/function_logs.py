"""What functions of the local runtime logged, asked of its CloudWatch Logs: once, or as it comes."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.local_target import ACCESS_KEY, REGION
from core.errors import InvalidInput, NotFound, Unavailable

_GROUPS = "/aws/lambda/"
_LATE_MS = 5_000
"""An event may be written this much later than one with a greater time."""
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/logs/aws4_request, "
    "SignedHeaders=host, Signature=local",
}


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event; `at_ms` is epoch milliseconds."""

    function: str
    stream: str
    at_ms: int
    message: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: of these functions (empty: all), matching a filter pattern, in [start, end) if given."""

    functions: Sequence[str] = ()
    pattern: str = ""
    start_ms: int | None = None
    end_ms: int | None = None


class FunctionLogs:
    """The logs behind `port`."""

    def __init__(self, port: int) -> None:
        self._port = port

    def functions(self) -> list[str]:
        """The functions that have logged anything, sorted."""
        found: list[str] = []
        request: dict[str, Any] = {"logGroupNamePrefix": _GROUPS}
        while True:
            answer = self._ask("DescribeLogGroups", request)
            found += [group["logGroupName"].removeprefix(_GROUPS) for group in answer["logGroups"]]
            if not answer.get("nextToken"):
                return sorted(found)
            request["nextToken"] = answer["nextToken"]

    def events(self, wanted: Wanted) -> list[LogEvent]:
        """The events there are now, oldest first; a function that has not logged anything has none."""
        having = self.functions()
        found: list[LogEvent] = []
        for function in wanted.functions or having:
            if function in having:
                found += self._of(function, wanted)
        return sorted(found, key=lambda event: event.at_ms)

    def follow(self, wanted: Wanted, pause: Callable[[], None]) -> Iterator[LogEvent]:
        """Every event once, as they come; `pause` is called between two looks. Ends only when it raises."""
        seen: Counter[LogEvent] = Counter()
        start = wanted.start_ms or 0
        while True:
            look = Wanted(wanted.functions, wanted.pattern, start, wanted.end_ms)
            now = Counter[LogEvent]()
            for event in self.events(look):
                now[event] += 1
                if now[event] > seen[event]:
                    yield event
            if now:
                start = max(start, max(event.at_ms for event in now) - _LATE_MS)
            seen = Counter({event: count for event, count in (seen | now).items() if event.at_ms >= start})
            pause()

    def _of(self, function: str, wanted: Wanted) -> Iterator[LogEvent]:
        limits = {"filterPattern": wanted.pattern, "startTime": wanted.start_ms, "endTime": wanted.end_ms}
        request: dict[str, Any] = {name: value for name, value in limits.items() if value not in ("", None)}
        request["logGroupName"] = _GROUPS + function
        while True:
            answer = self._ask("FilterLogEvents", request)
            for event in answer["events"]:
                yield LogEvent(function, event["logStreamName"], event["timestamp"], event["message"].rstrip("\n"))
            if not answer.get("nextToken"):
                return
            request["nextToken"] = answer["nextToken"]

    def _ask(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {**_HEADERS, "X-Amz-Target": f"Logs_20140328.{operation}"}
        try:
            connection.request("POST", "/", json.dumps(request).encode(), headers)
            response = connection.getresponse()
            answer: Mapping[str, Any] = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise Unavailable("the local runtime does not answer", why=str(problem)) from None
        finally:
            connection.close()
        if response.status < 300:
            return answer
        message = str(answer.get("message") or answer.get("Message") or f"HTTP {response.status}")
        kind = str(answer.get("__type", ""))
        if "ResourceNotFound" in kind:
            raise NotFound(message)
        if "InvalidParameter" in kind:
            raise InvalidInput(message)
        raise Unavailable(f"the local runtime refused {operation}", why=message)

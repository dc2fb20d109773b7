"""InvokeWithResponseStream: a function's result as an event stream, piece by piece as the function makes it."""

from __future__ import annotations

import asyncio
import base64
import json
from urllib.parse import parse_qs, unquote

from core.ids import Ids
from runtime.api.errors import ApiError
from runtime.api.event_stream import CONTENT_TYPE, message
from runtime.channel import Channel
from runtime.http import Reply, Request, Response
from runtime.invoke.api import Fail, call_of
from runtime.invoke.invocation import Push
from runtime.invoke.invoker import Call, Invoker
from runtime.invoke.results import Result

_PREFIX, _SUFFIX = "/2021-11-15/functions/", "/response-streaming-invocations"
_TYPES = ("RequestResponse", "DryRun")
MAX_STREAM_BYTES = 209_715_200
"""Source: reference §8, "streamed response 200 MB"."""
_PIECE_BYTES = 1 << 20


class StreamApi:
    """Answers `POST …/response-streaming-invocations`; `fail` words an error for a request id."""

    def __init__(self, invoker: Invoker, ids: Ids, fail: Fail, limit_bytes: int = MAX_STREAM_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._invoker = invoker
        self._ids = ids
        self._fail = fail

    @staticmethod
    def matches(request: Request) -> bool:
        """Whether `request` is an InvokeWithResponseStream."""
        return request.path.endswith(_SUFFIX) and request.path.startswith(_PREFIX) and request.method == "POST"

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer `request`, now or later."""
        request_id = self._ids.uuid()
        try:
            self._handle(request, reply, request_id)
        except ApiError as error:
            reply(self._fail(error, request_id))

    def _handle(self, request: Request, reply: Reply, request_id: str) -> None:
        name = unquote(request.path[len(_PREFIX) : -len(_SUFFIX)])
        qualifier = parse_qs(request.query).get("Qualifier", [None])[-1] if request.query else None
        kind = request.headers.get("x-amz-invocation-type") or "RequestResponse"
        if kind not in _TYPES:
            raise ApiError(
                "ValidationException",
                f"1 validation error detected: Value '{kind}' at 'invocationType' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(_TYPES)}]",
            )
        if kind == "DryRun":
            version = self._invoker.check(name, qualifier)
            reply(Response(204, (("x-amzn-RequestId", request_id), ("X-Amz-Executed-Version", version))))
            return
        answer = _Answer(reply, request_id, self._limit_bytes)
        answer.call = call_of(request, request_id, kind, on_stream=answer.begins)
        self._invoker.invoke(name, qualifier, answer.call, answer.done)


class _Answer:
    """The answer to one request while it grows."""

    call: Call

    def __init__(self, reply: Reply, request_id: str, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._reply = reply
        self._request_id = request_id
        self._events: Channel | None = None
        self._size = 0

    def begins(self, version: str, _content_type: str) -> Push:
        """The function begins to stream."""
        self._open(version)
        return self._piece

    def done(self, result: Result, version: str) -> None:
        """The invocation is over; a result that was not streamed comes now, whole."""
        if self._events is None:
            events = self._open(version)
            if not result.error_type:
                for start in range(0, len(result.payload), _PIECE_BYTES):
                    events.put(_chunk(result.payload[start : start + _PIECE_BYTES]))
        assert self._events is not None
        complete = {}
        if result.error_type:
            complete = {"ErrorCode": result.error_type, "ErrorDetails": result.payload.decode(errors="replace")}
        elif self._size > self._limit_bytes:
            details = f"Response payload size exceeded maximum allowed payload size ({self._limit_bytes} bytes)."
            complete = {"ErrorCode": "Function.ResponseSizeTooLarge", "ErrorDetails": details}
        if self.call.wants_log:
            complete["LogResult"] = base64.b64encode(result.log_tail).decode()
        self._events.put(message("InvokeComplete", "application/json", json.dumps(complete).encode()))
        self._events.end()

    def _open(self, version: str) -> Channel:
        self._events = Channel()
        headers = (
            ("Content-Type", CONTENT_TYPE),
            ("x-amzn-RequestId", self._request_id),
            ("X-Amz-Executed-Version", version),
            ("X-Amzn-Trace-Id", self.call.trace_id),
        )
        self._reply(Response(200, headers, stream=self._events))
        return self._events

    async def _piece(self, data: bytes) -> None:
        """What comes after the limit is dropped; the end says so."""
        assert self._events is not None
        self._size += len(data)
        if self._size <= self._limit_bytes:
            await self._events.push(_chunk(data))
        else:
            await asyncio.sleep(0)


def _chunk(data: bytes) -> bytes:
    return message("PayloadChunk", "application/octet-stream", data)

"""The Invoke operation over HTTP, apart from the other operations because every microsecond here is felt."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Protocol
from urllib.parse import parse_qs, unquote

from core.ids import Ids
from runtime.api.errors import ApiError, invalid
from runtime.http import Reply, Request, Response
from runtime.invoke.invocation import Push
from runtime.invoke.invoker import Call, Invoker
from runtime.invoke.results import MAX_ASYNC_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES, Result
from runtime.reading import check_json

_PREFIX, _SUFFIX = "/2015-03-31/functions/", "/invocations"
_TYPES = ("RequestResponse", "Event", "DryRun")
_MAX_CLIENT_CONTEXT = 3583

Fail = Callable[[ApiError, str], Response]


class EventQueue(Protocol):
    """Where accepted events are kept."""

    def accept(self, name: str, qualifier: str | None, call: Call, accepted: Callable[[], None]) -> None:
        """Keep the event on disk, then call `accepted`."""
        ...


class InvokeApi:
    """Answers `POST /2015-03-31/functions/{FunctionName}/invocations`; `fail` words an error for a request id."""

    def __init__(self, invoker: Invoker, queue: EventQueue, ids: Ids, fail: Fail) -> None:
        self._invoker = invoker
        self._queue = queue
        self._ids = ids
        self._fail = fail

    @staticmethod
    def matches(request: Request) -> bool:
        """Whether `request` is an Invoke."""
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
        headers = request.headers
        kind = headers.get("x-amz-invocation-type") or "RequestResponse"
        if kind == "RequestResponse":
            call = call_of(request, request_id, kind)

            def answer(result: Result, version: str) -> None:
                reply(_answered(result, version, request_id, call))

            self._invoker.invoke(name, qualifier, call, answer)
        elif kind == "Event":
            call = call_of(request, request_id, kind)
            self._invoker.check(name, qualifier)
            self._queue.accept(name, qualifier, call, lambda: reply(Response(202, (("x-amzn-RequestId", request_id),))))
        elif kind == "DryRun":
            version = self._invoker.check(name, qualifier)
            ids = (("x-amzn-RequestId", request_id), ("X-Amz-Executed-Version", version))
            reply(Response(204, ids))
        else:
            raise ApiError(
                "ValidationException",
                f"1 validation error detected: Value '{kind}' at 'invocationType' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(_TYPES)}]",
            )


def call_of(request: Request, request_id: str, kind: str, on_stream: Callable[[str, str], Push] | None = None) -> Call:
    """The call that an Invoke of that type asks for.

    Raises:
        ApiError: the payload is too large or no JSON, or the client context cannot be read.
    """
    payload = request.body or b"{}"
    limit = MAX_PAYLOAD_BYTES if kind == "RequestResponse" else MAX_ASYNC_PAYLOAD_BYTES
    if len(payload) > limit:
        raise ApiError(
            "RequestTooLargeException",
            f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
        )
    try:
        check_json(payload)
    except ValueError as error:
        raise ApiError("InvalidRequestContentException", f"Could not parse request body into json: {error}") from None
    headers = request.headers
    trace = headers.get("x-amzn-trace-id")
    return Call(
        request_id=request_id,
        payload=payload,
        trace_id=trace or new_trace(request_id),
        client_context=_client_context(headers.get("x-amz-client-context", "")),
        wants_log=kind == "RequestResponse" and headers.get("x-amz-log-type") == "Tail",
        on_stream=on_stream,
        paced=kind == "RequestResponse",
    )


def _answered(result: Result, version: str, request_id: str, call: Call) -> Response:
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", request_id),
        ("X-Amz-Executed-Version", version),
        ("X-Amzn-Trace-Id", call.trace_id),
    ]
    if result.error_type:
        headers.append(("X-Amz-Function-Error", "Unhandled"))
    if call.wants_log:
        headers.append(("X-Amz-Log-Result", base64.b64encode(result.log_tail).decode()))
    return Response(200, tuple(headers), result.payload)


def new_trace(request_id: str) -> str:
    """A trace id of our own making, not sampled: nothing here sends traces anywhere."""
    digits = request_id.replace("-", "")
    return f"Root=1-{digits[:8]}-{digits[8:]};Parent={digits[:16]};Sampled=0"


def _client_context(encoded: str) -> str:
    """The JSON that the header carries, base64-encoded; empty for no header.

    Raises:
        ApiError: not base64, or too long.
    """
    if not encoded:
        return ""
    if len(encoded) > _MAX_CLIENT_CONTEXT:
        raise invalid(f"Client context must be no more than {_MAX_CLIENT_CONTEXT} bytes when base64 encoded")
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        raise ApiError("InvalidRequestContentException", "Client context is not valid base64") from None

"""The Lambda Runtime API of one environment: next, response, error, init error. Source: reference §1."""

from __future__ import annotations

import json
from typing import Protocol

from runtime.http import Reply, Request, Response
from runtime.invoke.invocation import Invocation
from runtime.invoke.results import MAX_RESPONSE_BYTES

PREFIX = "/2018-06-01/runtime/"
_JSON = (("Content-Type", "application/json"),)
ACCEPTED = Response(202, _JSON, b'{"status":"OK"}\n')
_ERROR_TYPE = "lambda-runtime-function-error-type"
_MODE = "lambda-runtime-function-response-mode"


def wants_stream(request: Request) -> bool:
    """Whether the body of `request` is a result that comes piece by piece."""
    return request.headers.get(_MODE) == "streaming" and request.path.endswith("/response")


class Side(Protocol):
    """What an environment does when its runtime calls."""

    def asked_for_next(self, reply: Reply) -> bool:
        """See Environment."""
        ...

    def running(self) -> str | None:
        """See Environment."""
        ...

    def answered(self, payload: bytes, error_type: str) -> None:
        """See Environment."""
        ...

    def streams(self, request: Request, reply: Reply) -> None:
        """See Environment."""
        ...

    def init_failed(self, error_type: str, payload: bytes) -> bool:
        """See Environment."""
        ...


class RuntimeApi:
    """Requests of one environment's runtime, turned into calls of `side`."""

    def __init__(self, side: Side) -> None:
        self._side = side

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer one request; `next` is answered when there is an event."""
        path = request.path.removeprefix(PREFIX)
        if path == "invocation/next" and request.method == "GET":
            if not self._side.asked_for_next(reply):
                reply(_error(403, "State transition to Ready is not possible now", "InvalidStateTransition"))
        elif path.startswith("invocation/") and request.method == "POST":
            self._result(request, path, reply)
        elif path == "init/error" and request.method == "POST":
            taken = self._side.init_failed(request.headers.get(_ERROR_TYPE, "Runtime.Unknown"), request.body)
            reply(ACCEPTED if taken else _error(403, "Init is over", "InvalidStateTransition"))
        else:
            reply(_error(404, f"{request.method} {request.path} is not part of the Runtime API", "NotFound"))

    def _result(self, request: Request, path: str, reply: Reply) -> None:
        _, _, rest = path.partition("/")
        request_id, _, kind = rest.partition("/")
        if kind not in {"response", "error"}:
            reply(_error(404, f"{request.path} is not part of the Runtime API", "NotFound"))
        elif request_id != self._side.running():
            reply(_error(400, "Invalid request ID", "InvalidRequestID"))
        elif request.incoming is not None:
            self._side.streams(request, reply)
        else:
            error_type = request.headers.get(_ERROR_TYPE) or "Unhandled" if kind == "error" else ""
            fits = len(request.body) <= MAX_RESPONSE_BYTES
            reply(ACCEPTED if fits else TOO_LARGE)  # first: the runtime asks for more while the caller reads
            self._side.answered(request.body, error_type)

    @staticmethod
    def event(invocation: Invocation, deadline_ms: int) -> Response:
        """The answer to `next` that carries `invocation`."""
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", invocation.arn),
        ]
        if invocation.trace_id:
            headers.append(("Lambda-Runtime-Trace-Id", invocation.trace_id))
        if invocation.client_context:
            headers.append(("Lambda-Runtime-Client-Context", invocation.client_context))
        return Response(200, tuple(headers), invocation.payload)


def _error(status: int, message: str, error_type: str) -> Response:
    return Response(status, _JSON, json.dumps({"errorMessage": message, "errorType": error_type}).encode())


TOO_LARGE = _error(413, "Exceeded maximum allowed payload size (6291556 bytes).", "RequestEntityTooLarge")

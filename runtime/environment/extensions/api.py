"""The Extensions API of one environment: register, next, init error, exit error. Source: reference §2."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

from runtime.environment.extensions.machine import Standing, Step
from runtime.environment.extensions.registry import EventKind, Extension, Extensions, Refused
from runtime.http import Reply, Request, Response
from runtime.reading import json_of

PREFIX = "/2020-01-01/extension/"
_JSON = ("Content-Type", "application/json")
_ACCEPTED = Response(202, (_JSON,), b'{"status":"OK"}\n')
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Side(Protocol):
    """What an environment does when an extension calls."""

    def extension_registered(self, extension: Extension) -> None:
        """`extension` has just registered."""
        ...

    def extension_ready(self, extension: Extension) -> None:
        """`extension` waits for its next event."""
        ...

    def extension_failed(self, extension: Extension) -> None:
        """`extension` reported an error; it is expected to end."""
        ...


class ExtensionsApi:
    """Requests of extensions, turned into steps of `extensions` and calls of `side`.

    `function` are functionName, functionVersion and handler as a registration is answered.
    """

    def __init__(self, extensions: Extensions, side: Side, function: Mapping[str, str], account: str) -> None:
        self.extensions = extensions
        self._side = side
        self._function = function
        self._account = account
        self._waiting: dict[str, Reply] = {}

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer one request; `next` is answered when there is an event."""
        call = (request.method, request.path.removeprefix(PREFIX))
        try:
            if call == ("POST", "register"):
                reply(self._register(request))
            elif call == ("GET", "event/next"):
                self._next(request, reply)
            elif call in {("POST", "init/error"), ("POST", "exit/error")}:
                reply(self._failed(request, Step.INIT_ERROR if call[1] == "init/error" else Step.EXIT_ERROR))
            else:
                reply(refusal(404, "NotFound", f"{request.method} {request.path} is not part of the Extensions API"))
        except Refused as error:
            reply(refusal(403, error.error_type, error.message))

    def identify(self, request: Request) -> Extension:
        """The extension that makes this request.

        Raises:
            Refused: the identifier is missing, malformed or unknown.
        """
        identifier = request.headers.get("lambda-extension-identifier", "")
        if not identifier:
            raise Refused("Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        if _UUID.fullmatch(identifier) is None:
            raise Refused("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
        return self.extensions.identified(identifier)

    def send(self, extension: Extension, event: Mapping[str, Any], event_id: str) -> None:
        """Give `event` to an extension that waits."""
        extension.move(Step.EVENT)
        body = json.dumps(event, separators=(",", ":")).encode()
        headers = (_JSON, ("Lambda-Extension-Event-Identifier", event_id))
        self._waiting.pop(extension.identifier)(Response(200, headers, body))

    def _register(self, request: Request) -> Response:
        name = request.headers.get("lambda-extension-name", "")
        if not name:
            raise Refused("Extension.InvalidExtensionName", "Empty extension name")
        extension = self.extensions.register(name, _events(request.body))
        answer = dict(self._function)
        features = request.headers.get("lambda-extension-accept-feature", "").split(",")
        if "accountId" in {feature.strip() for feature in features}:
            answer = {"accountId": self._account, **answer}
        body = json.dumps(answer, separators=(",", ":")).encode()
        self._side.extension_registered(extension)
        return Response(200, (_JSON, ("Lambda-Extension-Identifier", extension.identifier)), body)

    def _next(self, request: Request, reply: Reply) -> None:
        extension = self.identify(request)
        asks_again = extension.standing is Standing.READY
        extension.move(Step.NEXT)
        self._waiting[extension.identifier] = reply
        if not asks_again:
            self._side.extension_ready(extension)

    def _failed(self, request: Request, step: Step) -> Response:
        extension = self.identify(request)
        error_type = request.headers.get("lambda-extension-function-error-type", "")
        if not error_type:
            raise Refused("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
        extension.move(step)
        extension.error_type = error_type
        self._side.extension_failed(extension)
        return _ACCEPTED


def invoke_event(deadline_ms: int, request_id: str, arn: str, trace_id: str) -> dict[str, Any]:
    """The INVOKE event."""
    event: dict[str, Any] = {
        "eventType": EventKind.INVOKE.value,
        "deadlineMs": deadline_ms,
        "requestId": request_id,
        "invokedFunctionArn": arn,
    }
    if trace_id:
        event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": trace_id}
    return event


def shutdown_event(deadline_ms: int, reason: str) -> dict[str, Any]:
    """The SHUTDOWN event; `reason` is `spindown`, `timeout` or `failure`."""
    return {"eventType": EventKind.SHUTDOWN.value, "deadlineMs": deadline_ms, "shutdownReason": reason}


def refusal(status: int, error_type: str, message: str) -> Response:
    """An error as these APIs answer it."""
    body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()
    return Response(status, (_JSON,), body)


def _events(body: bytes) -> list[str]:
    """The event names a registration asks for.

    Raises:
        Refused: the body is not what it should be.
    """
    try:
        document = json_of(body or b"{}")
    except ValueError as error:
        raise Refused("InvalidRequestFormat", str(error)) from None
    events = document.get("events") or [] if isinstance(document, dict) else None
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise Refused("InvalidRequestFormat", "events is a list of strings")
    if document.get("configurationKeys"):
        raise Refused("InvalidRequestFormat", "configurationKeys are deprecated; use environment variables instead")
    return events

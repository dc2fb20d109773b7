"""From an HTTP request to whoever answers it: Invoke, a Lambda operation, another service, or a clear no."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel

from core.ids import Ids
from runtime.api import rest, validate
from runtime.api.errors import ApiError, rest_json
from runtime.api.model import Routes
from runtime.catalog.code import CodeStore
from runtime.http import Reply, Request, Response
from runtime.invoke.api import InvokeApi
from runtime.invoke.streaming import StreamApi
from runtime.policy.callers import Caller
from runtime.policy.denial import refusal
from runtime.policy.guard import Guard
from runtime.urls.serve import UrlApi

_log = logging.getLogger(__name__)
_CREDENTIAL = re.compile(r"Credential=[^/,\s]*/[^/]*/[^/]*/([a-z0-9-]+)/aws4_request")
_CODE_PREFIX = "/_code/"
_CHECKED_ELSEWHERE = frozenset({"Runtime"})

Operation = Callable[[dict[str, Any], Request], "Mapping[str, Any] | Awaitable[Mapping[str, Any]]"]


class OtherService(Protocol):
    """Another service on the same endpoint."""

    def matches(self, request: Request, service: str) -> bool:
        """Whether `request` is for it; `service` is the one the request was signed for, or empty."""
        ...

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """The answer, now or later."""
        ...


class Dispatcher:
    """Call it with a request and where its answer goes."""

    def __init__(
        self,
        model: ServiceModel,
        operations: Mapping[str, Operation],
        invoke: InvokeApi,
        stream: StreamApi,
        urls: UrlApi,
        code: CodeStore,
        others: tuple[OtherService, ...],
        ids: Ids,
        guard: Guard,
    ) -> None:
        self._model = model
        self._guard = guard
        self._operations = operations
        self._invoke = invoke
        self._stream = stream
        self._urls = urls
        self._code = code
        self._others = others
        self._ids = ids
        self._routes = Routes(model)
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, request: Request, reply: Reply) -> None:
        if self._urls.matches(request):
            self._urls.handle(request, reply)
            return
        if self._invoke.matches(request) and self._guard.open(request):
            self._invoke.handle(request, reply)
            return
        task = asyncio.create_task(self._answer(request, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request, reply: Reply) -> None:
        request_id, service = self._ids.uuid(), _service(request)
        try:
            caller = await self._guard.caller(request)
            invoked = next((api for api in (self._invoke, self._stream) if api.matches(request)), None)
            if invoked is not None:
                operation, labels = self._matched(request)
                await self._guard.lambda_operation(caller, operation.name, rest.parse(operation, labels, request))
                invoked.handle(request, reply)
                return
            response = await self._response(request, service, caller, request_id)
        except ApiError as error:
            known = service in {"", "lambda"}
            response = (
                rest_json(error, self._model, request_id) if known else refusal(error, service, request, request_id)
            )
        except Exception:  # noqa: BLE001  (a fault of ours must not leave the client without an answer)
            _log.exception("%s %s failed", request.method, request.path)
            fault = ApiError("ServiceException", "An internal error occurred; the runtime's log says which")
            response = rest_json(fault, self._model, request_id)
        reply(response)

    async def _response(self, request: Request, service: str, caller: Caller, request_id: str) -> Response:
        if request.path.startswith(_CODE_PREFIX) and request.method == "GET":
            return self._package(request.path.removeprefix(_CODE_PREFIX))
        for other in self._others:
            if other.matches(request, service):
                self._guard.other_service(caller, service, request)
                answer = other.handle(request)
                return await answer if inspect.isawaitable(answer) else answer
        if service not in {"", "lambda"}:
            raise ApiError("NotImplementedException", f"The service {service} is not answered by this local runtime")
        operation, labels = self._matched(request)
        act = self._operations.get(operation.name)
        if act is None:
            raise ApiError("NotImplementedException", f"{operation.name} is not implemented by this local runtime")
        parameters = rest.parse(operation, labels, request)
        validate.check(operation.input_shape, parameters, skip=_CHECKED_ELSEWHERE)
        await self._guard.lambda_operation(caller, operation.name, parameters)
        result = act(parameters, request)
        if inspect.isawaitable(result):
            result = await result
        return rest.serialise(operation, result, request_id)

    def _matched(self, request: Request) -> tuple[OperationModel, Mapping[str, str]]:
        matched = self._routes.match(request.method, request.path, request.query)
        if matched is None:
            raise ApiError("UnknownOperationException", f"No operation at {request.method} {request.path}")
        return matched

    def _package(self, name: str) -> Response:
        path = self._code.find(name)
        if path is None:
            return Response(404, (("Content-Type", "application/json"),), json.dumps({"message": "Gone"}).encode())
        return Response(200, (("Content-Type", "application/zip"),), path.read_bytes())


def _service(request: Request) -> str:
    """The service in the credential scope of the request's signature; empty when it is not signed."""
    signed = request.headers.get("authorization") or unquote(request.query)
    match = _CREDENTIAL.search(signed)
    return match.group(1) if match is not None else ""

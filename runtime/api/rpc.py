"""A service whose operations all share one address: found by its signing name, answered from its model."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from botocore.model import OperationModel, ServiceModel

from core.ids import Ids
from runtime.api import validate
from runtime.api.errors import ApiError
from runtime.api.model import load_service
from runtime.api.wires import Wire, detect
from runtime.http import MAX_BODY_BYTES, Request, Response

Parameters = Mapping[str, Any]
Act = Callable[[Parameters], "Mapping[str, Any] | Awaitable[Mapping[str, Any]] | Response"]
"""An operation: its result now or later, or a whole response (an event stream)."""


class RpcService:
    """One service of the endpoint beside Lambda; its model is read when it is first asked."""

    def __init__(self, name: str, signing_name: str, target: str, operations: Mapping[str, Act], ids: Ids) -> None:
        self._name = name
        self._signing_name = signing_name
        self._target = target
        self._operations = operations
        self._ids = ids

    @cached_property
    def _model(self) -> ServiceModel:
        return load_service(self._name)

    def matches(self, request: Request, service: str) -> bool:
        """Whether `request` is signed for this service, or is unsigned and names it."""
        if service:
            return service == self._signing_name
        return self._target in request.path or request.headers.get("x-amz-target", "").startswith(self._target)

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """The answer, in the protocol of the question; now or later."""
        request_id = self._ids.uuid()
        wire = detect(request)
        if wire is None:
            text = b'{"message":"This is none of the protocols the service speaks"}'
            return Response(400, (("Content-Type", "application/json"), ("x-amzn-RequestId", request_id)), text)
        try:
            act = self._act(wire.operation(request))
            operation = self._model.operation_model(wire.operation(request))
            parameters = wire.parse(operation.input_shape, unpacked(request))
            validate.check(operation.input_shape, parameters)
            result = act(parameters)
            if isinstance(result, Response):
                return result
            if inspect.isawaitable(result):
                return self._later(wire, operation, result, request_id)
            return wire.answer(operation, result, request_id)
        except ApiError as error:
            return self._error(wire, error, request_id)

    async def _later(
        self, wire: Wire, operation: OperationModel, result: Awaitable[Mapping[str, Any]], request_id: str
    ) -> Response:
        try:
            return wire.answer(operation, await result, request_id)
        except ApiError as error:
            return self._error(wire, error, request_id)

    def _error(self, wire: Wire, error: ApiError, request_id: str) -> Response:
        query_code, status = self._known(error.code)
        answer = wire.error(error, query_code, request_id)
        return Response(status, answer.headers, answer.body)

    def _act(self, name: str) -> Act:
        if name not in self._operations:
            raise ApiError("NotImplementedException", f"{name} is not implemented by this local runtime")
        return self._operations[name]

    def _known(self, code: str) -> tuple[str, int]:
        """The older name of an error, which services have that once spoke the query protocol, and its status."""
        if code not in self._model.shape_names:
            return code, 501 if code == "NotImplementedException" else 400
        facts = self._model.shape_for(code).metadata.get("error", {})
        return str(facts.get("code", code)), int(facts.get("httpStatusCode", 400))


def unpacked(request: Request) -> Request:
    """The request with its body decompressed, as SDKs compress the larger PutMetricData.

    Raises:
        ApiError: it is not gzip, or larger than any body may be.
    """
    if request.headers.get("content-encoding", "") != "gzip":
        return request
    reader = zlib.decompressobj(wbits=31)
    try:
        body = reader.decompress(request.body, MAX_BODY_BYTES)
    except zlib.error:
        raise ApiError("SerializationException", "The body is not valid gzip") from None
    if reader.unconsumed_tail:
        raise ApiError("RequestEntityTooLargeException", "The body is too large")
    return replace(request, body=body)

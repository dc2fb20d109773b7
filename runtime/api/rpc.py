"""A service whose operations all share one address: found by its signing name, answered from its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from botocore.model import ServiceModel

from core.ids import Ids
from runtime.api import validate
from runtime.api.errors import ApiError
from runtime.api.model import load_service
from runtime.api.wires import detect
from runtime.http import Request, Response

Parameters = Mapping[str, Any]
Act = Callable[[Parameters], Mapping[str, Any]]


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

    def handle(self, request: Request) -> Response:
        """The answer, in the protocol of the question."""
        request_id = self._ids.uuid()
        wire = detect(request)
        if wire is None:
            text = b'{"message":"This is none of the protocols the service speaks"}'
            return Response(400, (("Content-Type", "application/json"), ("x-amzn-RequestId", request_id)), text)
        try:
            act = self._act(wire.operation(request))
            operation = self._model.operation_model(wire.operation(request))
            parameters = wire.parse(operation.input_shape, request)
            validate.check(operation.input_shape, parameters)
            return wire.answer(operation, act(parameters), request_id)
        except ApiError as error:
            answer = wire.error(error, self._query_code(error.code), request_id)
            status = 501 if error.code == "NotImplementedException" else answer.status
            return Response(status, answer.headers, answer.body)

    def _act(self, name: str) -> Act:
        if name not in self._operations:
            raise ApiError("NotImplementedException", f"{name} is not implemented by this local runtime")
        return self._operations[name]

    def _query_code(self, code: str) -> str:
        """The older name of an error; only services that once spoke the query protocol have one."""
        if code not in self._model.shape_names:
            return code
        return str(self._model.shape_for(code).metadata.get("error", {}).get("code", code))

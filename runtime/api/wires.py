"""The three protocols a client may speak to services beside Lambda: Smithy RPC v2 CBOR, AWS JSON, AWS query."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import OperationModel
from botocore.parsers import ResponseParserError, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from core.units import iso
from runtime.api.errors import ApiError
from runtime.api.rest import Parameters, json_object, structure, to_json
from runtime.http import Request, Response

_RPC_PATH = re.compile(r"/service/(?P<service>[^/]+)/operation/(?P<operation>\w+)")


class Wire(Protocol):
    """One protocol, from the server's side."""

    def operation(self, request: Request) -> str:
        """The operation's name."""
        ...

    def parse(self, shape: Any, request: Request) -> Parameters:
        """The operation's parameters."""
        ...

    def answer(self, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Response:
        """The response that carries `result`."""
        ...

    def error(self, error: ApiError, query_code: str, request_id: str) -> Response:
        """The response that carries `error` (400); `query_code` is its older, shorter name."""
        ...


def detect(request: Request) -> Wire | None:
    """The protocol `request` speaks; None when it is none of the three."""
    if _RPC_PATH.fullmatch(request.path):
        return Cbor()
    if request.path != "/" or request.method != "POST":
        return None
    if "x-amz-target" in request.headers:
        return Json(request.headers.get("content-type", "application/x-amz-json-1.0"))
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Query()
    return None


class Cbor:
    """Smithy RPC v2 CBOR, as boto3 speaks it; encoded and decoded by botocore."""

    def operation(self, request: Request) -> str:
        """From the path."""
        match = _RPC_PATH.fullmatch(request.path)
        assert match is not None
        return match["operation"]

    def parse(self, shape: Any, request: Request) -> Parameters:
        """From a CBOR map."""
        parser = RpcV2CBORParser()
        try:
            data = parser.parse_data_item(parser.get_peekable_stream_from_bytes(request.body)) if request.body else {}
        except (ResponseParserError, ValueError) as error:
            raise ApiError("SerializationException", f"The body is not valid CBOR: {error}") from None
        return structure(shape.members, data if isinstance(data, dict) else {})

    def answer(self, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Response:
        """A CBOR map."""
        body = bytearray()
        serializer: Any = RpcV2CBORSerializer()
        if operation.output_shape is None:
            return Response(200, self._headers(request_id), b"\xa0")
        serializer._serialize_data_item(body, dict(result), operation.output_shape)
        return Response(200, self._headers(request_id), bytes(body))

    def error(self, error: ApiError, query_code: str, request_id: str) -> Response:
        """A CBOR map with `__type` and `message`."""
        body = bytearray(b"\xa2")
        serializer: Any = RpcV2CBORSerializer()
        for text in ("__type", error.code, "message", error.message):
            serializer._serialize_type_string(body, text, None, None)
        headers = (*self._headers(request_id), ("x-amzn-query-error", f"{query_code};Sender"))
        return Response(400, headers, bytes(body))

    def _headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        return (
            ("Content-Type", "application/cbor"),
            ("smithy-protocol", "rpc-v2-cbor"),
            ("x-amzn-RequestId", request_id),
        )


class Json:
    """AWS JSON, 1.0 or 1.1: answered in the version of the question."""

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type

    def operation(self, request: Request) -> str:
        """From the header X-Amz-Target."""
        return request.headers["x-amz-target"].rpartition(".")[2]

    def parse(self, shape: Any, request: Request) -> Parameters:
        """From a JSON object."""
        return structure(shape.members, json_object(request.body))

    def answer(self, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Response:
        """A JSON object."""
        shown = to_json(operation.output_shape, result) if operation.output_shape is not None else {}
        return Response(200, self._headers(request_id), json.dumps(shown).encode())

    def error(self, error: ApiError, query_code: str, request_id: str) -> Response:
        """A JSON object with `__type` and `message`."""
        body = json.dumps({"__type": error.code, "message": error.message}).encode()
        return Response(400, (*self._headers(request_id), ("x-amzn-query-error", f"{query_code};Sender")), body)

    def _headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        return (("Content-Type", self._content_type), ("x-amzn-RequestId", request_id))


class Query:
    """AWS query: a form in, XML out."""

    def operation(self, request: Request) -> str:
        """From the form's Action."""
        return self._form(request).get("Action", "")

    def parse(self, shape: Any, request: Request) -> Parameters:
        """From the form's other fields."""
        return _unflatten(shape, self._form(request), "") or {}

    def answer(self, operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Response:
        """XML in the operation's wrapper."""
        shape: Any = operation.output_shape
        namespace, name = operation.service_model.metadata["xmlNamespace"], operation.name
        inner = ""
        if shape is not None:
            wrapper = shape.serialization["resultWrapper"]
            members = (_xml(shape.members[each], each, value) for each, value in result.items() if value is not None)
            inner = f"<{wrapper}>{''.join(members)}</{wrapper}>"
        metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        text = f'<{name}Response xmlns="{namespace}">{inner}{metadata}</{name}Response>'
        return Response(200, self._headers(request_id), text.encode())

    def error(self, error: ApiError, query_code: str, request_id: str) -> Response:
        """XML with the older code."""
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{query_code}</Code>"
            f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Response(400, self._headers(request_id), text.encode())

    def _form(self, request: Request) -> dict[str, str]:
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))

    def _headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        return (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id))


def _unflatten(shape: Any, form: Mapping[str, str], prefix: str) -> Any:
    """The value of `shape` whose fields begin with `prefix`; None when there are none."""
    if shape.type_name == "structure":
        fields = {name: f"{prefix}.{name}" if prefix else name for name in shape.members}
        found = {name: _unflatten(shape.members[name], form, field) for name, field in fields.items()}
        return {name: value for name, value in found.items() if value is not None} or None
    if shape.type_name == "list":
        return list(_items(shape, form, prefix)) or None
    if prefix not in form:
        return None
    text = form[prefix]
    try:
        if shape.type_name in {"integer", "long"}:
            return int(text)
        if shape.type_name in {"double", "float"}:
            return float(text)
    except ValueError:
        raise ApiError("SerializationException", f"'{text}' at '{prefix}' is not a number") from None
    value = {"true": True, "false": False}.get(text.lower(), text) if shape.type_name == "boolean" else text
    return structure({prefix: shape}, {prefix: value})[prefix]


def _items(shape: Any, form: Mapping[str, str], prefix: str) -> Iterator[Any]:
    for number in range(1, len(form) + 1):
        item = _unflatten(shape.member, form, f"{prefix}.member.{number}")
        if item is None:
            return
        yield item


def _xml(shape: Any, name: str, value: Any) -> str:
    if shape.type_name == "structure":
        inner = "".join(_xml(shape.members[key], key, item) for key, item in value.items() if item is not None)
    elif shape.type_name == "list":
        inner = "".join(_xml(shape.member, "member", item) for item in value)
    elif shape.type_name == "map":
        inner = "".join(
            f"<entry>{_xml(shape.key, 'key', key)}{_xml(shape.value, 'value', item)}</entry>"
            for key, item in value.items()
        )
    elif shape.type_name == "timestamp":
        inner = iso(value)
    elif shape.type_name == "boolean":
        inner = str(value).lower()
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"

"""The rest-json protocol from the server's side: a request to parameters by its shapes, a result to a response."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from botocore.model import OperationModel

from runtime.api.errors import ApiError
from runtime.http import Request, Response
from runtime.reading import json_of

Parameters = dict[str, Any]

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "float": (int, float),
    "double": (int, float),
}
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
"""How JSON carries numbers it has no form for (Source: Smithy, "Float and double serialization")."""


def parse(operation: OperationModel, labels: Mapping[str, str], request: Request) -> Parameters:
    """The operation's parameters, absent ones left out, blobs as bytes, numbers as numbers.

    Unknown members of the body are ignored, as AWS does.

    Raises:
        ApiError: SerializationException when the body is not JSON or a member has the wrong type.
    """
    shape = operation.input_shape
    if shape is None:
        return {}
    query = parse_qs(request.query, keep_blank_values=True)
    payload = shape.serialization.get("payload")
    parameters: Parameters = {}
    in_body: dict[str, Any] = {}
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        wire_name = member.serialization.get("name", name)
        if location == "uri":
            parameters[name] = _from_text(member, [labels[wire_name]], name)
        elif location == "querystring":
            if wire_name in query:
                parameters[name] = _from_text(member, query[wire_name], name)
        elif location == "header":
            if wire_name.lower() in request.headers:
                parameters[name] = _from_text(member, [request.headers[wire_name.lower()]], name)
        elif name == payload:
            parameters[name] = _payload(member, request.body)
        else:
            in_body[name] = member
    if in_body and payload is None:
        parameters.update(structure(in_body, json_object(request.body)))
    return parameters


def serialise(operation: OperationModel, result: Mapping[str, Any], request_id: str) -> Response:
    """`result` (AWS's member names; None means absent) as the operation's response."""
    status = operation.http.get("responseCode", 200)
    headers = [("Content-Type", "application/json"), ("x-amzn-RequestId", request_id)]
    shape = operation.output_shape
    body: dict[str, Any] = {}
    for name, member in (shape.members if shape is not None else {}).items():
        value = result.get(name)
        if value is None:
            continue
        if member.serialization.get("location") == "header":
            headers.append((member.serialization.get("name", name), str(value)))
        else:
            body[member.serialization.get("name", name)] = to_json(member, value)
    if status == 204:
        return Response(204, tuple(headers[1:]))
    return Response(status, tuple(headers), json.dumps(body).encode() if shape is not None else b"")


def json_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object in `body`; empty for an empty body.

    Raises:
        ApiError: SerializationException.
    """
    if not body:
        return {}
    try:
        data = json_of(body)
    except ValueError as error:
        raise ApiError("SerializationException", f"Could not parse request body into json: {error}") from None
    if not isinstance(data, dict):
        raise ApiError("SerializationException", "Start of structure or map expected at the top of the request body.")
    return data


def _payload(shape: Any, body: bytes) -> Any:
    return body if shape.type_name == "blob" else _value(shape, json_object(body), "")


def _from_text(shape: Any, values: list[str], name: str) -> Any:
    """A value out of a query string or a header."""
    text = values[-1]
    try:
        if shape.type_name == "list":
            return [_from_text(shape.member, [value], name) for value in values]
        if shape.type_name in {"integer", "long"}:
            return int(text)
        if shape.type_name in {"float", "double"}:
            return float(text)
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if shape.type_name == "timestamp":
            return moment(text, name)
    except (ValueError, KeyError):
        raise ApiError("SerializationException", f"'{text}' at '{name}' is not a {shape.type_name}") from None
    return text


def _value(shape: Any, value: Any, where: str) -> Any:
    if shape.type_name == "structure":
        return structure(shape.members, _expect(value, dict, "structure", where), where)
    if shape.type_name == "map":
        items = _expect(value, dict, "map", where).items()
        return {key: _value(shape.value, item, f"{where}.{key}") for key, item in items if item is not None}
    if shape.type_name == "list":
        return [_value(shape.member, item, where) for item in _expect(value, list, "list", where)]
    if shape.type_name == "blob":
        try:
            return base64.b64decode(_expect(value, str, "blob", where), validate=True)
        except (binascii.Error, ValueError):
            raise ApiError("SerializationException", f"'{where}' is not valid base64") from None
    if shape.type_name == "timestamp":
        return moment(value, where)
    if shape.type_name in {"float", "double"} and isinstance(value, str) and value in _NOT_FINITE:
        return float(value)
    kinds = _KINDS.get(shape.type_name)
    wrong = kinds is not None and (
        not isinstance(value, kinds) or (isinstance(value, bool) and shape.type_name != "boolean")
    )
    if wrong:
        raise _wrong_type(value, shape.type_name, where)
    return value


def structure(members: Mapping[str, Any], data: Mapping[str, Any], where: str = "") -> Parameters:
    """The members that `data` (decoded JSON, or CBOR) has, each as its shape says.

    Raises:
        ApiError: SerializationException when one has the wrong type.
    """
    out: Parameters = {}
    for name, member in members.items():
        value = data.get(member.serialization.get("name", name))
        if value is not None:
            out[name] = _value(member, value, f"{where}.{name}" if where else name)
    return out


def moment(value: Any, where: str) -> datetime:
    """A point in time, sent as epoch seconds, as ISO 8601 text, or already understood; UTC when it names no zone.

    Raises:
        ApiError: SerializationException.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError, ValueError):
            raise _wrong_type(value, "timestamp", where) from None
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong_type(value, "timestamp", where) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _expect(value: Any, kind: type, word: str, where: str) -> Any:
    if not isinstance(value, kind):
        raise _wrong_type(value, word, where)
    return value


def _wrong_type(value: Any, word: str, where: str) -> ApiError:
    return ApiError("SerializationException", f"{type(value).__name__} at '{where}' can not be converted to a {word}")


def to_json(shape: Any, value: Any) -> Any:
    """`value` as JSON carries it: blobs in base64, times as epoch seconds; members that are None left out."""
    if shape.type_name == "structure":
        return {
            member.serialization.get("name", name): to_json(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "map":
        return {key: to_json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "list":
        return [to_json(shape.member, item) for item in value]
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    if shape.type_name == "timestamp":
        return value.timestamp()
    return value

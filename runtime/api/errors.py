"""Errors in AWS's form: a code, an HTTP status, a message, and the header `x-amzn-ErrorType`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runtime.http import Response

if TYPE_CHECKING:
    from botocore.model import ServiceModel

_UNMODELLED = {
    "ValidationException": 400,
    "SerializationException": 400,
    "AccessDeniedException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "ExpiredTokenException": 403,
    "UnknownOperationException": 404,
    "MethodNotAllowedException": 405,
    "NotImplementedException": 501,
}
"""Codes that AWS's front end answers although no service model lists them; those with 403 have no Type."""


class ApiError(Exception):
    """What a service answers instead of a result. `code` is AWS's (`ResourceNotFoundException`)."""

    def __init__(self, code: str, message: str, *, members: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.members = dict(members or {})


def not_found(arn: str) -> ApiError:
    """The function or version named by `arn` does not exist (Source: Lambda's wording)."""
    return ApiError("ResourceNotFoundException", f"Function not found: {arn}")


def invalid(message: str) -> ApiError:
    """A parameter is understood but cannot be accepted."""
    return ApiError("InvalidParameterValueException", message)


def conflict(message: str) -> ApiError:
    """The resource exists already, or is in a state that forbids this."""
    return ApiError("ResourceConflictException", message)


def rest_json(error: ApiError, model: ServiceModel, request_id: str) -> Response:
    """`error` as a rest-json service answers it.

    The letter case of the message member and members that travel as headers follow the error's shape in the model.
    Source: reference §14, "Wire".
    """
    status, message_name, headers = _UNMODELLED.get(error.code, 500), "message", []
    body: dict[str, str] = {}
    shape: Any = model.shape_for(error.code) if error.code in model.shape_names else None
    if shape is not None:
        status = shape.metadata.get("error", {}).get("httpStatusCode", status)
        message_name = next((name for name in shape.members if name.lower() == "message"), message_name)
    if error.code == "AccessDeniedException":
        message_name = "Message"
    if shape is not None or status != 403:
        body["Type"] = "User" if status < 500 else "Server"
    body[message_name] = error.message
    for name, value in error.members.items():
        member = shape.members.get(name) if shape is not None else None
        if member is not None and member.serialization.get("location") == "header":
            headers.append((member.serialization["name"], value))
        else:
            body[name] = value
    return Response(
        status,
        (
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", request_id),
            ("x-amzn-ErrorType", error.code),
            *headers,
        ),
        json.dumps(body).encode(),
    )

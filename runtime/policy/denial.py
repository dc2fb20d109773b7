"""How each kind of service says no: 403 or 400, as JSON, XML or CBOR, under its own name for it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from xml.sax.saxutils import escape

from runtime.api.errors import ApiError
from runtime.api.wires import Json, detect
from runtime.http import Request, Response

_CODES: Mapping[str, tuple[str, str]] = {
    "AccessDeniedException": ("AccessDenied", "AccessDenied"),
    "InvalidSignatureException": ("SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", "AccessDenied"),
    "UnrecognizedClientException": ("InvalidClientTokenId", "InvalidAccessKeyId"),
    "ExpiredTokenException": ("ExpiredToken", "ExpiredToken"),
}
"""As JSON services name it: as query services do, and as S3 does."""


_ONCE_QUERY = frozenset({"sqs", "monitoring"})
"""JSON services whose clients still look for the older name."""


def refusal(error: ApiError, service: str, request: Request, request_id: str) -> Response:
    """`error` (one of those above) as `service` words it."""
    query_code, s3_code = _CODES.get(error.code, (error.code, error.code))
    if service == "s3":
        return _xml(f"<Error><Code>{s3_code}</Code><Message>{escape(error.message)}</Message>", "</Error>", request_id)
    if service == "ec2":
        code = "UnauthorizedOperation" if error.code == "AccessDeniedException" else "AuthFailure"
        begin = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{escape(error.message)}</Message></Error></Errors>"
        )
        return _xml(begin, "</Response>", request_id)
    wire = detect(request)
    if wire is not None:
        answer = wire.error(error, query_code, request_id)
        if not isinstance(wire, Json):
            return Response(403, answer.headers, answer.body)
        kept = (header for header in answer.headers if service in _ONCE_QUERY or header[0] != "x-amzn-query-error")
        return Response(400, tuple(kept), answer.body)
    return Response(
        403,
        (
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", request_id),
            ("x-amzn-ErrorType", error.code),
        ),
        json.dumps({"Message": error.message}).encode(),
    )


def _xml(begin: str, end: str, request_id: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{begin}<RequestId>{request_id}</RequestId>{end}'
    headers = (("Content-Type", "application/xml"), ("x-amz-request-id", request_id), ("x-amzn-RequestId", request_id))
    return Response(403, headers, text.encode())

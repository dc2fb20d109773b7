"""What a function's result means as an HTTP response. Pure. Source: reference §13, "URL response"."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from runtime.http import Response
from runtime.reading import json_of

JSON = "application/json"
HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response"
"""The Content-Type of a stream that begins with status, headers and cookies."""
_PRELUDE_END = bytes(8)
_MAX_PRELUDE_BYTES = 1 << 20
_OURS = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"})


class BadResult(ValueError):
    """The result is no HTTP response."""


def response_of(payload: bytes) -> Response:
    """The response that a buffered result describes; one without `statusCode` is the body itself.

    Raises:
        BadResult: no JSON, or members that cannot be used.
    """
    try:
        result = json_of(payload)
    except ValueError:
        raise BadResult("the result is not JSON") from None
    if not isinstance(result, dict) or "statusCode" not in result:
        return Response(200, (("Content-Type", JSON),), payload)
    body = result.get("body")
    raw = b"" if body is None else _text(body).encode()
    if result.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(raw, validate=True)
        except binascii.Error:
            raise BadResult("the body is not base64") from None
    head = head_of(result, JSON)
    return Response(head.status, head.headers, raw)


def head_of(described: dict[str, Any], content_type: str) -> Response:
    """Status, headers and cookies; `content_type` when they name none.

    Raises:
        BadResult: no status, or headers that cannot be sent.
    """
    status = described.get("statusCode", 200)
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise BadResult(f"the statusCode {status!r} is none")
    headers, cookies = described.get("headers") or {}, described.get("cookies") or []
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise BadResult("headers must be an object, cookies a list")
    sent = [(str(name), _line(value)) for name, value in headers.items() if str(name).lower() not in _OURS]
    if not any(name.lower() == "content-type" for name, _ in sent):
        sent.append(("Content-Type", content_type))
    return Response(status, (*sent, *(("Set-Cookie", _line(cookie)) for cookie in cookies)))


class Prelude:
    """The first bytes of a stream that describes its response before its body."""

    def __init__(self) -> None:
        self._bytes = b""

    def feed(self, piece: bytes) -> tuple[Response, bytes] | None:
        """The head, and what of the body has come already; None while the head is incomplete.

        Raises:
            BadResult: this is no head.
        """
        self._bytes += piece
        text, end, rest = self._bytes.partition(_PRELUDE_END)
        if not end:
            if len(self._bytes) > _MAX_PRELUDE_BYTES:
                raise BadResult("the stream does not begin with a response's head")
            return None
        try:
            described = json_of(text)
        except ValueError:
            raise BadResult("the stream does not begin with a response's head") from None
        if not isinstance(described, dict):
            raise BadResult("the stream does not begin with a response's head")
        return head_of(described, "application/octet-stream"), rest


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _line(value: Any) -> str:
    text = _text(value)
    if any(ord(character) < 32 and character != "\t" for character in text):
        raise BadResult("a header's value must be one line")
    return text

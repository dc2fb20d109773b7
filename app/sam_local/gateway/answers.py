"""From what a function returned to what its client gets. Pure.

Source: API Gateway developer guide, "Output format of a Lambda function for proxy integration" and "Lambda function
response for format 2.0".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.sam_local.gateway.match import NoMatch
from app.sam_local.gateway.media import essence, matches_any
from app.sam_local.gateway.messages import Outgoing, Pairs, json_answer

_REST_KEYS = frozenset(("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies"))
_JSON = "application/json"

REST_ERROR = json_answer(502, '{"message": "Internal server error"}')
HTTP_ERROR = json_answer(500, '{"message":"Internal Server Error"}')
REST_TIMEOUT = json_answer(504, '{"message": "Endpoint request timed out"}')
HTTP_TIMEOUT = json_answer(503, '{"message":"Service Unavailable"}')
THROTTLED = json_answer(429, '{"message":"Too Many Requests"}')


class Malformed(Exception):
    """The function's answer cannot be given to a client; the text says why."""


def no_route(missing: NoMatch) -> Outgoing:
    """REST: 403, as for any URL that no resource has; HTTP: 404."""
    if missing.api is not None and missing.api.kind == "rest":
        kind = ("x-amzn-ErrorType", "MissingAuthenticationTokenException")
        return json_answer(403, '{"message":"Missing Authentication Token"}', (kind,))
    return json_answer(404, '{"message":"Not Found"}')


def rest_answer(payload: bytes, accept: str, binary_types: Sequence[str]) -> Outgoing:
    """The answer of a REST API. Base64 is decoded only when the API treats what the client accepts as binary.

    Raises:
        Malformed: not {statusCode, headers, multiValueHeaders, body, isBase64Encoded}.
    """
    data = _parsed(payload)
    if not isinstance(data, dict):
        raise Malformed("the response is no object with statusCode and body")
    unknown = sorted(data.keys() - _REST_KEYS)
    if unknown:
        raise Malformed(f"the response has keys that API Gateway does not know: {', '.join(unknown)}")
    body = data.get("body")
    if body is not None and not isinstance(body, str):
        raise Malformed("the response's body is no text")
    headers = _headers(data)
    first = essence(accept.partition(",")[0]) or "*/*"
    decoded = data.get("isBase64Encoded") is True and (
        matches_any(first, binary_types) or matches_any(_header(headers, "content-type"), binary_types)
    )
    raw = _decoded(body or "") if decoded else (body or "").encode()
    return Outgoing(_status(data.get("statusCode", 200)), _typed(headers), raw)


def http_answer(payload: bytes) -> Outgoing:
    """The answer of an HTTP API in format 2.0: without a statusCode the whole result is the body.

    Raises:
        Malformed: a statusCode, body or header that is none.
    """
    data = _parsed(payload)
    if not isinstance(data, dict) or "statusCode" not in data:
        return Outgoing(200, (("Content-Type", _JSON),), payload)
    body = data.get("body")
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body, separators=(",", ":"))
    raw = _decoded(text) if data.get("isBase64Encoded") is True else text.encode()
    cookies = data.get("cookies") or []
    if not isinstance(cookies, list):
        raise Malformed("the response's cookies are no list")
    set_cookies = tuple(("Set-Cookie", str(cookie)) for cookie in cookies)
    return Outgoing(_status(data["statusCode"]), (*_typed(_headers(data)), *set_cookies), raw)


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        raise Malformed("the response is no JSON") from None


def _status(value: Any) -> int:
    if value is None:
        return 200
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or not 100 <= int(text) <= 599:
        raise Malformed(f"the response's statusCode is {value!r}")
    return int(text)


def _headers(data: Mapping[str, Any]) -> Pairs:
    """Both kinds of headers together; for a name in both, those with several values count."""
    single, several = (
        {} if data.get(key) is None else data[key] for key in ("headers", "multiValueHeaders")
    )  # fmt: skip
    if not isinstance(single, Mapping) or not isinstance(several, Mapping):
        raise Malformed("the response's headers are no object")
    names = {name.lower() for name in several}
    found = [(name, _text(value)) for name, value in single.items() if name.lower() not in names]
    for name, values in several.items():
        if not isinstance(values, list):
            raise Malformed(f"the response's multiValueHeaders.{name} is no list")
        found += [(name, _text(value)) for value in values]
    return tuple((name, value) for name, value in found if value is not None)


def _text(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, (dict, list)):
        raise Malformed("a header of the response is no text")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise Malformed("a header of the response has a line break")
    return text


def _header(headers: Pairs, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _typed(headers: Pairs) -> Pairs:
    """With a Content-Type, and without what describes the connection to the function."""
    kept = tuple(
        pair for pair in headers if pair[0].lower() not in ("content-length", "transfer-encoding", "connection")
    )
    return kept if _header(kept, "content-type") else (("Content-Type", _JSON), *kept)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("the response's body is not base64 although isBase64Encoded says so") from None

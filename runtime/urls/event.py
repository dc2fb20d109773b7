"""The event that a function is given for a request to its URL: payload format 2.0. Pure.

Source: reference §13, "URL event", and Lambda's "Invoking Lambda function URLs".
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from runtime.http import Request

Event = dict[str, Any]
_TEXTS = (
    "application/json", "application/javascript", "application/xml", "application/x-ndjson", "application/graphql",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a URL."""

    url_id: str
    request_id: str
    trace_id: str
    at: datetime
    account: str = "anonymous"
    """The caller's account; `anonymous` when the URL asks for no signature."""
    iam: Mapping[str, Any] | None = None
    """Who signed, as `requestContext.authorizer.iam` tells it."""


def event_of(request: Request, visit: Visit) -> Event:
    """The event; members that have nothing to say are left out."""
    headers = dict(request.headers)
    cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
    domain = headers.get("host", "").partition(":")[0]
    source_ip = request.peer[0] if request.peer is not None else "127.0.0.1"
    headers["x-amzn-trace-id"] = visit.trace_id.partition(";")[0]
    headers.setdefault("x-forwarded-for", source_ip)
    headers.setdefault("x-forwarded-proto", "http")
    headers.setdefault("x-forwarded-port", headers.get("host", "").partition(":")[2] or "80")
    event: Event = {"version": "2.0", "routeKey": "$default", "rawPath": request.path, "rawQueryString": request.query}
    if cookies:
        event["cookies"] = cookies
    event["headers"] = headers
    query = _query(request.query)
    if query:
        event["queryStringParameters"] = query
    context: Event = {
        "accountId": visit.account,
        "apiId": visit.url_id,
        "domainName": domain,
        "domainPrefix": visit.url_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": "HTTP/1.1",
            "sourceIp": source_ip,
            "userAgent": headers.get("user-agent"),
        },
        "requestId": visit.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": visit.at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(visit.at.timestamp() * 1000),
    }
    if visit.iam is not None:
        context["authentication"] = None
        context["authorizer"] = {"iam": dict(visit.iam)}
    event["requestContext"] = context
    text, is_base64 = body_of(request.body, headers.get("content-type", ""))
    if request.body:
        event["body"] = text
    event["isBase64Encoded"] = is_base64
    return event


def body_of(body: bytes, content_type: str) -> tuple[str, bool]:
    """The body as JSON can carry it, and whether that is base64: so is whatever its type does not say is text."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body or kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+json", "+xml")):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def _query(text: str) -> dict[str, str]:
    """Parameters, decoded; those that come more than once joined by commas."""
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters

"""The event a function gets for a request. Pure.

Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration" and "Payload format
version" (1.0, 2.0).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from app.sam_local.gateway.match import Match
from app.sam_local.gateway.media import is_text, matches_any
from app.sam_local.gateway.messages import Incoming, all_values, joined, last_values, or_none

_IDENTITY = (
    "cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "accessKey", "cognitoAuthenticationType",
    "cognitoAuthenticationProvider", "userArn", "user",
)  # fmt: skip
_PORTS = {"http": "80", "https": "443"}


def proxy_event(
    incoming: Incoming, match: Match, account: str, authorizer: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The event of the route's payload format; `authorizer` is what the authorizer returned for the function."""
    if match.api.kind == "rest":
        return rest_event(incoming, match, account, authorizer)
    if match.route.payload == "1.0":
        return {"version": "1.0", **_http_1_event(incoming, match, account, authorizer)}
    return http_event(incoming, match, account, authorizer)


def rest_event(
    incoming: Incoming, match: Match, account: str, authorizer: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The event of a REST API. Header names are as sent."""
    api, route = match.api, match.route
    headers = _forwarded(incoming)
    as_base64 = matches_any(incoming.header("content-type"), api.binary_types)
    return {
        "resource": route.path,
        "path": incoming.path,
        "httpMethod": incoming.method,
        "headers": last_values(headers),
        "multiValueHeaders": all_values(headers),
        "queryStringParameters": last_values(incoming.parameters()),
        "multiValueQueryStringParameters": all_values(incoming.parameters()),
        "pathParameters": or_none(match.parameters),
        "stageVariables": or_none(api.variables),
        "requestContext": _context_1(incoming, match, account, authorizer),
        "body": _body(incoming.body, as_base64=as_base64) if incoming.body else None,
        "isBase64Encoded": bool(incoming.body) and as_base64,
    }


def _http_1_event(
    incoming: Incoming, match: Match, account: str, authorizer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """An HTTP API's event in format 1.0: header names are lower case, binary bodies are told by their media type."""
    event = rest_event(incoming, match, account, authorizer)
    headers = [(name.lower(), value) for name, value in _forwarded(incoming)]
    as_base64 = bool(incoming.body) and not is_text(incoming.header("content-type"), incoming.body)
    return {
        **event,
        "headers": last_values(headers),
        "multiValueHeaders": all_values(headers),
        "body": _body(incoming.body, as_base64=as_base64) if incoming.body else None,
        "isBase64Encoded": as_base64,
    }


def http_event(
    incoming: Incoming, match: Match, account: str, authorizer: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The event of an HTTP API in format 2.0."""
    api, route = match.api, match.route
    key = "$default" if route.path == "$default" else f"{route.method} {route.path}"
    event = _event_2(incoming, _staged(api.stage, unquote(incoming.path)), key, api.stage, account, api.logical_id)
    if authorizer is not None:
        event["requestContext"]["authorizer"] = {"lambda": dict(authorizer)}
    for name, values in (("pathParameters", match.parameters), ("stageVariables", api.variables)):
        if values:
            event[name] = dict(values)
    return event


def _event_2(incoming: Incoming, path: str, key: str, stage: str, account: str, api_id: str) -> dict[str, Any]:
    pairs = [(name.lower(), value) for name, value in _forwarded(incoming)]
    cookies = [part.strip() for name, value in pairs if name == "cookie" for part in value.split(";") if part.strip()]
    as_base64 = bool(incoming.body) and not is_text(incoming.header("content-type"), incoming.body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": incoming.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": joined(pair for pair in pairs if pair[0] != "cookie") or {},
        "requestContext": {
            "accountId": account,
            "apiId": api_id,
            "domainName": incoming.host.partition(":")[0],
            "domainPrefix": incoming.host.partition(":")[0].partition(".")[0],
            "http": {
                "method": incoming.method,
                "path": path,
                "protocol": incoming.protocol,
                "sourceIp": incoming.source_ip,
                "userAgent": incoming.header("user-agent"),
            },
            "requestId": incoming.request_id,
            "routeKey": key,
            "stage": stage,
            "time": incoming.at.strftime("%d/%b/%Y:%H:%M:%S %z"),
            "timeEpoch": int(incoming.at.timestamp() * 1000),
        },
        "isBase64Encoded": as_base64,
    }
    parameters = joined(incoming.parameters())
    if parameters:
        event["queryStringParameters"] = parameters
    if incoming.body:
        event["body"] = _body(incoming.body, as_base64=as_base64)
    return event


def _context_1(incoming: Incoming, match: Match, account: str, authorizer: Mapping[str, Any] | None) -> dict[str, Any]:
    api, route = match.api, match.route
    host = incoming.host.partition(":")[0]
    context = {
        "resourceId": "local",
        "resourcePath": route.path,
        "operationName": route.operation or None,
        "httpMethod": incoming.method,
        "extendedRequestId": incoming.request_id,
        "requestTime": incoming.at.strftime("%d/%b/%Y:%H:%M:%S %z"),
        "path": _staged(api.stage, incoming.path),
        "accountId": account,
        "protocol": incoming.protocol,
        "stage": api.stage,
        "domainPrefix": host.partition(".")[0],
        "requestTimeEpoch": int(incoming.at.timestamp() * 1000),
        "requestId": incoming.request_id,
        "identity": {
            **dict.fromkeys(_IDENTITY),
            "sourceIp": incoming.source_ip,
            "userAgent": incoming.header("user-agent") or None,
        },
        "domainName": host,
        "apiId": api.logical_id,
    }
    if not route.operation:
        del context["operationName"]
    if authorizer is not None:
        context["authorizer"] = dict(authorizer)
    return context


def _forwarded(incoming: Incoming) -> list[tuple[str, str]]:
    """The headers with those that API Gateway adds."""
    port = incoming.host.partition(":")[2] or _PORTS.get(incoming.scheme, "")
    names = {name.lower() for name, _ in incoming.headers}
    added = {
        "X-Forwarded-For": incoming.source_ip,
        "X-Forwarded-Port": port,
        "X-Forwarded-Proto": incoming.scheme,
    }
    return [*incoming.headers, *((name, value) for name, value in added.items() if name.lower() not in names)]


def _staged(stage: str, path: str) -> str:
    """The path with the stage before it, as the client of a deployed API would have sent it."""
    return path if stage == "$default" else f"/{stage}{path}"


def _body(body: bytes, *, as_base64: bool) -> str:
    return base64.b64encode(body).decode("ascii") if as_base64 else body.decode("utf-8", "replace")

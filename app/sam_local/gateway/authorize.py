"""Lambda authorizers: what they are asked, and what their answer means. Pure.

Source: API Gateway developer guide, "Use API Gateway Lambda authorizers" (REST) and "Control access to HTTP APIs with
AWS Lambda authorizers". Answers are not cached here, so that a changed authorizer counts at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from app.sam_local.gateway.events import http_event, rest_event
from app.sam_local.gateway.match import Match
from app.sam_local.gateway.messages import Incoming, Outgoing, json_answer
from sam.local.model import Authorizer

_ACTIONS = ("execute-api:Invoke", "execute-api:*", "execute-api:invoke", "*")

UNAUTHORIZED = json_answer(401, '{"message":"Unauthorized"}', (("x-amzn-ErrorType", "UnauthorizedException"),))
REST_FAILED = json_answer(500, '{"message":null}', (("x-amzn-ErrorType", "AuthorizerConfigurationException"),))
_DENIED = json_answer(
    403,
    '{"Message":"User is not authorized to access this resource with an explicit deny"}',
    (("x-amzn-ErrorType", "AccessDeniedException"),),
)
_NOT_ALLOWED = json_answer(
    403,
    '{"Message":"User is not authorized to access this resource"}',
    (("x-amzn-ErrorType", "AccessDeniedException"),),
)
HTTP_FORBIDDEN = json_answer(403, '{"message":"Forbidden"}')
HTTP_FAILED = json_answer(500, '{"message":"Internal Server Error"}')


def method_arn(match: Match, incoming: Incoming, region: str, account: str) -> str:
    """The ARN of what is asked for: `arn:aws:execute-api:…:<api>/<stage>/<METHOD>/<path>`."""
    path = incoming.path.lstrip("/")
    return f"arn:aws:execute-api:{region}:{account}:{match.api.logical_id}/{match.api.stage}/{incoming.method}/{path}"


def identity(authorizer: Authorizer, match: Match, incoming: Incoming) -> list[str] | None:
    """The values of the authorizer's identity sources; None when one is missing or is not what it has to look like."""
    found = [_value(source, match, incoming) for source in authorizer.identity]
    if not all(found):
        return None
    if authorizer.pattern and not all(re.fullmatch(authorizer.pattern, value) for value in found):
        return None
    return found


def question(
    authorizer: Authorizer, match: Match, incoming: Incoming, values: list[str], region: str, account: str
) -> dict[str, Any]:
    """The event for the authorizer's function."""
    arn = method_arn(match, incoming, region, account)
    if authorizer.kind == "TOKEN":
        return {"type": "TOKEN", "authorizationToken": values[0] if values else "", "methodArn": arn}
    if match.api.kind == "http" and authorizer.payload == "2.0":
        event = http_event(incoming, match, account)
        for name in ("body", "isBase64Encoded"):
            event.pop(name, None)
        return {**event, "type": "REQUEST", "routeArn": arn, "identitySource": values or None}
    event = rest_event(incoming, match, account)
    for name in ("body", "isBase64Encoded"):
        event.pop(name)
    if match.api.kind == "http":
        source = ",".join(values)
        event |= {"version": "1.0", "identitySource": source, "authorizationToken": source}
    return {**event, "type": "REQUEST", "methodArn": arn}


def decide(
    authorizer: Authorizer, match: Match, arn: str, payload: bytes, *, failed: bool
) -> Outgoing | dict[str, Any]:
    """What the function is told about the caller, or the answer that refuses the request."""
    refused = REST_FAILED if match.api.kind == "rest" else HTTP_FAILED
    try:
        answer = json.loads(payload)
    except ValueError:
        return refused
    if failed:
        message = answer.get("errorMessage") if isinstance(answer, dict) else ""
        return UNAUTHORIZED if message == "Unauthorized" else refused
    if not isinstance(answer, dict):
        return refused
    if match.api.kind == "http" and authorizer.simple:
        return _simple(answer)
    return _by_policy(answer, match, arn, refused)


def _simple(answer: Mapping[str, Any]) -> Outgoing | dict[str, Any]:
    allowed = answer.get("isAuthorized")
    context = answer.get("context") or {}
    if not isinstance(allowed, bool) or not isinstance(context, dict):
        return HTTP_FAILED
    return dict(context) if allowed else HTTP_FORBIDDEN


def _by_policy(answer: Mapping[str, Any], match: Match, arn: str, refused: Outgoing) -> Outgoing | dict[str, Any]:
    context = answer.get("context") or {}
    effects = _effects(answer.get("policyDocument"), arn)
    if effects is None or not isinstance(context, dict) or not answer.get("principalId"):
        return refused
    rest = match.api.kind == "rest"
    if "Deny" in effects:
        return _DENIED if rest else HTTP_FORBIDDEN
    if "Allow" not in effects:
        return _NOT_ALLOWED if rest else HTTP_FORBIDDEN
    if not rest and match.route.payload == "2.0":
        return dict(context)
    texts = {name: _text(value) for name, value in context.items()}
    return {**texts, "principalId": answer["principalId"], "integrationLatency": 0}


def _effects(document: Any, arn: str) -> set[str] | None:
    """The effects of the statements that are about this request; None for what is no policy."""
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(each, Mapping) for each in statements):
        return None
    return {
        str(statement.get("Effect"))
        for statement in statements
        if any(action in _ACTIONS for action in _listed(statement.get("Action")))
        and any(_covers(resource, arn) for resource in _listed(statement.get("Resource")))
    }


def _covers(pattern: Any, arn: str) -> bool:
    """`*` and `?` stand for any characters, brackets for themselves."""
    return isinstance(pattern, str) and fnmatchcase(arn, pattern.replace("[", "[[]"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _value(source: str, match: Match, incoming: Incoming) -> str:
    place, _, name = source.rpartition(".")
    if place.startswith("$request.header"):
        return incoming.header(name)
    if place.startswith("$request.querystring"):
        return dict(incoming.parameters()).get(name, "")
    if place.startswith("$stageVariables"):
        return match.api.variables.get(name, "")
    context = {
        "httpMethod": incoming.method,
        "path": incoming.path,
        "resourcePath": match.route.path,
        "routeKey": f"{match.route.method} {match.route.path}",
        "stage": match.api.stage,
        "apiId": match.api.logical_id,
        "requestId": incoming.request_id,
        "sourceIp": incoming.source_ip,
        "identity.sourceIp": incoming.source_ip,
        "domainName": incoming.host,
    }
    return context.get(source.removeprefix("$context."), "")


def _text(value: Any) -> Any:
    """REST APIs pass a context's values on as text."""
    return str(value).lower() if isinstance(value, bool) else value if value is None else str(value)

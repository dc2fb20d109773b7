"""Lambda authorizers as SAM, OpenAPI and CloudFormation write them. Pure.

An authorizer that is not a function (Cognito, JWT, IAM) cannot be asked on this machine: it is left out here, and a
route that names it stays unprotected; whoever shows the routes says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sam.local.model import Authorizer
from sam.local.targets import Targets

DEFAULT_IDENTITY = "$request.header.Authorization"


def of_sam(auth: Mapping[str, Any], kind: str, targets: Targets) -> dict[str, Authorizer]:
    """The Authorizers of an Auth section."""
    found = {}
    for name, described in _mapping(auth.get("Authorizers")).items():
        described_ = _mapping(described)
        function = targets.find(described_.get("FunctionArn"))
        if function:
            found[str(name)] = (_rest if kind == "rest" else _http)(str(name), described_, function)
    return found


def of_openapi(name: str, described: Mapping[str, Any], header: str, targets: Targets) -> Authorizer | None:
    """The authorizer of a security scheme; None when it is no function of the template's."""
    function = targets.find(described.get("authorizerUri"))
    if not function:
        return None
    kind = str(described.get("type", "token")).upper()
    source = described.get("identitySource", "")
    sources = source.split(",") if isinstance(source, str) else [str(each) for each in source]
    identity = tuple(_modern(each.strip()) for each in sources if each.strip())
    if kind == "TOKEN":
        identity = (f"$request.header.{header}",)
    return Authorizer(
        name=name,
        kind=kind,
        function=function,
        identity=identity,
        pattern=str(described.get("identityValidationExpression", "")),
        payload=str(described.get("authorizerPayloadFormatVersion", "1.0")),
        simple=described.get("enableSimpleResponses") in (True, "true"),
    )


def of_resource(name: str, properties: Mapping[str, Any], targets: Targets) -> Authorizer | None:
    """AWS::ApiGateway::Authorizer or AWS::ApiGatewayV2::Authorizer; None when it is no function of the template's."""
    function = targets.find(properties.get("AuthorizerUri"))
    if not function:
        return None
    kind = str(properties.get("Type") or properties.get("AuthorizerType") or "REQUEST").upper()
    source = properties.get("IdentitySource", "")
    sources = source.split(",") if isinstance(source, str) else [str(each) for each in source]
    identity = tuple(_modern(each.strip()) for each in sources if each.strip())
    return Authorizer(
        name=name,
        kind=kind,
        function=function,
        identity=identity or ((DEFAULT_IDENTITY,) if kind == "TOKEN" else ()),
        pattern=str(properties.get("IdentityValidationExpression", "")),
        payload=str(properties.get("AuthorizerPayloadFormatVersion", "1.0")),
        simple=properties.get("EnableSimpleResponses") in (True, "true"),
    )


def _rest(name: str, described: Mapping[str, Any], function: str) -> Authorizer:
    identity = _mapping(described.get("Identity"))
    if str(described.get("FunctionPayloadType", "TOKEN")).upper() == "TOKEN":
        header = str(identity.get("Header", "Authorization"))
        pattern = str(identity.get("ValidationExpression", ""))
        return Authorizer(name, "TOKEN", function, (f"$request.header.{header}",), pattern)
    return Authorizer(name, "REQUEST", function, _sources(identity))


def _http(name: str, described: Mapping[str, Any], function: str) -> Authorizer:
    identity = _mapping(described.get("Identity"))
    payload = str(described.get("AuthorizerPayloadFormatVersion", "1.0"))
    simple = described.get("EnableSimpleResponses") in (True, "true")
    return Authorizer(name, "REQUEST", function, _sources(identity), payload=payload, simple=simple)


def _sources(identity: Mapping[str, Any]) -> tuple[str, ...]:
    """Source: SAM LambdaRequestAuthorizationIdentity and HttpApi LambdaAuthorizationIdentity."""
    places = {"Headers": "$request.header", "QueryStrings": "$request.querystring", "StageVariables": "$stageVariables"}
    return tuple(
        f"{place}.{name}"
        for key, place in {**places, "Context": "$context"}.items()
        for name in identity.get(key) or ()
    )


def _modern(source: str) -> str:
    """`method.request.header.X` (REST) as `$request.header.X` (HTTP)."""
    if source.startswith("method.request."):
        return "$" + source.removeprefix("method.")
    return source if source.startswith("$") else "$" + source


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

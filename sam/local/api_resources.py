"""APIs written as plain CloudFormation: AWS::ApiGateway::… and AWS::ApiGatewayV2::… resources. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sam.local import authorizers, openapi
from sam.local.cors import read_cors
from sam.local.model import Api, Authorizer, Route
from sam.local.resolver import LocalResolver
from sam.local.targets import Targets

Resources = Mapping[str, Mapping[str, Any]]
ReadDocument = Callable[[Mapping[str, Any], str, str, tuple[str, ...]], Mapping[str, Any]]

_REST, _HTTP = "AWS::ApiGateway::", "AWS::ApiGatewayV2::"
_MOST_SEGMENTS = 50


def read(resources: Resources, resolver: LocalResolver, targets: Targets, document: ReadDocument) -> list[Api]:
    """Every RestApi and HTTP Api; WebSocket APIs are not served here and left out."""
    reader = _Reader(resources, resolver, targets, document)
    return [*reader.rest(), *reader.http()]


class _Reader:
    def __init__(self, resources: Resources, resolver: LocalResolver, targets: Targets, document: ReadDocument) -> None:
        self._resources = resources
        self._resolver = resolver
        self._targets = targets
        self._document = document

    def rest(self) -> Iterator[Api]:
        """AWS::ApiGateway::RestApi with its Body, Resources, Methods, Authorizers and Stage."""
        for name, properties in self._of(f"{_REST}RestApi"):
            body = self._document(properties, "Body", "BodyS3Location", ("Resources", name, "Properties"))
            declared = openapi.authorizers(body, self._targets) | self._authorizers(_REST, "RestApiId", name)
            stage = self._stage(_REST, "RestApiId", name)
            types = [*openapi.binary_types(body), *_texts(properties.get("BinaryMediaTypes"))]
            yield Api(
                logical_id=name,
                kind="rest",
                stage=str(stage.get("StageName", "Prod")),
                routes=(*openapi.routes(body, self._targets, "rest"), *self._methods(name)),
                authorizers=declared,
                variables=_variables(stage.get("Variables")),
                binary_types=tuple(each.replace("~1", "/") for each in types),
            )

    def http(self) -> Iterator[Api]:
        """AWS::ApiGatewayV2::Api of ProtocolType HTTP with its Body, Routes, Integrations, Authorizers and Stage."""
        for name, properties in self._of(f"{_HTTP}Api"):
            if str(properties.get("ProtocolType", "HTTP")).upper() != "HTTP":
                continue
            body = self._document(properties, "Body", "BodyS3Location", ("Resources", name, "Properties"))
            declared = openapi.authorizers(body, self._targets) | self._authorizers(_HTTP, "ApiId", name)
            stage = self._stage(_HTTP, "ApiId", name)
            routes = [*openapi.routes(body, self._targets, "http"), *self._routes(name)]
            quick = self._targets.find(properties.get("Target"))
            if quick:
                method, path = _route_key(str(properties.get("RouteKey", "$default")))
                routes.append(Route(path, method, quick, "2.0"))
            yield Api(
                logical_id=name,
                kind="http",
                stage=str(stage.get("StageName", "$default")),
                routes=tuple(routes),
                authorizers=declared,
                variables=_variables(stage.get("StageVariables")),
                cors=read_cors(properties.get("CorsConfiguration")) or openapi.cors(body),
            )

    def _of(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(logical id, properties with references resolved, but for API documents)."""
        for name, resource in self._resources.items():
            if resource.get("Type") == kind:
                raw = _mapping(resource.get("Properties"))
                kept = {key: raw[key] for key in ("Body", "BodyS3Location") if key in raw}
                rest = {key: value for key, value in raw.items() if key not in kept}
                path = ("Resources", name, "Properties")
                yield name, {**_mapping(self._resolver.resolve(rest, path)), **kept}

    def _methods(self, api: str) -> Iterator[Route]:
        for _, properties in self._of(f"{_REST}Method"):
            if properties.get("RestApiId") != api:
                continue
            function = self._targets.find(_mapping(properties.get("Integration")).get("Uri"))
            path = self._path(str(properties.get("ResourceId", "root")))
            if function and path:
                method = str(properties.get("HttpMethod", "ANY")).upper()
                yield Route(path, method, function, authorizer=_authorizer(properties))

    def _path(self, resource_id: str) -> str:
        """The path of an AWS::ApiGateway::Resource: its parents' path parts and its own; "" for a circle."""
        parts: list[str] = []
        resources = dict(self._of(f"{_REST}Resource"))
        while resource_id in resources and len(parts) < _MOST_SEGMENTS:
            properties = resources[resource_id]
            parts.insert(0, str(properties.get("PathPart", "")))
            resource_id = str(properties.get("ParentId", "root"))
        return "/" + "/".join(parts) if len(parts) < _MOST_SEGMENTS else ""

    def _routes(self, api: str) -> Iterator[Route]:
        integrations = dict(self._of(f"{_HTTP}Integration"))
        for _, properties in self._of(f"{_HTTP}Route"):
            if properties.get("ApiId") != api:
                continue
            target = str(properties.get("Target", "")).removeprefix("integrations/")
            integration = integrations.get(target, {})
            function = self._targets.find(integration.get("IntegrationUri"))
            if function:
                method, path = _route_key(str(properties.get("RouteKey", "$default")))
                payload = str(integration.get("PayloadFormatVersion", "1.0"))
                timeout_ms = int(integration.get("TimeoutInMillis") or 0)
                yield Route(path, method, function, payload, _authorizer(properties), timeout_ms)

    def _authorizers(self, family: str, key: str, api: str) -> dict[str, Authorizer]:
        found = {}
        for name, properties in self._of(f"{family}Authorizer"):
            if properties.get(key) == api:
                authorizer = authorizers.of_resource(name, properties, self._targets)
                if authorizer is not None:
                    found[name] = authorizer
        return found

    def _stage(self, family: str, key: str, api: str) -> Mapping[str, Any]:
        """The API's first stage; a deployment of a REST API may name one, too."""
        stages = [properties for _, properties in self._of(f"{family}Stage") if properties.get(key) == api]
        deployments = [
            properties for _, properties in self._of(f"{family}Deployment")
            if properties.get(key) == api and "StageName" in properties
        ]  # fmt: skip
        return next(iter([*stages, *deployments]), {})


def _authorizer(properties: Mapping[str, Any]) -> str:
    kind = str(properties.get("AuthorizationType", "NONE")).upper()
    return "" if kind == "NONE" else str(properties.get("AuthorizerId") or kind)


def _route_key(key: str) -> tuple[str, str]:
    """(method, path) of `GET /orders/{id}` or `$default`."""
    method, _, path = key.partition(" ")
    return (method.upper(), path) if path else ("ANY", "$default")


def _variables(value: Any) -> dict[str, str]:
    return {key: str(item) for key, item in _mapping(value).items()}


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

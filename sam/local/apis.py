"""Every API of a template with its routes, whichever way they are written. Pure.

Source: SAM's Api and HttpApi events and resources, API Gateway's OpenAPI extensions, the AWS::ApiGateway and
AWS::ApiGatewayV2 resource types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.document import parse_bytes
from core.errors import InvalidInput
from sam.globals_ import merged
from sam.intrinsics import ABSENT
from sam.local import api_resources, authorizers, openapi
from sam.local.cors import read_cors
from sam.local.model import Api, LocalFunction, Route
from sam.local.resolver import LocalResolver
from sam.local.targets import Targets
from sam.mistakes import Mistakes

Read = Callable[[str], bytes]
Resources = Mapping[str, Mapping[str, Any]]

REST, HTTP = "rest", "http"
_SERVERLESS = {"AWS::Serverless::Api": REST, "AWS::Serverless::HttpApi": HTTP}
_IMPLICIT = {REST: "ServerlessRestApi", HTTP: "ServerlessHttpApi"}
_STAGES = {REST: "Prod", HTTP: "$default"}
_EVENTS = {"Api": (REST, "RestApiId"), "HttpApi": (HTTP, "ApiId")}
_OPEN = ("NONE", "")


def read_apis(
    data: Mapping[str, Any],
    resources: Resources,
    functions: Sequence[LocalFunction],
    resolver: LocalResolver,
    mistakes: Mistakes,
    read: Read,
) -> tuple[Api, ...]:
    """The APIs in the order of the file, the implicit ones last; an API without routes is left out."""
    targets = Targets(functions)
    reader = _Reader(data, resources, resolver, mistakes, read, targets)
    found = reader.serverless()
    found += api_resources.read(resources, resolver, targets, reader.document)
    return tuple(api for api in found if api.routes)


class _Reader:
    """Reads the serverless types; what every part of it needs."""

    def __init__(
        self,
        data: Mapping[str, Any],
        resources: Resources,
        resolver: LocalResolver,
        mistakes: Mistakes,
        read: Read,
        targets: Targets,
    ) -> None:
        self._globals = _mapping(data.get("Globals"))
        self._resources = resources
        self._resolver = resolver
        self._mistakes = mistakes
        self._read = read
        self._targets = targets

    def serverless(self) -> list[Api]:
        """AWS::Serverless::Api, AWS::Serverless::HttpApi, and the implicit ones."""
        apis: dict[str, Api] = {}
        for name, resource in self._resources.items():
            kind = _SERVERLESS.get(str(resource.get("Type")))
            if kind is not None:
                apis[name] = self._api(name, kind, _mapping(resource.get("Properties")))
        for function, event in self._events():
            kind, key = _EVENTS[event["Type"]]
            properties = _mapping(event.get("Properties"))
            name = self._named(properties.get(key), _IMPLICIT[kind])
            if name not in apis:
                if name != _IMPLICIT[kind]:
                    continue  # an API of another type: its routes stand in its own resources
                apis[name] = self._api(name, kind, {})
            apis[name] = self._with(apis[name], function, properties)
        return list(apis.values())

    def document(self, properties: Mapping[str, Any], body: str, uri: str, path: tuple[str, ...]) -> Mapping[str, Any]:
        """The OpenAPI document of an API, from the template or from a file beside it; {} when there is none."""
        if body in properties:
            found = self._resolver.resolve(properties[body], (*path, body))
            transform = _mapping(_mapping(found).get("Fn::Transform"))
            if transform.get("Name") == "AWS::Include":
                return self._included(str(_mapping(transform.get("Parameters")).get("Location", "")), (*path, body))
            return _mapping(found)
        place = self._resolver.resolve(properties.get(uri), (*path, uri)) if uri in properties else None
        return self._included(place, (*path, uri)) if isinstance(place, str) else {}

    def _included(self, name: str, path: tuple[str, ...]) -> Mapping[str, Any]:
        try:
            included = parse_bytes(self._read(name), name, cloudformation=True).data
        except OSError as problem:
            self._mistakes.add(path, f"{name} cannot be read: {problem.strerror or problem}")
        except InvalidInput as problem:
            self._mistakes.add(path, f"{name} cannot be read: {problem}")
        else:
            return _mapping(self._resolver.resolve(included, path))
        return {}

    def _events(self) -> list[tuple[str, Mapping[str, Any]]]:
        """(logical id of the function, event) of every Api and HttpApi event."""
        return [
            (name, event)
            for name, resource in self._resources.items()
            if name in self._targets.functions
            for event in _mapping(_mapping(resource.get("Properties")).get("Events")).values()
            if isinstance(event, Mapping) and event.get("Type") in _EVENTS
        ]

    def _named(self, reference: Any, implicit: str) -> str:
        if reference is None:
            return implicit
        value = self._resolver.resolve(reference, ())
        return value if isinstance(value, str) else implicit

    def _api(self, name: str, kind: str, own: Mapping[str, Any]) -> Api:
        path = ("Resources", name, "Properties")
        section = _mapping(self._globals.get("Api" if kind == REST else "HttpApi"))
        document = self.document(own, "DefinitionBody", "DefinitionUri", path)
        resolved = self._resolver.resolve(
            {key: value for key, value in merged(section, own).items() if not key.startswith("Definition")}, path
        )
        properties = _mapping(resolved)
        stage = properties.get("StageName", ABSENT)
        variables = _mapping(properties.get("Variables") or properties.get("StageVariables"))
        declared = openapi.authorizers(document, self._targets)
        declared |= authorizers.of_sam(_mapping(properties.get("Auth")), kind, self._targets)
        default = str(_mapping(properties.get("Auth")).get("DefaultAuthorizer", ""))
        routes = openapi.routes(document, self._targets, kind)
        types = [*openapi.binary_types(document), *_texts(properties.get("BinaryMediaTypes"))]
        return Api(
            logical_id=name,
            kind=kind,
            stage=stage if isinstance(stage, str) and stage else _STAGES[kind],
            routes=tuple(route if route.authorizer else replace(route, authorizer=default) for route in routes),
            authorizers=declared,
            default_authorizer=default,
            variables={key: str(value) for key, value in variables.items()},
            binary_types=tuple(dict.fromkeys(each.replace("~1", "/") for each in types)),
            cors=read_cors(properties.get("Cors" if kind == REST else "CorsConfiguration")) or openapi.cors(document),
        )

    def _with(self, api: Api, function: str, properties: Mapping[str, Any]) -> Api:
        """The API with the route of one event."""
        resolved = _mapping(self._resolver.resolve(dict(properties), ("Resources", function, "Properties", "Events")))
        path, method = resolved.get("Path"), resolved.get("Method")
        authorizer = str(_mapping(resolved.get("Auth")).get("Authorizer", api.default_authorizer))
        default = "2.0" if api.kind == HTTP else "1.0"
        route = Route(
            path=str(path) if path else "$default",
            method="ANY" if method is None or str(method).lower() in ("any", "x-amazon-apigateway-any-method", "*")
            else str(method).upper(),
            function=function,
            payload=str(resolved.get("PayloadFormatVersion", default)) if api.kind == HTTP else "1.0",
            authorizer="" if authorizer in _OPEN else authorizer,
            timeout_ms=int(resolved.get("TimeoutInMillis") or 0),
        )  # fmt: skip
        return replace(api, routes=(*api.routes, route))


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

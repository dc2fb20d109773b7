"""Routes, authorizers and media types in an OpenAPI document with API Gateway's extensions. Pure.

Source: API Gateway developer guide, OpenAPI extensions (x-amazon-apigateway-…).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sam.local import authorizers as kinds
from sam.local.cors import read_cors
from sam.local.model import Authorizer, Cors, Route
from sam.local.targets import Targets

_PREFIX = "x-amazon-apigateway-"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", f"{_PREFIX}any-method")


def routes(document: Mapping[str, Any], targets: Targets, kind: str) -> list[Route]:
    """The routes whose integration is a function of the template."""
    found = []
    for path, operations in _mapping(document.get("paths")).items():
        for method, operation in _mapping(operations).items():
            if str(method).lower() not in _METHODS or not isinstance(operation, Mapping):
                continue
            integration = _mapping(operation.get(f"{_PREFIX}integration"))
            function = targets.find(integration.get("uri"))
            if not function:
                continue
            payload = str(integration.get("payloadFormatVersion", "1.0")) if kind == "http" else "1.0"
            found.append(
                Route(
                    path=str(path) if str(path) == "$default" else "/" + str(path).strip("/"),
                    method="ANY" if str(method).startswith("x-") else str(method).upper(),
                    function=function,
                    payload=payload,
                    authorizer=_security(operation.get("security", document.get("security"))),
                    timeout_ms=int(integration.get("timeoutInMillis") or 0),
                    operation=str(operation.get("operationId", "")),
                )
            )
    return found


def authorizers(document: Mapping[str, Any], targets: Targets) -> dict[str, Authorizer]:
    """Name → authorizer, of the schemes that are Lambda authorizers of the template's functions."""
    schemes = _mapping(document.get("securityDefinitions"))
    schemes = schemes or _mapping(_mapping(document.get("components")).get("securitySchemes"))
    found = {}
    for name, scheme in schemes.items():
        scheme_ = _mapping(scheme)
        described = _mapping(scheme_.get(f"{_PREFIX}authorizer"))
        header = str(scheme_.get("name", "Authorization"))
        authorizer = kinds.of_openapi(str(name), described, header, targets)
        if authorizer is not None:
            found[str(name)] = authorizer
    return found


def binary_types(document: Mapping[str, Any]) -> list[str]:
    """The media types that travel as base64."""
    types = document.get(f"{_PREFIX}binary-media-types")
    return [str(item) for item in types] if isinstance(types, list) else []


def cors(document: Mapping[str, Any]) -> Cors | None:
    """The CORS configuration of an HTTP API."""
    return read_cors(document.get(f"{_PREFIX}cors"))


def _security(value: Any) -> str:
    """The name of the first scheme a route asks for; "" for none."""
    for each in value if isinstance(value, list) else []:
        for name in _mapping(each):
            return str(name)
    return ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

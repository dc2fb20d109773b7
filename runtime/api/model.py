"""Botocore's service models as tables of operations: which operation a method and a path mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


def load_service(name: str) -> ServiceModel:
    """The model of `name` ("lambda", "cloudwatch") as botocore ships it."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


@dataclass(frozen=True, slots=True)
class Route:
    """One operation's address: an HTTP method and a pattern for the path."""

    operation: str
    method: str
    pattern: re.Pattern[str]
    query: frozenset[str]
    """What the query string must have, wherever in it ("find=LayerVersion"); usually nothing."""


class Routes:
    """The addresses of every operation of a rest-json service."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._by_depth: dict[tuple[str, int], list[Route]] = {}
        self._greedy: list[Route] = []
        for name in model.operation_names:
            self._add(name)

    def _add(self, name: str) -> None:
        http = self._model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        path = path.rstrip("/")
        greedy = "+}" in path
        text = "".join(
            f"(?P<{label.group(1)}>{'.+' if label.group(2) else '[^/]+'})" if label else re.escape(part)
            for part, label in _parts(path)
        )
        route = Route(name, http["method"], re.compile(text), frozenset(filter(None, query.split("&"))))
        if greedy:
            self._greedy.append(route)
        else:
            routes = self._by_depth.setdefault((http["method"], path.count("/")), [])
            routes.append(route)
            # the more an address says, the earlier it is tried
            routes.sort(key=lambda each: (each.pattern.groups, not each.query))

    def match(self, method: str, path: str, query: str = "") -> tuple[OperationModel, Mapping[str, str]] | None:
        """The operation and its decoded path labels; None when the service has none at this address."""
        path, asked = path.rstrip("/"), frozenset(query.split("&"))
        for route in (*self._by_depth.get((method, path.count("/")), ()), *self._greedy):
            if route.method != method or not route.query <= asked:
                continue
            found = route.pattern.fullmatch(path)
            if found is not None:
                labels = {name: unquote(value) for name, value in found.groupdict().items()}
                return self._model.operation_model(route.operation), labels
        return None


def _parts(path: str) -> list[tuple[str, re.Match[str] | None]]:
    """`path` cut into literal text and labels, in order; a label comes with empty text."""
    parts: list[tuple[str, re.Match[str] | None]] = []
    end = 0
    for label in _LABEL.finditer(path):
        parts += [(path[end : label.start()], None), ("", label)]
        end = label.end()
    return [*parts, (path[end:], None)]

"""The operations on tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.api.errors import not_found
from runtime.catalog.store import Catalog
from runtime.names import LATEST, Scope, parse

Parameters = Mapping[str, Any]


class Tags:
    """ListTags, TagResource and UntagResource, for functions."""

    def __init__(self, catalog: Catalog, scope: Scope) -> None:
        self._catalog = catalog
        self._scope = scope

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """The function's tags."""
        return {"Tags": dict(self._catalog.tags(self._function(parameters)))}

    def add(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the tags are added to those there are."""
        name = self._function(parameters)
        self._catalog.save_tags(name, {**self._catalog.tags(name), **parameters["Tags"]})
        return {}

    def remove(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the tags with these keys are gone."""
        name = self._function(parameters)
        gone = set(parameters["TagKeys"])
        self._catalog.save_tags(name, {k: v for k, v in self._catalog.tags(name).items() if k not in gone})
        return {}

    def _function(self, parameters: Parameters) -> str:
        reference = parse(parameters["Resource"], self._scope)
        if self._catalog.version(reference.name, LATEST) is None:
            raise not_found(parameters["Resource"])
        return reference.name

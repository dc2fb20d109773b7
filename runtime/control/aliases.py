"""The operations on aliases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.ids import Ids
from runtime.api.errors import ApiError, conflict, invalid, not_found
from runtime.catalog.records import Alias
from runtime.catalog.store import Catalog
from runtime.control import alias_rules
from runtime.control.paging import page
from runtime.control.states import check_revision
from runtime.names import LATEST, Scope, is_version, parse

Parameters = Mapping[str, Any]


class Aliases:
    """CreateAlias, GetAlias, UpdateAlias, DeleteAlias and ListAliases."""

    def __init__(self, catalog: Catalog, scope: Scope, ids: Ids) -> None:
        self._catalog = catalog
        self._scope = scope
        self._ids = ids

    def create(self, parameters: Parameters) -> dict[str, Any]:
        """The new alias."""
        function, name = self._function(parameters), parameters["Name"]
        if is_version(name):
            raise invalid(f"An alias may not be called {name}")
        if self._catalog.alias(function, name) is not None:
            raise conflict(f"Alias already exists: {self._scope.arn(function, name)}")
        weights = _weights(parameters) or {}
        self._check(function, parameters["FunctionVersion"], weights)
        alias = Alias(
            function=function,
            name=name,
            version=parameters["FunctionVersion"],
            description=parameters.get("Description", ""),
            revision_id=self._ids.uuid(),
            weights=weights,
        )
        self._catalog.save_alias(alias)
        return self._shown(alias)

    def get(self, parameters: Parameters) -> dict[str, Any]:
        """The alias."""
        return self._shown(self._existing(parameters))

    def update(self, parameters: Parameters) -> dict[str, Any]:
        """The alias after the change; what is not named stays, an empty map of weights clears them."""
        alias = self._existing(parameters)
        check_revision(parameters.get("RevisionId"), alias.revision_id)
        weights = _weights(parameters)
        changed = replace(
            alias,
            version=parameters.get("FunctionVersion", alias.version),
            description=parameters.get("Description", alias.description),
            weights=alias.weights if weights is None else weights,
            revision_id=self._ids.uuid(),
        )
        self._check(changed.function, changed.version, changed.weights)
        self._catalog.save_alias(changed)
        return self._shown(changed)

    def delete(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; an alias that does not exist is no error (Source: Lambda's DeleteAlias answers 204 again)."""
        self._catalog.delete_alias(self._function(parameters), parameters["Name"])
        return {}

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """One page of the function's aliases, or of those that reach FunctionVersion."""
        function, version = self._function(parameters), parameters.get("FunctionVersion")
        found = [
            alias
            for alias in self._catalog.aliases(function)
            if version is None or version == alias.version or version in alias.weights
        ]
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"))
        return {"Aliases": [self._shown(alias) for alias in shown], "NextMarker": following}

    def _function(self, parameters: Parameters) -> str:
        reference = parse(parameters["FunctionName"], self._scope)
        if self._catalog.version(reference.name, LATEST) is None:
            raise not_found(self._scope.arn(reference.name))
        return reference.name

    def _existing(self, parameters: Parameters) -> Alias:
        reference = parse(parameters["FunctionName"], self._scope)
        alias = self._catalog.alias(reference.name, parameters["Name"])
        if alias is None:
            arn = self._scope.arn(reference.name, parameters["Name"])
            raise ApiError("ResourceNotFoundException", f"Cannot find alias arn: {arn}")
        return alias

    def _check(self, function: str, version: str, weights: Mapping[str, float]) -> None:
        alias_rules.check(
            function, version, weights, lambda number: self._catalog.version(function, number), self._scope
        )

    def _shown(self, alias: Alias) -> dict[str, Any]:
        return {
            "AliasArn": self._scope.arn(alias.function, alias.name),
            "Name": alias.name,
            "FunctionVersion": alias.version,
            "Description": alias.description,
            "RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)} if alias.weights else None,
            "RevisionId": alias.revision_id,
        }


def _weights(parameters: Parameters) -> dict[str, float] | None:
    """The weights the request names; None when it says nothing about routing."""
    routing = parameters.get("RoutingConfig")
    return None if routing is None else dict(routing.get("AdditionalVersionWeights", {}))

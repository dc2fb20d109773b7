"""Which function, version or alias a request means, when it exists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.api.errors import not_found
from runtime.catalog.store import Catalog
from runtime.names import LATEST, Reference, Scope, parse

Parameters = Mapping[str, Any]


def existing(catalog: Catalog, scope: Scope, parameters: Parameters) -> Reference:
    """The function that FunctionName (and Qualifier) name: it exists, and so does the version or alias.

    Raises:
        ApiError: ResourceNotFoundException; what `parse` raises.
    """
    reference = parse(parameters["FunctionName"], scope, parameters.get("Qualifier") or None)
    name, qualifier = reference.name, reference.qualifier
    known = catalog.version(name, qualifier or LATEST) is not None
    if not known and (qualifier is None or catalog.alias(name, qualifier) is None):
        raise not_found(scope.arn(name, qualifier))
    return reference


def existing_function(catalog: Catalog, scope: Scope, parameters: Parameters) -> str:
    """The name of the function that FunctionName names, whatever qualifier comes with it.

    Raises:
        ApiError: ResourceNotFoundException; what `parse` raises.
    """
    name = parse(parameters["FunctionName"], scope).name
    if catalog.version(name, LATEST) is None:
        raise not_found(scope.arn(name))
    return name

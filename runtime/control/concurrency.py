"""The operations on reserved concurrency, and the account's limits and use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runtime.catalog.documents import LayerVersion, ProvisionedConcurrency, ReservedConcurrency
from runtime.catalog.records import Alias
from runtime.catalog.store import Catalog
from runtime.control.concurrency_rules import Shares, check_reserve, wanted_environments
from runtime.control.layer_rules import MAX_UNZIPPED_BYTES
from runtime.control.lookup import existing_function
from runtime.names import Scope

Parameters = Mapping[str, Any]
_TOTAL_CODE_BYTES = 300 * 1024**3
_ZIPPED_BYTES = 50 * 1024**2


def shares(catalog: Catalog, limit: int) -> Shares:
    """How `limit` is divided now."""
    provisioned: dict[str, int] = {}
    for each in catalog.all(ProvisionedConcurrency):
        provisioned[each.function] = provisioned.get(each.function, 0) + each.requested
    reserved = {each.function: each.executions for each in catalog.all(ReservedConcurrency)}
    return Shares(limit, reserved, provisioned)


def ready_ahead(catalog: Catalog) -> dict[tuple[str, str], int]:
    """(function, version) to how many environments are to be ready ahead of time now."""
    asked = catalog.all(ProvisionedConcurrency)
    return wanted_environments(asked, aliases_of(catalog, asked))


def aliases_of(catalog: Catalog, asked: Iterable[ProvisionedConcurrency]) -> dict[tuple[str, str], Alias]:
    """The aliases among the qualifiers of `asked`, by function and name."""
    found = [catalog.alias(each.function, each.qualifier) for each in asked]
    return {(alias.function, alias.name): alias for alias in found if alias is not None}


class Concurrency:
    """PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency, GetAccountSettings."""

    def __init__(self, catalog: Catalog, scope: Scope, limit: int) -> None:
        self._catalog = catalog
        self._scope = scope
        self._limit = limit

    def put(self, parameters: Parameters) -> dict[str, Any]:
        """What the function has reserved now."""
        name = existing_function(self._catalog, self._scope, parameters)
        wanted: int = parameters["ReservedConcurrentExecutions"]
        check_reserve(shares(self._catalog, self._limit), name, wanted)
        self._catalog.put(ReservedConcurrency(name, wanted))
        return {"ReservedConcurrentExecutions": wanted}

    def get(self, parameters: Parameters) -> dict[str, Any]:
        """What the function has reserved; empty when nothing."""
        name = existing_function(self._catalog, self._scope, parameters)
        return {"ReservedConcurrentExecutions": self._catalog.reserved(name)}

    def delete(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; the function shares with the others again."""
        name = existing_function(self._catalog, self._scope, parameters)
        self._catalog.remove(ReservedConcurrency, name)
        return {}

    def account_settings(self, _: Parameters) -> dict[str, Any]:
        """The account's limits, and what of them is used. Source: reference §8."""
        versions, layers = self._catalog.all_versions(), self._catalog.all(LayerVersion)
        used = sum(each.code_size for each in versions) + sum(each.code_size for each in layers)
        return {
            "AccountLimit": {
                "TotalCodeSize": _TOTAL_CODE_BYTES,
                "CodeSizeUnzipped": MAX_UNZIPPED_BYTES,
                "CodeSizeZipped": _ZIPPED_BYTES,
                "ConcurrentExecutions": self._limit,
                "UnreservedConcurrentExecutions": shares(self._catalog, self._limit).unreserved,
            },
            "AccountUsage": {"TotalCodeSize": used, "FunctionCount": len(self._catalog.function_names())},
        }

"""The operations on provisioned concurrency, and what keeps the environments as many as were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.clock import Clock
from runtime.api.errors import ApiError, conflict, invalid
from runtime.catalog.documents import ProvisionedConcurrency
from runtime.catalog.records import FunctionVersion, State
from runtime.catalog.store import Catalog, Change
from runtime.control.concurrency import aliases_of, ready_ahead, shares
from runtime.control.concurrency_rules import check_provision, wanted_environments
from runtime.control.lookup import existing, existing_function
from runtime.control.paging import page
from runtime.control.stamps import stamp
from runtime.names import LATEST, Reference, Scope

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far the environments of one version are that are to be ready ahead of time."""

    allocated: int = 0
    """Started, ready or not."""
    available: int = 0
    """Ready, whether they are busy or not."""
    failure: str = ""
    """Why there are not as many as were asked for, when that will not change by itself; else empty."""


class Provisioner(Protocol):
    """Who keeps environments ready."""

    def provision(self, version: FunctionVersion, count: int) -> None:
        """From now on `count` environments of that version are ready ahead of time; 0: none has to be."""
        ...

    def provisioned(self, name: str, version: str) -> Readiness:
        """How far that is."""
        ...


class Provisioned:
    """The four operations."""

    def __init__(self, catalog: Catalog, scope: Scope, clock: Clock, limit: int, provisioner: Provisioner) -> None:
        self._catalog = catalog
        self._scope = scope
        self._clock = clock
        self._limit = limit
        self._provisioner = provisioner

    def put(self, parameters: Parameters) -> dict[str, Any]:
        """What was asked for, and how far it is."""
        reference = self._provisionable(parameters)
        wanted: int = parameters["ProvisionedConcurrentExecutions"]
        qualifier = reference.qualifier or ""
        known = self._catalog.provisioned(reference.name, qualifier)
        before = 0 if known is None else known.requested
        check_provision(shares(self._catalog, self._limit), reference.name, wanted, before)
        asked = ProvisionedConcurrency(reference.name, qualifier, wanted, stamp(self._clock.now()))
        self._catalog.put(asked)
        return self._shown(asked)

    def get(self, parameters: Parameters) -> dict[str, Any]:
        """What was asked for, and how far it is."""
        return self._shown(self._asked(parameters))

    def delete(self, parameters: Parameters) -> dict[str, Any]:
        """Nothing; no environment has to be ready ahead of time."""
        reference = existing(self._catalog, self._scope, parameters)
        self._catalog.remove(ProvisionedConcurrency, reference.name, reference.qualifier or "")
        return {}

    def list_(self, parameters: Parameters) -> dict[str, Any]:
        """One page of the function's configurations."""
        name = existing_function(self._catalog, self._scope, parameters)
        found = self._catalog.of(ProvisionedConcurrency, name)
        shown, following = page(found, parameters.get("Marker"), parameters.get("MaxItems"))
        listed = [{**self._shown(each), "FunctionArn": self._scope.arn(name, each.qualifier)} for each in shown]
        return {"ProvisionedConcurrencyConfigs": listed, "NextMarker": following}

    def _asked(self, parameters: Parameters) -> ProvisionedConcurrency:
        reference = existing(self._catalog, self._scope, parameters)
        asked = self._catalog.provisioned(reference.name, reference.qualifier or "")
        if asked is None:
            raise ApiError(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
            )
        return asked

    def _provisionable(self, parameters: Parameters) -> Reference:
        reference = existing(self._catalog, self._scope, parameters)
        name, qualifier = reference.name, reference.qualifier
        if qualifier in {None, LATEST}:
            raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        alias = self._catalog.alias(name, qualifier or "")
        if alias is not None and alias.version == LATEST:
            raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        if alias is not None and alias.weights:
            raise invalid("Provisioned Concurrency cannot be changed on an alias while it has a routing configuration.")
        version = alias.version if alias is not None else qualifier or ""
        self._check_no_snapshots(name, version)
        for other in self._catalog.of(ProvisionedConcurrency, name):
            if other.qualifier != qualifier and self._points_at(other, version):
                raise conflict(
                    f"Provisioned Concurrency is already configured for version {version} through {other.qualifier}."
                )
        return reference

    def _check_no_snapshots(self, name: str, number: str) -> None:
        """Source: reference §16, SnapStart "not with provisioned concurrency"."""
        version = self._catalog.version(name, number)
        if version is not None and version.settings.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
            raise invalid("Provisioned Concurrency is not supported for SnapStart enabled functions.")

    def _points_at(self, asked: ProvisionedConcurrency, version: str) -> bool:
        alias = self._catalog.alias(asked.function, asked.qualifier)
        return version == (asked.qualifier if alias is None else alias.version)

    def _shown(self, asked: ProvisionedConcurrency) -> dict[str, Any]:
        """As AWS shows it. The parts of a weighted alias are added up."""
        counts = wanted_environments([asked], aliases_of(self._catalog, [asked]))
        parts = [self._provisioner.provisioned(name, version) for name, version in counts]
        failure = next((part.failure for part in parts if part.failure), "")
        available = min(asked.requested, sum(part.available for part in parts))
        allocated = min(asked.requested, sum(part.allocated for part in parts))
        ready = "READY" if available >= asked.requested else "IN_PROGRESS"
        return {
            "RequestedProvisionedConcurrentExecutions": asked.requested,
            "AvailableProvisionedConcurrentExecutions": available,
            "AllocatedProvisionedConcurrentExecutions": allocated,
            "Status": "FAILED" if failure and ready != "READY" else ready,
            "StatusReason": failure or None,
            "LastModified": asked.last_modified,
        }


class Provisioning:
    """Tells the provisioner what to keep ready, now and whenever the catalog changes."""

    def __init__(self, catalog: Catalog, provisioner: Provisioner) -> None:
        self._catalog = catalog
        self._provisioner = provisioner
        self._told: dict[tuple[str, str], int] = {}

    def start(self) -> None:
        """Follow the catalog from what it has now on."""
        self._catalog.on_change(self._changed)
        self._tell()

    def _changed(self, change: Change) -> None:
        if change.kind in {ProvisionedConcurrency.KIND, "alias", "function"}:
            self._tell()

    def _tell(self) -> None:
        wanted = ready_ahead(self._catalog)
        for name, number in {*wanted, *self._told}:
            version = self._catalog.version(name, number)
            count = wanted.get((name, number), 0)
            if version is None:
                self._told.pop((name, number), None)
            elif version.state is State.ACTIVE and self._told.get((name, number), 0) != count:
                self._told[name, number] = count
                self._provisioner.provision(version, count)

"""The control plane put together: every part that answers operations of the Lambda API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.clock import Clock
from core.ids import Ids
from runtime.catalog.code import CodeStore
from runtime.catalog.store import Catalog
from runtime.control.aliases import Aliases
from runtime.control.concurrency import Concurrency
from runtime.control.event_configs import EventConfigs
from runtime.control.event_sources import EventSources
from runtime.control.extras import Extras
from runtime.control.functions import Functions
from runtime.control.images import Images
from runtime.control.layers import Layers
from runtime.control.mappings import Mappings
from runtime.control.permissions import Permissions
from runtime.control.provisioned import Provisioned, Provisioner
from runtime.control.settling import Settling
from runtime.control.sources import Aws, Sources
from runtime.control.tags import Tags
from runtime.control.urls import Address, Urls
from runtime.control.versions import Versions
from runtime.names import Scope


@dataclass(frozen=True, slots=True)
class Ground:
    """What the control plane stands on."""

    catalog: Catalog
    code: CodeStore
    aws: Aws
    scope: Scope
    clock: Clock
    ids: Ids
    runtimes: frozenset[str]
    """The identifiers AWS knows."""
    concurrency: int
    """The account's limit."""
    url_address: Address
    """Where a function URL leads to."""
    provisioner: Provisioner
    settling: Settling
    on_delete: Callable[[str], None]
    """Told the name of a function that, or of which a version, was deleted."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One part for each group of operations."""

    functions: Functions
    versions: Versions
    aliases: Aliases
    layers: Layers
    tags: Tags
    permissions: Permissions
    concurrency: Concurrency
    provisioned: Provisioned
    event_configs: EventConfigs
    mappings: Mappings
    urls: Urls
    extras: Extras


def plane(ground: Ground) -> Plane:
    """The parts, on `ground`."""
    catalog, scope, clock, ids = ground.catalog, ground.scope, ground.clock, ground.ids
    sources = Sources(ground.code, ground.aws)
    layers = Layers(catalog, ground.code, sources, scope, clock, ids)
    versions = Versions(catalog, scope, ids)
    functions = Functions(
        catalog, ground.code, sources, Images(), layers, versions, scope, clock, ids, ground.runtimes,
        ground.settling, ground.on_delete,
    )  # fmt: skip
    return Plane(
        functions=functions,
        versions=versions,
        aliases=Aliases(catalog, scope, ids),
        layers=layers,
        tags=Tags(catalog, scope),
        permissions=Permissions(catalog, scope, ids),
        concurrency=Concurrency(catalog, scope, ground.concurrency),
        provisioned=Provisioned(catalog, scope, clock, ground.concurrency, ground.provisioner),
        event_configs=EventConfigs(catalog, scope, clock),
        mappings=Mappings(catalog, EventSources(ground.aws, scope), scope, clock, ids),
        urls=Urls(catalog, scope, clock, ids, ground.url_address),
        extras=Extras(catalog, scope),
    )

"""Which version an invocation runs: a fixed one, or a draw between an alias's two. Pure but for the draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runtime.catalog.records import Alias
from runtime.catalog.store import Catalog
from runtime.names import LATEST, Reference

Draw = Callable[[], float]
"""A number from 0.0 (included) to 1.0 (excluded)."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where invocations of one reference go."""

    function: str
    resource: str
    """As metrics name it: `orders`, `orders:live`, `orders:3`."""
    version: str
    additional: str = ""
    weight: float = 0.0
    by_alias: bool = False

    def choose(self, draw: Draw) -> str:
        """The version for one invocation: independent of all others. Source: reference §10, "Choice"."""
        if self.additional and draw() < self.weight:
            return self.additional
        return self.version


def of_alias(alias: Alias) -> Route:
    """The route through an alias."""
    additional, weight = next(iter(alias.weights.items()), ("", 0.0))
    return Route(alias.function, f"{alias.function}:{alias.name}", alias.version, additional, weight, by_alias=True)


def resolve(catalog: Catalog, reference: Reference) -> Route | None:
    """The route of `reference`; None when there is no such function, version or alias."""
    name, qualifier = reference.name, reference.qualifier
    if qualifier is None:
        return Route(name, name, LATEST) if catalog.version(name, LATEST) is not None else None
    if catalog.version(name, qualifier) is not None:
        return Route(name, f"{name}:{qualifier}", qualifier)
    alias = catalog.alias(name, qualifier)
    return of_alias(alias) if alias is not None else None

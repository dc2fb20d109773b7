"""How the account's concurrency is divided among functions. Pure. Source: reference §9."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runtime.api.errors import invalid
from runtime.catalog.documents import ProvisionedConcurrency
from runtime.catalog.records import Alias

UNRESERVED_MINIMUM = 100


@dataclass(frozen=True, slots=True)
class Shares:
    """What functions have taken out of the account's `limit`."""

    limit: int
    reserved: Mapping[str, int]
    """By function."""
    provisioned: Mapping[str, int]
    """By function, over all its versions and aliases."""

    @property
    def unreserved(self) -> int:
        """What all other functions share. Provisioned concurrency of a function that reserved some is part of that."""
        outside = sum(count for name, count in self.provisioned.items() if name not in self.reserved)
        return self.limit - sum(self.reserved.values()) - outside


def check_reserve(shares: Shares, function: str, wanted: int) -> None:
    """Nothing when `function` may reserve `wanted`.

    Raises:
        ApiError: too little would be left for the others, or less than it has provisioned.
    """
    before = shares.reserved.get(function, shares.provisioned.get(function, 0))
    left = shares.unreserved + before - wanted
    if wanted > before and left < UNRESERVED_MINIMUM:
        raise _too_little_left("ReservedConcurrentExecutions")
    if wanted < shares.provisioned.get(function, 0):
        raise invalid(
            "Specified ReservedConcurrentExecutions for function is less than the function's provisioned concurrency."
        )


def check_provision(shares: Shares, function: str, wanted: int, before: int) -> None:
    """Nothing when `function` may have `wanted` provisioned where it has `before` now.

    Raises:
        ApiError: more than it reserved, or too little would be left for the others.
    """
    total = shares.provisioned.get(function, 0) - before + wanted
    reserved = shares.reserved.get(function)
    if reserved is not None:
        if total > reserved:
            raise invalid(
                "Specified ConcurrentExecutions for function is greater than function's reserved concurrency."
            )
    elif shares.unreserved + before - wanted < UNRESERVED_MINIMUM:
        raise _too_little_left("ConcurrentExecutions")


def wanted_environments(
    asked: Iterable[ProvisionedConcurrency], aliases: Mapping[tuple[str, str], Alias]
) -> dict[tuple[str, str], int]:
    """(function, version) to how many environments are to be ready.

    What was asked for an alias is for the version it points at; while the alias routes to two, they share it by weight.
    """
    wanted: dict[tuple[str, str], int] = {}
    for each in asked:
        for version, count in _spread(each, aliases.get((each.function, each.qualifier))):
            key = (each.function, version)
            wanted[key] = wanted.get(key, 0) + count
    return {key: count for key, count in wanted.items() if count}


def _spread(asked: ProvisionedConcurrency, alias: Alias | None) -> list[tuple[str, int]]:
    if alias is None:
        return [(asked.qualifier, asked.requested)]
    if not alias.weights:
        return [(alias.version, asked.requested)]
    additional, weight = next(iter(alias.weights.items()))
    share = math.ceil(asked.requested * weight)
    return [(alias.version, asked.requested - share), (additional, share)]


def _too_little_left(what: str) -> Exception:
    return invalid(
        f"Specified {what} for function decreases account's UnreservedConcurrentExecution below its minimum value of "
        f"[{UNRESERVED_MINIMUM}]."
    )

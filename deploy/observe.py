"""Asking the target what is there: one frozen value, nothing decided."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.ports import AliasState, FunctionState, LambdaApi


@dataclass(frozen=True, slots=True)
class Observed:
    """One function on the target: $LATEST (None = no function), its versions oldest first, and one alias."""

    function: FunctionState | None = None
    versions: tuple[FunctionState, ...] = ()
    alias: AliasState | None = None


def observe(service: LambdaApi, function: str, alias: str) -> Observed:
    """What the target says about `function` and its `alias`; an absent function is an empty answer.

    Raises:
        Unavailable, NotAllowed: the target does not answer, or not to us.
    """
    latest = service.function(function)
    if latest is None:
        return Observed()
    return Observed(latest, service.versions(function), service.alias(function, alias))

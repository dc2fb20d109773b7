"""Which provider is which module: one line each, imported when first asked for; plug-ins join by entry point."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import cast

from core.errors import NotFound, PenstockError
from stages.base import ActionType, Dependencies, Provider, ProviderModule

ENTRY_POINTS = "penstock.providers"

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "CodeBuild": "stages.build.provider",
        "CodeDeploy": "stages.release",
        "Commands": "stages.commands",
        "Git": "stages.source.git",
        "LambdaTest": "stages.local_test.provider",
        "Manual": "stages.approval",
    }
)


def names() -> list[str]:
    """Every provider there is, sorted: ours and those of installed plug-ins."""
    return sorted({*PROVIDERS, *_plugins()})


def action_type(provider: str) -> ActionType | None:
    """The action type of `provider`, None when there is no such provider.

    Raises:
        PenstockError: a plug-in of that name is installed but cannot be loaded.
    """
    module = _module(provider)
    return module.ACTION_TYPE if module else None


def create(provider: str, dependencies: Dependencies) -> Provider:
    """The provider, ready to work.

    Raises:
        NotFound: there is no such provider.
        PenstockError: its plug-in cannot be loaded.
    """
    module = _module(provider)
    if module is None:
        raise NotFound(f"there is no provider '{provider}'", hint=f"use one of {', '.join(names())}")
    return module.create(dependencies)


@functools.cache
def _module(provider: str) -> ProviderModule | None:
    if provider in PROVIDERS:
        return cast(ProviderModule, importlib.import_module(PROVIDERS[provider]))
    place = _plugins().get(provider)
    return _load_plugin(provider, place) if place else None


@functools.cache
def _plugins() -> Mapping[str, str]:
    """Provider name → module, of every installed plug-in; a plug-in cannot take the place of a provider of ours."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS) if point.name not in PROVIDERS}


def _load_plugin(provider: str, place: str) -> ProviderModule:
    try:
        module = importlib.import_module(place)
    except Exception as error:
        raise PenstockError(
            f"the plug-in for provider '{provider}' cannot be loaded",
            where=place,
            why=f"{type(error).__name__}: {error}",
            hint="repair or remove the package it comes from",
        ) from error
    missing = [name for name in ("ACTION_TYPE", "create") if not hasattr(module, name)]
    if missing:
        raise PenstockError(
            f"the plug-in for provider '{provider}' is no provider",
            where=place,
            why=f"it lacks {' and '.join(missing)}",
        )
    return cast(ProviderModule, module)

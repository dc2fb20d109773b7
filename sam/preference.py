"""A function's DeploymentPreference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.document import suggest
from sam.globals_ import Properties
from sam.intrinsics import ABSENT, Resolver
from sam.mistakes import Mistakes
from sam.model import DeploymentPreference

_NAME = "DeploymentPreference"
_KEYS = ("Type", "Enabled", "Alarms", "Hooks", "Role", "PassthroughCondition", "TriggerConfigurations")
_HOOKS = ("PreTraffic", "PostTraffic")


def read(properties: Properties, resolver: Resolver, mistakes: Mistakes) -> DeploymentPreference | None:
    """The preference; None when there is none or it is switched off. Source: SAM DeploymentPreference."""
    raw = properties.data.get(_NAME)
    if raw is None:
        return None
    path = properties.path(_NAME)
    if not isinstance(raw, Mapping):
        mistakes.add(path, "DeploymentPreference must be a mapping", "write {Type: Canary10Percent5Minutes}")
        return None
    if raw.get("Enabled", True) is False:
        return None
    for key in raw:
        if key not in _KEYS:
            mistakes.add_key(properties.path(_NAME, key), f"unknown key '{key}'", suggest(key, _KEYS))
    if not properties.data.get("AutoPublishAlias"):
        mistakes.add(path, "'DeploymentPreference' requires AutoPublishAlias property to be specified")
    kind = resolver.resolve(raw.get("Type", ABSENT), properties.path(_NAME, "Type"))
    if not isinstance(kind, str) or not kind:
        mistakes.add(properties.path(_NAME, "Type"), "Type is missing", "give one such as Canary10Percent5Minutes")
        return None
    return DeploymentPreference(
        type=kind,
        alarms=_alarms(raw, properties, resolver, mistakes),
        pre_traffic_hook=_hook(raw, "PreTraffic", properties, resolver, mistakes),
        post_traffic_hook=_hook(raw, "PostTraffic", properties, resolver, mistakes),
    )


def _alarms(raw: Mapping[str, Any], properties: Properties, resolver: Resolver, mistakes: Mistakes) -> tuple[str, ...]:
    path = properties.path(_NAME, "Alarms")
    alarms = resolver.resolve(raw.get("Alarms", []), path)
    if alarms is ABSENT:
        return ()
    if not isinstance(alarms, list) or not all(isinstance(alarm, str) for alarm in alarms):
        mistakes.add(path, "Alarms must be a list of names")
        return ()
    return tuple(alarms)


def _hook(raw: Mapping[str, Any], name: str, properties: Properties, resolver: Resolver, mistakes: Mistakes) -> str:
    path = properties.path(_NAME, "Hooks")
    hooks = raw.get("Hooks", {})
    if not isinstance(hooks, Mapping):
        mistakes.add(path, "Hooks must be a mapping", "write {PreTraffic: function, PostTraffic: function}")
        return ""
    for key in hooks:
        if key not in _HOOKS:
            mistakes.add_key((*path, key), f"unknown key '{key}'", suggest(key, _HOOKS))
    value = resolver.resolve(hooks.get(name, ""), (*path, name))
    if value is not ABSENT and not isinstance(value, str):
        mistakes.add((*path, name), f"{name} must be the name of a function")
    return value if isinstance(value, str) else ""

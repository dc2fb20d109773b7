"""Globals merged into a function's properties, remembering which of the two a value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from core.document import Path

# Source: SAM Globals, supported sections and the function properties that may not stand there
SECTIONS = (
    "Function", "Api", "HttpApi", "WebSocketApi", "SimpleTable", "StateMachine", "LayerVersion", "CapacityProvider",
)  # fmt: skip
NOT_GLOBAL = (
    "Role", "Policies", "FunctionName", "Events", "InlineCode", "ImageUri", "PackageType", "ImageConfig",
    "VersionDescription", "AutoPublishCodeSha256",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Properties:
    """A function's properties after the merge. `path(...)` is where a value stands in the file."""

    data: Mapping[str, Any]
    own: Mapping[str, Any]
    own_path: Path
    global_path: Path

    def path(self, *steps: str | int) -> Path:
        """The place of a value: the function's own where it has one, else the one in Globals."""
        found: Any = self.own
        for step in steps:
            if not isinstance(found, Mapping) or step not in found:
                return (*self.global_path, *steps) if steps and steps[0] in self.data else (*self.own_path, *steps)
            found = found[step]
        return (*self.own_path, *steps)


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Scalars: `own` wins; mappings: merged, `own` wins by key; lists: joined, globals first. Source: SAM Globals."""
    result = dict(shared)
    for key, value in own.items():
        before = result.get(key)
        if _mergeable(value) and _mergeable(before):
            result[key] = merged(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            result[key] = [*before, *value]
        else:
            result[key] = value
    return result


def _mergeable(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether it is a mapping, and not one that stands for an intrinsic function."""
    return isinstance(value, Mapping) and not (len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")))

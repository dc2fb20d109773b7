"""The records of the catalog that every invocation needs: one function version, one alias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Whether a version can be invoked (Source: Lambda's State)."""

    PENDING = "Pending"
    ACTIVE = "Active"
    FAILED = "Failed"


class UpdateStatus(StrEnum):
    """What the last update of a version came to (Source: Lambda's LastUpdateStatus)."""

    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class LayerUse:
    """A layer version as a function uses it: kept with the function, so that it outlives the layer's deletion."""

    arn: str
    code_sha256: str
    """Base64, as in the code store."""
    code_size: int
    unzipped_size: int = 0


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """`$LATEST` or a published version of a function. A published one never changes but for its state."""

    name: str
    version: str
    settings: Mapping[str, Any]
    """Configuration under AWS's names (Runtime, Handler, Role, Timeout, …), defaults filled in."""
    code_sha256: str
    """Base64 of the zip's SHA-256, as AWS shows it; for an image the hexadecimal digest of it, or empty until known."""
    code_size: int
    state: State
    last_update: UpdateStatus
    revision_id: str
    last_modified: str
    state_reason: str = ""
    state_reason_code: str = ""
    last_update_reason: str = ""
    last_update_reason_code: str = ""
    published_digest: str = ""
    """Of what `$LATEST` was when this version was published; decides whether publishing again makes a new one."""
    layers: tuple[LayerUse, ...] = ()
    """In the order they are laid over each other: later ones win. `settings["Layers"]` has their ARNs alone."""
    image_uri: str = ""
    """As given; empty for a zip."""

    @property
    def is_image(self) -> bool:
        """Whether it runs from a container image."""
        return bool(self.image_uri)

    @property
    def packages(self) -> tuple[str, ...]:
        """The digests of every zip in the code store it needs: its code, then its layers in order."""
        code = () if self.is_image else (self.code_sha256,)
        return (*code, *(layer.code_sha256 for layer in self.layers))


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for one version, or for two with a share for the second."""

    function: str
    name: str
    version: str
    description: str
    revision_id: str
    weights: Mapping[str, float] = field(default_factory=dict)
    """Additional version to its share, 0.0 to 1.0: at most one entry."""

"""The records of the catalog: one function version, one alias."""

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
class FunctionVersion:
    """`$LATEST` or a published version of a function. A published one never changes but for its state."""

    name: str
    version: str
    settings: Mapping[str, Any]
    """Configuration under AWS's names (Runtime, Handler, Role, Timeout, …), defaults filled in."""
    code_sha256: str
    """Base64 of the zip's SHA-256, as AWS shows it."""
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

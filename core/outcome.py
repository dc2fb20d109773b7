"""What an action came to. A failing build or test of the user's is a value, never an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Succeeded:
    """Done. `artifacts` maps each output artifact's name to the directory that is to be stored."""

    summary: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The user's work failed: `code` is a stable word (`BuildFailed`), `message` a sentence with the reason."""

    code: str
    message: str
    variables: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The action stopped because it was told to, before its end."""

    message: str


Outcome = Succeeded | Failed | Abandoned

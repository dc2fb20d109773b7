"""What deciding how to run a function starts from. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """The interpreters of this machine."""

    python: str
    """`3.11.7`"""
    node: Path | None = None
    node_version: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that is to be executed."""

    name: str
    """Relative to where it lies: `bootstrap`, `extensions/watcher`."""
    where: str
    """`task` or `layers`."""
    obstacle: str = ""
    """Why it cannot be executed (`permission denied`); empty when it can."""


@dataclass(frozen=True, slots=True)
class Files:
    """What can be executed of a function."""

    bootstraps: tuple[Entry, ...] = ()
    """In the order they are looked for."""
    extensions: tuple[Entry, ...] = ()
    """By name."""

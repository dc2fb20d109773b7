"""What the supervisor of a home wrote down, for whoever asks from outside: is it there, and how is each process."""

from __future__ import annotations

import fcntl
import json
from typing import Any

from app import announce
from app.settings import Settings


def is_supervised(here: Settings) -> bool:
    """Whether a supervisor holds this home's lock."""
    try:
        with (here.run_directory / "supervisor.lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def states(here: Settings) -> dict[str, dict[str, Any]]:
    """How each process is by the supervisor's last words, by name; empty when there are none."""
    try:
        found: dict[str, dict[str, Any]] = json.loads((here.run_directory / "components.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def processes(here: Settings) -> dict[str, object]:
    """The same with each process's URL, as documents show it; empty when no supervisor runs."""
    if not is_supervised(here):
        return {}
    return {name: {**state, "url": url(here, name) or None} for name, state in states(here).items()}


def url(here: Settings, name: str) -> str:
    """Where that process serves; "" when it does not say so."""
    said = announce.read(here.announcement(name))
    return said.url if said is not None else ""

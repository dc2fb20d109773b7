"""What must be true in stories."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.clock import SystemClock
from scripts.workshop import Workshop
from store.database import Database
from store.records import Event

ENDED = ("Succeeded", "Failed", "Stopped", "Cancelled", "Superseded")


def eventually(what: str, condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """`condition()` becomes true within the time."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)


def the_alias_is_wholly_on(workshop: Workshop, version: str) -> None:
    """All of the alias's traffic goes to `version`."""
    found, split = workshop.alias()
    assert (found, dict(split)) == (version, {})


def execution(workshop: Workshop, reference: str) -> dict[str, Any]:
    """The execution as `penstock show` gives it."""
    found: dict[str, Any] = workshop.json("show", reference)
    return found


def it_ends(workshop: Workshop, reference: str, timeout_s: float = 90) -> str:
    """The execution ends within the time; its status."""
    eventually(
        f"execution {reference} ends", lambda: execution(workshop, reference)["status"] in ENDED, timeout_s=timeout_s
    )
    return str(execution(workshop, reference)["status"])


def events(workshop: Workshop, execution_id: str | None = None) -> list[Event]:
    """Every event of the ledger (of one execution), after its chain has been verified."""
    database = Database.open(f"sqlite:///{workshop.home / 'penstock.db'}", clock=SystemClock())
    try:
        with database.snapshot() as snapshot:
            report = snapshot.verify()
            assert report.ok, report
            return snapshot.events(execution_id, limit=100_000)
    finally:
        database.close()


def nothing_is_left_running(workshop: Workshop) -> None:
    """No process of this workshop is alive a moment after `penstock down`."""
    eventually(f"every process of {workshop.home} is gone", lambda: not processes_of(workshop), timeout_s=15)


def processes_of(workshop: Workshop) -> list[str]:
    """The command lines of all living processes that were started for this workshop's home."""
    mark = str(workshop.home).encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes() and (entry / "cmdline").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found

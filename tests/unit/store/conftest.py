"""A fresh store with a declared clock, and holders whose life the test decides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import VirtualClock
from store.database import Database

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def dead() -> set[str]:
    """The holders that are no longer alive; nothing is known of holders that begin with `far`."""
    return set()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'penstock.db'}"


@pytest.fixture
def database(url: str, clock: VirtualClock, dead: set[str]) -> Iterator[Database]:
    def alive(holder: str) -> bool | None:
        return None if holder.startswith("far") else holder not in dead

    database = Database.open(url, clock=clock, alive=alive)
    yield database
    database.close()

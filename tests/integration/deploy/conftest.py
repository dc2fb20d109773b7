"""A world to release in, in memory where the machine has a file system there: these tests write durably, and much."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.releasing import World, a_world

_IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def world() -> Iterator[World]:
    place = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="penstock-test-", dir=place) as home, a_world(Path(home)) as made:
        yield made

"""A small world for the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.clocks import noon
from tests.fakes.engine import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Store and engine in a temporary home, on a virtual clock."""
    world = World(tmp_path, clock=noon())
    yield world
    world.close()

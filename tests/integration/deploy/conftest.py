"""Worlds to release in, in memory where the machine has a file system there: these tests write durably, and much."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.releasing import World, a_world

_IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def new_world() -> Iterator[Callable[[], World]]:
    """Makes as many as a test needs."""
    place = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with ExitStack() as stack:

        def make() -> World:
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-test-", dir=place))
            return stack.enter_context(a_world(Path(home)))

        yield make


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    return new_world()

"""A running local runtime for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.listener import Listener
from tests.fakes.runtime_process import RuntimeProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """One runtime for all tests of a file."""
    process = RuntimeProcess(tmp_path_factory.mktemp("runtime") / "home")
    process.start()
    yield process
    assert process.stop() == 0
    assert process.descendants() == []


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., RuntimeProcess]]:
    """A runtime of the test's own, with options, to be stopped and killed at will."""
    made: list[RuntimeProcess] = []

    def make(*options: str) -> RuntimeProcess:
        process = RuntimeProcess(tmp_path / f"home{len(made)}", *options)
        made.append(process)
        process.start()
        return process

    yield make
    for process in made:
        if process.running:
            process.stop()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Hears what functions tell."""
    made = Listener()
    yield made
    made.close()

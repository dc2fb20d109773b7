"""A service whose clock and engine the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.clocks import noon
from tests.fakes.serviced import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, noon())
    yield made
    made.database.close()

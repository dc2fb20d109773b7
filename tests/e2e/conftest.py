"""What every story begins with: a workshop of its own, whose servers are stopped at the end, however it ends."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.workshop import Workshop
from tests.e2e import then


@pytest.fixture
def workshop(request: pytest.FixtureRequest) -> Iterator[Workshop]:
    """The orders example as a git repository, in a short path (sockets have short names); kept when the test failed."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-"))
    workshop = Workshop(folder / "orders")
    workshop.begin()
    failed_before = request.session.testsfailed
    try:
        yield workshop
    finally:
        workshop.down()
        then.nothing_is_left_running(workshop)
        if request.session.testsfailed == failed_before:
            shutil.rmtree(folder, ignore_errors=True)

"""A repository with a pipeline; servers once per module for the tests that need them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.command_line import CommandLine, until


@pytest.fixture
def penstock(tmp_path: Path) -> CommandLine:
    """`penstock` in a directory with a pipeline.yaml, servers down."""
    return CommandLine(tmp_path / "work")


@pytest.fixture(scope="module")
def served() -> Iterator[CommandLine]:
    """`penstock` in a repository, servers up; at the end nothing is left running."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-"))
    made = CommandLine(folder / "work")
    made.make_repository()
    done = made("up", timeout_s=120)
    assert done.returncode == 0, done.stderr
    yield made
    assert made("down").returncode == 0
    until(lambda: not made.living(), f"nothing of {made.home} is left: {made.living()}", 15)
    shutil.rmtree(folder, ignore_errors=True)

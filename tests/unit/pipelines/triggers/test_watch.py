"""Pipeline files are read when they change, and the last good one is kept while there are mistakes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from pipelines.definition.model import PipelineDefinition
from pipelines.triggers.watch import PipelineFiles
from store.records import PipelineRecord

NOW = datetime(2025, 1, 1, tzinfo=UTC)


class Loader:
    """Takes a file's text as its pipeline's name; "bad" is refused."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def load(self, text: str, file: str) -> PipelineDefinition:
        self.read.append(text)
        if text == "bad":
            raise InvalidInput("it is bad", where=file)
        return PipelineDefinition(text, ())

    def restore(self, data: Mapping[str, Any]) -> PipelineDefinition:
        return PipelineDefinition(data["name"], ())


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def files(loader: Loader, tmp_path: Path) -> PipelineFiles:
    return PipelineFiles(loader.load, loader.restore, tmp_path)


def write(path: Path, text: str | bytes, at: int) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, ns=(at, at))
    return path


def record(name: str, file: str) -> PipelineRecord:
    return PipelineRecord(name, 1, "d", {"name": name}, file, NOW, NOW)


def test_a_file_is_read_once_until_it_changes(files: PipelineFiles, loader: Loader, tmp_path: Path) -> None:
    file = write(tmp_path / "p.yaml", "one", 1)
    assert [watched.name for _ in range(3) for watched in files.current((), [file])] == ["one"] * 3
    assert loader.read == ["one"]
    write(file, "two", 2)
    assert [watched.name for watched in files.current((), [file])] == ["two"]
    assert loader.read == ["one", "two"]


def test_the_last_good_one_is_kept_beside_the_problem(files: PipelineFiles, tmp_path: Path) -> None:
    file = write(tmp_path / "p.yaml", "one", 1)
    files.current((), [file])
    write(file, "bad", 2)
    (watched,) = files.current((), [file])
    assert (watched.name, watched.problem) == ("one", f"{file}: it is bad")
    write(file, "one", 3)
    assert files.current((), [file])[0].problem == ""


def test_after_a_restart_the_stored_one_is_the_last_good_one(files: PipelineFiles, tmp_path: Path) -> None:
    file = write(tmp_path / "p.yaml", "bad", 1)
    assert files.current((), [file]) == []
    write(file, "bad", 2)
    (watched,) = files.current([record("stored", str(file))], ())
    assert (watched.name, watched.problem) == ("stored", f"{file}: it is bad")


def test_a_file_that_is_no_text_has_a_problem(files: PipelineFiles, tmp_path: Path) -> None:
    file = write(tmp_path / "p.yaml", b"\xff", 1)
    (watched,) = files.current([record("stored", str(file))], ())
    assert watched.problem == f"{file} is not UTF-8 text"


def test_stored_and_named_files_are_one_when_they_are_the_same(
    files: PipelineFiles, loader: Loader, tmp_path: Path
) -> None:
    write(tmp_path / "p.yaml", "one", 1)
    assert len(files.current([record("one", "p.yaml")], [tmp_path / "." / "p.yaml"])) == 1
    assert loader.read == ["one"]


def test_a_file_that_is_gone_is_left_out_and_may_come_back(files: PipelineFiles, tmp_path: Path) -> None:
    file = write(tmp_path / "p.yaml", "one", 1)
    assert len(files.current((), [file])) == 1
    file.unlink()
    assert files.current((), [file]) == []
    write(file, "one", 1)
    assert len(files.current((), [file])) == 1


def test_a_file_renamed_to_another_pipeline_is_that_pipeline(files: PipelineFiles, tmp_path: Path) -> None:
    file = write(tmp_path / "p.yaml", "new", 1)
    assert [watched.name for watched in files.current([record("old", str(file))], ())] == ["new"]

"""Files are written whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from core.files import sha256_file, write_atomic


def test_the_file_has_the_content_and_exactly_the_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_atomic(tmp_path / "public", "é\n", 0o644)
        os.umask(0)
        write_atomic(tmp_path / "token", b"\0x")
    finally:
        os.umask(before)
    assert (tmp_path / "public").read_text("utf-8") == "é\n"
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "token").read_bytes() == b"\0x"
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600


def test_who_has_the_old_file_open_keeps_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_atomic(path, "old")
    with path.open() as reader:
        write_atomic(path, "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    (path / "inner").touch()
    with pytest.raises(OSError):
        write_atomic(path, "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "missing" / "x", "x")


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "x").write_bytes(content)
    assert sha256_file(tmp_path / "x") == hashlib.sha256(content).hexdigest()

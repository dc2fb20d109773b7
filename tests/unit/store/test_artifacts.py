"""Artifacts are kept by digest, written whole, and never given out corrupt."""

from __future__ import annotations

import hashlib
import stat
import threading
import zipfile
from pathlib import Path

import pytest

from core.errors import InvalidInput, NotFound, PenstockError
from store.artifacts import ArtifactStore
from store.records import ArtifactRef


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    directory.mkdir()
    (directory / "app.py").write_text("print('hello')\n" * 50)
    (directory / "run.sh").write_text("#!/bin/sh\n")
    (directory / "run.sh").chmod(0o755)
    return directory


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def corrupt(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(raw)


def test_a_directory_comes_back_as_it_was(artifacts: ArtifactStore, source: Path, tmp_path: Path) -> None:
    ref = artifacts.put_directory("Package", source)
    artifacts.unpack(ref, tmp_path / "out")
    assert (tmp_path / "out/app.py").read_bytes() == (source / "app.py").read_bytes()
    assert (tmp_path / "out/run.sh").stat().st_mode & 0o100
    path = artifacts.path(ref)
    assert ref == ArtifactRef("Package", hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    assert path == tmp_path / "artifacts/sha256" / ref.digest[:2] / ref.digest
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_a_file_is_kept_byte_for_byte(artifacts: ArtifactStore, source: Path, tmp_path: Path) -> None:
    ref = artifacts.put_file("Source", source / "app.py")
    assert artifacts.path(ref).read_bytes() == (source / "app.py").read_bytes()
    with pytest.raises(InvalidInput, match="no readable zip"):
        artifacts.unpack(ref, tmp_path / "out")


def test_identical_bytes_are_kept_once_and_not_rewritten(artifacts: ArtifactStore, source: Path) -> None:
    first = artifacts.put_directory("One", source)
    before = artifacts.path(first).stat()
    second = artifacts.put_directory("Two", source)
    assert (second.name, second.digest) == ("Two", first.digest)
    after = artifacts.path(second).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_only_what_is_included_is_kept(artifacts: ArtifactStore, source: Path) -> None:
    ref = artifacts.put_directory("Package", source, include=["app.py"])
    assert zipfile.ZipFile(artifacts.path(ref)).namelist() == ["app.py"]


def test_corruption_is_found_by_who_reads_it_first(artifacts: ArtifactStore, source: Path, tmp_path: Path) -> None:
    ref = artifacts.put_directory("Package", source)
    corrupt(artifacts.path(ref))
    fresh = ArtifactStore(tmp_path / "artifacts")  # as another process would see it
    for reader in (fresh, artifacts):
        for read in (reader.path, lambda ref, reader=reader: reader.unpack(ref, tmp_path / "out")):
            with pytest.raises(PenstockError, match="is corrupt"):
                read(ref)
    with pytest.raises(PenstockError, match="is corrupt"):
        fresh.verify(ref.digest)
    assert not (tmp_path / "out").exists()


def test_storing_the_same_bytes_again_heals_a_corrupt_artifact(artifacts: ArtifactStore, source: Path) -> None:
    ref = artifacts.put_directory("Package", source)
    corrupt(artifacts.path(ref))
    assert artifacts.put_directory("Package", source) == ref
    artifacts.verify(ref.digest)


@pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", "", "G" * 64])
def test_what_was_never_stored_is_not_found(artifacts: ArtifactStore, digest: str) -> None:
    with pytest.raises(NotFound):
        artifacts.path(ArtifactRef("x", digest, 0))
    with pytest.raises(NotFound):
        artifacts.verify(digest)


def test_a_failure_leaves_nothing_behind(artifacts: ArtifactStore, source: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        artifacts.put_directory("Package", source, include=["nope"])
    with pytest.raises(OSError):
        artifacts.put_file("Package", source / "nope")
    assert [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()] == []


def test_many_threads_may_store_the_same_thing(artifacts: ArtifactStore, source: Path, tmp_path: Path) -> None:
    refs: list[ArtifactRef] = []
    threads = [
        threading.Thread(target=lambda: refs.append(artifacts.put_directory("Package", source))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refs) == 8
    assert len(set(refs)) == 1
    files = [path.name for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    assert files == [refs[0].digest]

"""Packages by content, and those that try to leave their directory."""

from __future__ import annotations

import base64
import hashlib
import io
import stat
import zipfile
from pathlib import Path

import pytest

from runtime.catalog.code import BadPackage, CodeStore


def archive(*entries: tuple[str, str, int]) -> bytes:
    """A zip of (name, content, Unix mode)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            made.writestr(info, content)
    return buffer.getvalue()


LINK = stat.S_IFLNK | 0o777


def test_a_package_is_kept_under_its_digest_and_unpacked_once(tmp_path: Path) -> None:
    store, data = CodeStore(tmp_path), archive(("app.py", "x = 1", 0o644), ("bin/tool", "#!", 0o755))
    digest = store.put(data)
    assert digest == base64.b64encode(hashlib.sha256(data).digest()).decode() == store.put(data)
    assert store.package(digest).read_bytes() == data
    directory = store.unpack(digest)
    assert (directory / "app.py").read_text() == "x = 1"
    assert (directory / "bin" / "tool").stat().st_mode & 0o777 == 0o755
    assert store.unpack(digest) == directory


def test_a_link_inside_the_package_is_kept(tmp_path: Path) -> None:
    store = CodeStore(tmp_path)
    digest = store.put(archive(("lib/a.py", "x = 1", 0o644), ("b.py", "lib/a.py", LINK)))
    assert (store.unpack(digest) / "b.py").read_text() == "x = 1"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "entries",
    [
        [("../out.py", "x", 0o644)],
        [("/etc/out.py", "x", 0o644)],
        [("a/../../out.py", "x", 0o644)],
        [("..\\out.py", "x", 0o644)],
        [("out", "/etc/passwd", LINK)],
        [("out", "../../secret", LINK)],
        [("out", "..", LINK), ("out/written.py", "x", 0o644)],
        [("a", "b", LINK), ("a", "x", 0o644)],
    ],
)
def test_a_package_that_leaves_its_directory_is_refused_and_leaves_nothing(
    tmp_path: Path, entries: list[tuple[str, str, int]]
) -> None:
    store = CodeStore(tmp_path / "code")
    digest = store.put(archive(*entries))
    with pytest.raises(BadPackage):
        store.unpack(digest)
    assert [path.name for path in tmp_path.iterdir()] == ["code"]
    assert [path for path in (tmp_path / "code").iterdir() if path.suffix != ".zip"] == []


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadPackage):
        CodeStore(tmp_path).put(data)


def test_a_package_that_is_larger_unpacked_than_lambda_allows_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", b"\0" * (262_144_000 + 1))
    with pytest.raises(BadPackage, match="Unzipped size must be smaller than 262144000 bytes"):
        CodeStore(tmp_path).put(buffer.getvalue())


def test_packages_that_nobody_uses_are_removed(tmp_path: Path) -> None:
    store = CodeStore(tmp_path)
    kept, gone = (store.put(archive(("app.py", text, 0o644))) for text in ("1", "2"))
    store.unpack(gone)
    store.keep_only({kept})
    assert [path.name for path in tmp_path.iterdir()] == [store.package(kept).name]


def test_only_packages_are_found_by_name(tmp_path: Path) -> None:
    store = CodeStore(tmp_path / "code")
    digest = store.put(archive(("app.py", "", 0o644)))
    (tmp_path / "secret.zip").write_text("x")
    assert store.find(store.package(digest).name) == store.package(digest)
    for name in ("../secret.zip", "secret.zip", "", "0" * 64 + ".zip"):
        assert store.find(name) is None

"""Archives: the same bytes for the same files, and nothing written outside the directory."""

from __future__ import annotations

import io
import os
import random
import stat
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.archive import pack, unpack
from core.errors import InvalidInput

_names = st.text(st.characters(codec="utf-8", exclude_characters="/\0\\"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)
_trees = st.dictionaries(
    st.lists(_names, min_size=1, max_size=3).map(tuple),
    st.tuples(st.binary(max_size=200), st.booleans()),
    max_size=6,
).filter(lambda tree: not any(a != b and a == b[: len(a)] for a in tree for b in tree))


def write(directory: Path, tree: dict[tuple[str, ...], tuple[bytes, bool]], rng: random.Random) -> None:
    """Make the files in some order, at some time, with some umask and harmless mode bits."""
    paths = list(tree)
    rng.shuffle(paths)
    before = os.umask(rng.choice([0, 0o022, 0o077]))
    try:
        for parts in paths:
            content, executable = tree[parts]
            path = directory.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(rng.choice([0o700, 0o755, 0o711]) if executable else rng.choice([0o600, 0o644, 0o666]))
            os.utime(path, (rng.randrange(2**31), rng.randrange(2**31)))
    finally:
        os.umask(before)


def tree_of(directory: Path) -> dict[tuple[str, ...], tuple[bytes, bool]]:
    return {
        path.relative_to(directory).parts: (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in directory.rglob("*")
        if path.is_file()
    }


@settings(max_examples=40)
@given(_trees, st.randoms(use_true_random=False))
def test_the_bytes_depend_on_names_contents_and_executable_bits_alone(
    tree: dict[tuple[str, ...], tuple[bytes, bool]], rng: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archives = []
        for name in "ab":
            (directory := Path(folder, name)).mkdir()
            write(directory, tree, rng)
            pack(directory, Path(folder, f"{name}.zip"))
            archives.append(Path(folder, f"{name}.zip").read_bytes())
        assert archives[0] == archives[1]
        unpack(Path(folder, "a.zip"), Path(folder, "out"))
        assert tree_of(Path(folder, "out")) == tree


def make(path: Path, entries: dict[str, bytes], *, links: dict[str, str] | None = None) -> Path:
    """A zip with any names at all."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    directory = tmp_path / "source"
    (directory / "sub" / "empty").mkdir(parents=True)
    (directory / "a.txt").write_text("a")
    (directory / "run.sh").write_text("#!/bin/sh")
    (directory / "run.sh").chmod(0o755)
    (directory / "sub" / "b.txt").write_text("b")
    (directory / "sub" / "up").symlink_to("../a.txt")
    return directory


def test_links_empty_directories_and_executable_bits_come_back(source: Path, tmp_path: Path) -> None:
    pack(source, tmp_path / "x.zip")
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert (tmp_path / "out/sub/up").readlink() == Path("../a.txt")
    assert (tmp_path / "out/sub/up").read_text() == "a"
    assert list((tmp_path / "out/sub/empty").iterdir()) == []
    assert (tmp_path / "out/run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/a.txt").stat().st_mode & 0o777 == 0o644


def test_unpacking_twice_into_the_same_place_gives_the_same(source: Path, tmp_path: Path) -> None:
    pack(source, tmp_path / "x.zip")
    for _ in range(2):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    pack(tmp_path / "out", tmp_path / "y.zip")
    assert (tmp_path / "x.zip").read_bytes() == (tmp_path / "y.zip").read_bytes()


def test_only_what_is_included_is_packed(source: Path, tmp_path: Path) -> None:
    pack(source, tmp_path / "x.zip", include=["sub", "run.sh", "sub/b.txt"])
    assert zipfile.ZipFile(tmp_path / "x.zip").namelist() == ["run.sh", "sub/b.txt", "sub/empty/", "sub/up"]
    pack(source, tmp_path / "y.zip", include=["."])
    pack(source, tmp_path / "z.zip")
    assert (tmp_path / "y.zip").read_bytes() == (tmp_path / "z.zip").read_bytes()


@pytest.mark.parametrize("name", ["nope", "../source/a.txt", "/etc/passwd"])
def test_what_is_not_there_or_not_inside_cannot_be_included(source: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        pack(source, tmp_path / "x.zip", include=[name])


def test_an_archive_inside_the_directory_does_not_pack_itself(source: Path) -> None:
    pack(source, source / "x.zip")
    assert "x.zip" not in zipfile.ZipFile(source / "x.zip").namelist()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", ".."])
def test_a_link_that_leads_outside_is_not_packed(source: Path, tmp_path: Path, target: str) -> None:
    (source / "bad").symlink_to(target)
    with pytest.raises(InvalidInput, match="'bad' leads outside"):
        pack(source, tmp_path / "x.zip")


def test_a_pipe_is_not_packed(source: Path, tmp_path: Path) -> None:
    os.mkfifo(source / "pipe")
    with pytest.raises(InvalidInput, match="'pipe' is neither"):
        pack(source, tmp_path / "x.zip")


@pytest.mark.parametrize("name", ["/abs", "../up", "a/../../up", "a//b", "./a", "a\\..\\b", "..", "a/.."])
def test_names_that_lead_outside_are_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    archive = make(tmp_path / "x.zip", {"good": b"x", name: b"x"})
    with pytest.raises(InvalidInput, match="would not stay inside"):
        unpack(archive, tmp_path / "in" / "out")
    assert list((tmp_path / "in" / "out").iterdir()) == []


@pytest.mark.parametrize(
    "links",
    [
        {"l": "/etc"},
        {"l": ".."},
        {"d/l": "../.."},
        {"a/b/c/l": "../../..", "q": "a/b/c/l/.."},
        {"one": "two", "two": "../x"},
        {"self": "self"},
    ],
)
def test_links_that_lead_outside_are_refused_and_not_left_behind(tmp_path: Path, links: dict[str, str]) -> None:
    archive = make(tmp_path / "x.zip", {}, links=links)
    with pytest.raises(InvalidInput, match="leads outside"):
        unpack(archive, tmp_path / "in" / "out")
    assert not [path for path in (tmp_path / "in").rglob("*") if path.is_symlink()]


def test_a_file_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "d").symlink_to(tmp_path / "outside")
    with pytest.raises(InvalidInput, match="leads outside"):
        unpack(make(tmp_path / "x.zip", {"d/f": b"x"}), tmp_path / "out")
    (tmp_path / "out" / "f").symlink_to(tmp_path / "outside" / "f")
    unpack(make(tmp_path / "y.zip", {"f": b"x"}), tmp_path / "out")
    assert list((tmp_path / "outside").iterdir()) == []
    with pytest.raises(InvalidInput, match="and a directory too"):
        unpack(make(tmp_path / "z.zip", {"d": b"x", "d/f": b"y"}), tmp_path / "new")


def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with pytest.raises(InvalidInput, match="twice"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


def test_more_bytes_than_allowed_are_refused(tmp_path: Path) -> None:
    archive = make(tmp_path / "x.zip", {"a": b"x" * 600, "b": b"x" * 600})
    unpack(archive, tmp_path / "out", max_bytes=1200)
    with pytest.raises(InvalidInput, match="1200 bytes, more than the 1199"):
        unpack(archive, tmp_path / "other", max_bytes=1199)


def test_damage_is_a_mistake_of_the_input_wherever_it_is(source: Path, tmp_path: Path) -> None:
    pack(source, tmp_path / "x.zip")
    whole = (tmp_path / "x.zip").read_bytes()
    for at in range(0, len(whole), 3):
        (tmp_path / "bad.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        try:
            unpack(tmp_path / "bad.zip", tmp_path / "out")
        except InvalidInput:
            continue
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        (tmp_path / "bad.zip").write_bytes(whole[:cut])
        with pytest.raises(InvalidInput):
            unpack(tmp_path / "bad.zip", tmp_path / "out")


def test_an_entry_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 1_000_000)
    lied = raw.getvalue().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "x.zip").write_bytes(lied)
    with pytest.raises(InvalidInput):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 10

"""Collecting artifacts: what is chosen, where it lands, what is said when nothing is there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.build import artifacts
from stages.build.artifacts import ArtifactsMissing
from stages.build.buildspec import ArtifactSpec
from tests.unit.stages.test_globs import model

TREE = ("a.txt", "b.py", ".env", "dist/app.js", "dist/css/main.css", "dist/css/.map", "dist2/x", "docs/dist/y")


class Everywhere:
    """Commands that see this machine as it is."""

    def host(self, path: str) -> Path | None:
        return Path(path)

    def reaches(self, path: Path) -> bool:
        return True


class Inside(Everywhere):
    """Commands that share one directory with this machine, as those of a container do."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared

    def reaches(self, path: Path) -> bool:
        return path.is_relative_to(self._shared)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source directory with TREE."""
    return made(tmp_path / "source", TREE)


def made(root: Path, files: tuple[str, ...]) -> Path:
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)
    return root


def collected(source: Path, destination: Path, **spec: object) -> list[str]:
    """What an artifact with `spec` holds, links with an arrow."""
    artifacts.collect(ArtifactSpec(**spec), source, destination, Everywhere())  # type: ignore[arg-type]
    paths = (path for path in destination.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(
        path.relative_to(destination).as_posix() + (f" -> {path.readlink()}" if path.is_symlink() else "")
        for path in paths
    )


def test_everything_and_what_is_excluded(source: Path, tmp_path: Path) -> None:
    assert collected(source, tmp_path / "all", files=("**/*",)) == sorted(TREE)
    without = collected(source, tmp_path / "some", files=("**/*",), exclude_paths=("**/.*", "dist/**/*"))
    assert without == ["a.txt", "b.py", "dist2/x", "docs/dist/y"]


def test_paths_are_relative_to_the_base_directory_and_may_be_discarded(source: Path, tmp_path: Path) -> None:
    assert collected(source, tmp_path / "kept", files=("**/*.css",), base_directory="dist") == ["css/main.css"]
    flat = collected(source, tmp_path / "flat", files=("**/*.css", "app.js"), base_directory="dist", discard_paths=True)
    assert flat == ["app.js", "main.css"]


def test_a_base_directory_may_be_a_pattern_whose_own_names_are_left_out(source: Path, tmp_path: Path) -> None:
    assert collected(source, tmp_path / "globbed", files=("*",), base_directory="dist*") == ["app.js", "x"]
    assert collected(source, tmp_path / "deep", files=("y",), base_directory="**/dist") == ["y"]
    assert collected(source, tmp_path / "whole", files=("x",), base_directory=str(source / "dist2")) == ["x"]
    assert collected(source, tmp_path / "stars", files=("x",), base_directory=f"{source}/*2") == ["x"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"files": ("*.jar",)}, "no matching artifact paths found for *.jar"),
        ({"files": ("**/*", "*.jar")}, "no matching artifact paths found for *.jar"),
        ({"files": ("dist",)}, "no matching artifact paths found for dist (it is a directory; dist/**/* names"),
        ({"files": ("a.txt",), "exclude_paths": ("*",)}, "no matching artifact paths found: exclude-paths leaves"),
        ({"files": ("*",), "base_directory": "build"}, "no matching base directory path found for build"),
        ({"files": ("*",), "base_directory": "/nowhere/*"}, "no matching base directory path found for /nowhere/*"),
    ],
)
def test_nothing_there_is_said_in_codebuilds_words(
    source: Path, tmp_path: Path, spec: dict[str, object], message: str
) -> None:
    with pytest.raises(ArtifactsMissing) as failure:
        collected(source, tmp_path / "out", **spec)
    assert message in str(failure.value)


def test_links_become_what_they_point_to_unless_they_are_wanted(source: Path, tmp_path: Path) -> None:
    """A link to nothing is left out, and one that leads back up does not go round in circles."""
    (source / "link.txt").symlink_to("a.txt")
    (source / "latest").symlink_to("dist2")
    (source / "gone").symlink_to("nowhere")
    (source / "dist2" / "up").symlink_to("..")
    followed = collected(source, tmp_path / "followed", files=("l*", "latest/**/*", "dist2/**/*"))
    assert followed == ["dist2/x", "latest/x", "link.txt"]
    kept = collected(source, tmp_path / "kept", files=("*",), enable_symlinks=True)
    assert kept == [".env", "a.txt", "b.py", "gone -> nowhere", "latest -> dist2", "link.txt -> a.txt"]


def test_a_link_out_of_what_is_shared_is_refused(source: Path, tmp_path: Path) -> None:
    """It means something else here than it meant to the build."""
    (tmp_path / "secret").write_text("of the machine")
    (source / "leak").symlink_to(tmp_path / "secret")
    with pytest.raises(ArtifactsMissing, match="leak is a link that leads out of the build"):
        artifacts.collect(ArtifactSpec(("leak",)), source, tmp_path / "out", Inside(source.resolve()))
    assert list((tmp_path / "out").rglob("*")) == []
    assert collected(source, tmp_path / "kept", files=("leak",)) == ["leak"]


def test_of_two_files_of_one_name_the_later_stays(source: Path, tmp_path: Path) -> None:
    (source / "dist2" / "app.js").write_text("the later")
    count = artifacts.collect(ArtifactSpec(("**/app.js",), discard_paths=True), source, tmp_path / "flat", Everywhere())
    assert count == 1
    assert (tmp_path / "flat" / "app.js").read_text() == "the later"


def test_changing_the_artifact_does_not_change_what_the_source_links_to(source: Path, tmp_path: Path) -> None:
    """The executable bit comes along."""
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o755)
    assert collected(source, tmp_path / "out", files=("run.sh",)) == ["run.sh"]
    assert (tmp_path / "out" / "run.sh").stat().st_mode & 0o777 == 0o755


PART = st.sampled_from(["a", "b", ".c"])
FILES = st.sets(st.lists(PART, min_size=1, max_size=3).map("/".join), min_size=1, max_size=6).map(
    lambda paths: tuple(path for path in sorted(paths) if not any(other.startswith(f"{path}/") for other in paths))
)
PATTERN = st.lists(st.one_of(PART, st.sampled_from(["**", "*", "*c", ".*"])), min_size=1, max_size=3).map("/".join)


@settings(max_examples=150, deadline=None)
@given(FILES, st.lists(PATTERN, min_size=1, max_size=3), st.lists(PATTERN, max_size=2))
def test_choosing_files_agrees_with_a_simple_model(
    files: tuple[str, ...], patterns: list[str], excludes: list[str]
) -> None:
    """Every pattern must match some file; a file is in when a pattern includes it and none excludes it."""
    with tempfile.TemporaryDirectory() as folder:
        root = made(Path(folder) / "source", files)
        found, matched = artifacts.select(root, ArtifactSpec(tuple(patterns), exclude_paths=tuple(excludes)))
    included = {file for file in files if any(model(each.split("/"), file.split("/")) for each in patterns)}
    excluded = {file for file in files if any(model(each.split("/"), file.split("/")) for each in excludes)}
    assert set(found.files) == included - excluded
    hits = {each for each in patterns if any(model(each.split("/"), file.split("/")) for file in files)}
    assert matched == hits

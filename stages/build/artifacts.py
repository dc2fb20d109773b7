"""The files of a build that become an artifact: chosen by patterns, put together in a directory of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from stages.build import globs
from stages.build.buildspec import ArtifactSpec
from stages.build.environment.base import Files

NOTHING_MATCHES = "no matching artifact paths found"


class ArtifactsMissing(Exception):
    """The user's files are not there; the text is what CodeBuild's CLIENT_ERROR context says."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`files` are paths relative to `base`, sorted."""

    base: Path
    files: tuple[str, ...]


def collect(spec: ArtifactSpec, source: Path, destination: Path, files: Files) -> int:
    """Put the artifact's files into `destination`; the number of files.

    Raises:
        ArtifactsMissing: a pattern or the base directory matches nothing, or a file is out of the build's own reach.
    """
    count = 0
    try:
        for selection in _selections(spec, source, files):
            for file in selection.files:
                target = destination / (Path(file).name if spec.discard_paths else file)
                origin = selection.base / file
                if spec.enable_symlinks and origin.is_symlink():
                    count += _put(target, partial(_link, origin))
                else:
                    count += _put(target, partial(_copy, _real(origin, file, files)))
    except PermissionError as error:
        raise ArtifactsMissing(f"{error.filename} cannot be read: {error.strerror}") from None
    return count


def _selections(spec: ArtifactSpec, source: Path, files: Files) -> tuple[Selection, ...]:
    bases = base_directories(spec.base_directory, source, files)
    if not bases:
        raise ArtifactsMissing(f"no matching base directory path found for {spec.base_directory}")
    found = [select(base, spec) for base in bases]
    for pattern in spec.files:
        if not any(pattern in matched for _, matched in found):
            raise ArtifactsMissing(f"{NOTHING_MATCHES} for {pattern}{_hint(pattern, bases)}")
    if not any(selection.files for selection, _ in found):
        raise ArtifactsMissing(f"{NOTHING_MATCHES}: exclude-paths leaves nothing")
    return tuple(selection for selection, _ in found)


def _hint(pattern: str, bases: tuple[Path, ...]) -> str:
    name = globs.normal(pattern)
    is_directory = any((base / name).is_dir() for base in bases)
    return f" (it is a directory; {name}/**/* names the files in it)" if is_directory else ""


def base_directories(pattern: str, source: Path, files: Files) -> tuple[Path, ...]:
    """The directories that `base-directory` names, sorted; "" names the source itself."""
    name = globs.normal(pattern)
    root = source
    if name.startswith("/"):
        place = files.host("/" + globs.fixed_part(name[1:]) if globs.is_glob(name) else name)
        if place is None:
            return ()
        if not globs.is_glob(name):
            return (place,) if place.is_dir() else ()
        root, name = place, name[1:].removeprefix(globs.fixed_part(name[1:])).lstrip("/")
    if not globs.is_glob(name):
        return (root / name,) if (root / name).is_dir() else ()
    if not root.is_dir():
        return ()
    regex = globs.compiled(name)
    found = (path for path, is_directory in _walk(root, keep_links=False) if is_directory and regex.fullmatch(path))
    return tuple(root / path for path in sorted(found))


def select(base: Path, spec: ArtifactSpec) -> tuple[Selection, frozenset[str]]:
    """The files below `base` that some pattern includes and none excludes; and the patterns that matched any file."""
    excluded = [globs.compiled(globs.normal(pattern)) for pattern in spec.exclude_paths]
    files: set[str] = set()
    matched = set()
    for pattern in spec.files:
        here = tuple(_matching(base, globs.normal(pattern), keep_links=spec.enable_symlinks))
        if here:
            matched.add(pattern)
        files.update(file for file in here if not any(regex.fullmatch(file) for regex in excluded))
    return Selection(base, tuple(sorted(files))), frozenset(matched)


def _matching(base: Path, pattern: str, *, keep_links: bool) -> Iterator[str]:
    if not globs.is_glob(pattern):
        named = base / pattern
        if named.is_file() or (keep_links and named.is_symlink()):
            yield pattern
        return
    start = globs.fixed_part(pattern)
    if not (base / start).is_dir():
        return
    regex = globs.compiled(pattern)
    prefix = f"{start}/" if start else ""
    for path, is_directory in _walk(base / start, keep_links=keep_links):
        if not is_directory and regex.fullmatch(prefix + path):
            yield prefix + path


def _walk(root: Path, *, keep_links: bool) -> Iterator[tuple[str, bool]]:
    """(path relative to `root`, whether it is a directory) of everything below.

    Links are entries of their own when they are kept; else they count as what they point to, and one that points to
    nothing, or back to a directory it lies in, is left out.
    """
    top = os.path.realpath(str(root))
    # A real directory, its path below `root`, and the real ones it lies in, itself among them.
    stack = [(top, "", frozenset({top, *map(str, Path(top).parents)}))]
    while stack:
        directory, prefix, above = stack.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                path = prefix + entry.name
                if keep_links and entry.is_symlink():
                    yield path, False
                elif entry.is_dir():
                    real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                    if real not in above:
                        yield path, True
                        stack.append((real, f"{path}/", above | {real}))
                elif entry.is_file():
                    yield path, False


def _real(origin: Path, name: str, files: Files) -> Path:
    """The file itself, behind every link. A link of a container's may lead to what the container never saw."""
    real = origin.resolve()
    if not files.reaches(real):
        raise ArtifactsMissing(f"{name} is a link that leads out of the build")
    return real


def _put(target: Path, make: Callable[[Path], None]) -> int:
    """Make `target`, replacing another file of that name; 1 when the number of files grew."""
    grown = 0 if os.path.lexists(target) else 1
    if grown:
        target.parent.mkdir(parents=True, exist_ok=True)
    else:
        target.unlink()
    make(target)
    return grown


def _link(origin: Path, target: Path) -> None:
    target.symlink_to(origin.readlink())


def _copy(real: Path, target: Path) -> None:
    try:
        os.link(real, target)
    except OSError:  # another file system, or a file of somebody else's
        shutil.copy2(real, target)

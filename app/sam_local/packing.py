"""A function's files as a zip in memory: stored, not deflated, because it only travels to the next process."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from app.sam_local.problems import LocalError

LEFT_OUT = frozenset(
    (".git", ".hg", ".svn", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".aws-sam", ".penstock")
)
_WHEN = (1980, 1, 1, 0, 0, 0)


def pack(directory: Path) -> bytes:
    """Everything in `directory` but what no function needs (.git, caches). Links are followed, as files need them.

    Raises:
        LocalError: no such directory, or a file that cannot be read.
    """
    buffer = io.BytesIO()
    try:
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, path in sorted(files(directory)):
                info = zipfile.ZipInfo(name, _WHEN)
                info.external_attr = (stat.S_IFREG | (path.stat().st_mode & 0o777)) << 16
                archive.writestr(info, path.read_bytes())
    except OSError as problem:
        raise LocalError("the function's code cannot be read", where=str(directory), why=str(problem)) from None
    return buffer.getvalue()


def inline(runtime: str, source: str) -> bytes:
    """The zip of code that stands in the template. Source: CloudFormation names the file index."""
    name = "index.js" if runtime.startswith("nodejs") else "index.py"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, _WHEN), source)
    return buffer.getvalue()


def files(directory: Path) -> Iterator[tuple[str, Path]]:
    """(name in the zip, path) of every file; a directory that is inside itself by a link is taken once.

    Raises:
        LocalError: no such directory.
    """
    if not directory.is_dir():
        raise LocalError("there is no such directory with the function's code", where=str(directory))
    yield from _below(str(directory), "", frozenset())


def _below(directory: str, prefix: str, inside: frozenset[str]) -> Iterator[tuple[str, Path]]:
    real = os.path.realpath(directory)
    if real in inside:
        return
    with os.scandir(directory) as entries:
        listing = list(entries)
    for entry in listing:
        if entry.is_dir():
            if entry.name not in LEFT_OUT:
                yield from _below(entry.path, f"{prefix}{entry.name}/", inside | {real})
        elif entry.is_file() and not entry.name.endswith((".pyc", ".pyo")):
            yield prefix + entry.name, Path(entry.path)

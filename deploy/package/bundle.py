"""A function's directory packed for Lambda: same files, same bytes; mistakes are found before the upload."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from core.archive import pack
from core.errors import InvalidInput
from core.files import sha256_file
from core.units import size

MOST_ZIPPED_BYTES = 50 * 1024**2  # Source: Lambda quotas, direct upload
MOST_UNZIPPED_BYTES = 250 * 1024**2  # Source: Lambda quotas, with layers

EXCLUDED_DIRECTORIES = (".git", ".hg", ".svn", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".aws-sam")
EXCLUDED_FILES = ("*.pyc", "*.pyo", ".DS_Store", "Thumbs.db", ".gitignore", ".gitattributes", "*.swp")


@dataclass(frozen=True, slots=True)
class Package:
    """A zip file on disk; `code_sha256` is base64 of its SHA-256, as Lambda's CodeSha256 is."""

    path: Path
    code_sha256: str
    size_bytes: int
    unzipped_bytes: int


def bundle(directory: Path, destination: Path, *, handler: str, runtime: str) -> Package:
    """`directory` as a deterministic zip at `destination`, without what no function needs (.git, caches, *.pyc).

    Raises:
        InvalidInput: no such directory, nothing in it, too large for Lambda, or a Python handler without its file.
    """
    if not directory.is_dir():
        raise InvalidInput("there is no such directory to package", where=str(directory), hint="check CodeUri")
    names = sorted(_files(directory, ""))
    if not names:
        raise InvalidInput("there is no file to package", where=str(directory))
    _check_handler(directory, names, handler, runtime)
    unzipped = sum((directory / name).lstat().st_size for name in names)
    _check_size(directory, "unzipped", unzipped, MOST_UNZIPPED_BYTES)
    pack(directory, destination, include=names)
    zipped = destination.stat().st_size
    _check_size(directory, "zipped", zipped, MOST_ZIPPED_BYTES)
    return Package(destination, _code_sha256(destination), zipped, unzipped)


def _files(directory: Path, prefix: str) -> Iterator[str]:
    with os.scandir(directory) as listing:
        entries = list(listing)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in EXCLUDED_DIRECTORIES:
                yield from _files(Path(entry.path), f"{prefix}{entry.name}/")
        elif not any(fnmatch(entry.name, pattern) for pattern in EXCLUDED_FILES):
            yield prefix + entry.name


def _check_handler(directory: Path, names: list[str], handler: str, runtime: str) -> None:
    """Source: the Python runtime client splits a handler at its last dot; `/` and `.` both lead into packages."""
    if not runtime.startswith("python"):
        return
    module, dot, _ = handler.rpartition(".")
    if not dot or not module:
        raise InvalidInput(f"handler '{handler}' is not of the form module.function", where=str(directory))
    base = module.replace(".", "/")
    if f"{base}.py" in names or f"{base}/__init__.py" in names:
        return
    if not any(name.startswith(f"{base}.") and name.endswith(".so") for name in names):
        raise InvalidInput(
            f"handler '{handler}' needs {base}.py, which is not in the package",
            where=str(directory),
            hint="check Handler and CodeUri",
        )


def _check_size(directory: Path, what: str, found: int, most: int) -> None:
    if found > most:
        raise InvalidInput(
            f"the package is {size(found)} {what}, more than the {size(most)} that Lambda takes",
            where=str(directory),
            hint="leave out what the function does not need",
        )


def _code_sha256(path: Path) -> str:
    return base64.b64encode(bytes.fromhex(sha256_file(path))).decode("ascii")

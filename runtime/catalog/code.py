"""Code by content: each zip once, under its SHA-256, and unpacked once."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

MAX_UNZIPPED_BYTES = 262_144_000
"""Source: reference §8, 250 MB unzipped."""
_EXECUTABLE = 0o111
_PACKAGE_NAME = re.compile(r"[0-9a-f]{64}\.zip")


class BadPackage(Exception):
    """The zip cannot be used; the text says why."""


class CodeStore:
    """The directory that holds packages. `put` and `unpack` may run in any thread; both may be repeated."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        for left_over in root.glob("tmp-*"):
            _remove(left_over)

    def put(self, package: bytes) -> str:
        """The package's digest (base64 of SHA-256) after it has been kept.

        Raises:
            BadPackage: not a readable zip, or too large.
        """
        inspect(package)
        digest = hashlib.sha256(package).digest()
        destination = self.package(base64.b64encode(digest).decode())
        if not destination.exists():
            with tempfile.NamedTemporaryFile(dir=self._root, prefix="tmp-", delete=False) as file:
                file.write(package)
            Path(file.name).replace(destination)
        return base64.b64encode(digest).decode()

    def unzipped_size(self, digest: str) -> int:
        """How many bytes the package's files have."""
        with zipfile.ZipFile(self.package(digest)) as archive:
            return sum(entry.file_size for entry in archive.infolist())

    def package(self, digest: str) -> Path:
        """Where the zip with this (base64) digest is kept."""
        return self._root / f"{_hex(digest)}.zip"

    def directory(self, digest: str) -> Path:
        """Where the package is, or will be, unpacked."""
        return self._root / _hex(digest)

    def layers(self, digests: Iterable[str]) -> tuple[Path, ...]:
        """Where these layers are unpacked, in the same order."""
        return tuple(self.directory(digest) for digest in digests)

    def find(self, file_name: str) -> Path | None:
        """The zip with this file name (as in `package`), or None; only names of packages are found."""
        path = self._root / file_name
        return path if _PACKAGE_NAME.fullmatch(file_name) and path.is_file() else None

    def unpack(self, digest: str) -> Path:
        """The directory with the package's files.

        Raises:
            BadPackage: an entry leaves the directory, or the data is damaged.
        """
        directory = self.directory(digest)
        if directory.is_dir():
            return directory
        temporary = Path(tempfile.mkdtemp(dir=self._root, prefix="tmp-"))
        try:
            _extract(self.package(digest), temporary)
            temporary.chmod(0o755)
            temporary.rename(directory)
        except OSError:
            if not directory.is_dir():  # somebody else was faster
                raise
        finally:
            _remove(temporary)
        return directory

    def keep_only(self, digests: set[str]) -> None:
        """Remove every package that is not in `digests`."""
        kept = {_hex(digest) for digest in digests}
        for path in self._root.iterdir():
            if path.name.removesuffix(".zip") not in kept:
                _remove(path)


def inspect(package: bytes) -> None:
    """Nothing when `package` is a zip whose directory can be read and whose contents fit.

    Raises:
        BadPackage: otherwise.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise BadPackage(str(error)) from error
    if size > MAX_UNZIPPED_BYTES:
        raise BadPackage(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")


def _extract(package: Path, directory: Path) -> None:
    try:
        with zipfile.ZipFile(package) as archive:
            for entry in archive.infolist():
                _extract_entry(archive, entry, directory)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError) as error:
        raise BadPackage(str(error)) from error


def _extract_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, directory: Path) -> None:
    name = PurePosixPath(entry.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
        raise BadPackage(f"{entry.filename} is outside the package")
    target = directory.joinpath(*name.parts)
    mode = entry.external_attr >> 16
    if entry.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(directory.resolve()):
        raise BadPackage(f"{entry.filename} goes through a link out of the package")
    if stat.S_ISLNK(mode):
        link = archive.read(entry).decode()
        inside = (target.parent / link).resolve().is_relative_to(directory.resolve())
        if link.startswith("/") or not inside:
            raise BadPackage(f"{entry.filename} links out of the package")
        target.symlink_to(link)
        return
    if target.is_symlink():
        raise BadPackage(f"{entry.filename} is written through a link")
    with archive.open(entry) as source, target.open("wb") as destination:
        shutil.copyfileobj(source, destination)
    target.chmod(0o755 if mode & _EXECUTABLE else 0o644)


def _hex(digest: str) -> str:
    return base64.b64decode(digest).hex()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

"""Artifacts by the digest of their bytes: written whole, never changed, checked before they are read."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from core.archive import pack, unpack
from core.errors import NotFound, PenstockError
from core.files import sha256_file
from store.records import ArtifactRef

_Seen = tuple[int, int, int]  # inode, size and time of change of a file whose digest was right


class ArtifactStore:
    """Files below `root/sha256`. Safe to use from many threads and processes at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._verified: dict[str, _Seen] = {}

    def put_directory(self, name: str, directory: Path, *, include: Iterable[str] | None = None) -> ArtifactRef:
        """The artifact that holds `directory`'s files (or only those named), as a zip archive.

        Raises:
            InvalidInput: something in it cannot be packed (see `core.archive.pack`).
        """
        return self._put(name, lambda destination: pack(directory, destination, include=include))

    def put_file(self, name: str, path: Path) -> ArtifactRef:
        """The artifact that is the file `path`, byte for byte.

        Raises:
            OSError: it cannot be read.
        """
        return self._put(name, lambda destination: _copy(path, destination))

    def unpack(self, ref: ArtifactRef, directory: Path) -> None:
        """Put the artifact's files into `directory`, which is made if need be.

        Raises:
            NotFound, PenstockError: as `path`.
            InvalidInput: it is no zip archive, or one that leads outside.
        """
        unpack(self.path(ref), directory)

    def path(self, ref: ArtifactRef) -> Path:
        """The artifact's file, its digest checked when this process first sees it (and when the file has changed).

        Raises:
            NotFound: it is not in the store.
            PenstockError: its bytes are no longer what was stored.
        """
        path = self._path(ref.digest)
        try:
            seen = _seen(path)
        except FileNotFoundError:
            raise NotFound(f"the artifact '{ref.name}' ({ref.digest[:12]}) is not in the store") from None
        with self._lock:
            known = self._verified.get(ref.digest) == seen
        if not known:
            self.verify(ref.digest)
        return path

    def verify(self, digest: str) -> None:
        """Return if the stored bytes still have that digest.

        Raises:
            NotFound: it is not in the store.
            PenstockError: they have not.
        """
        path = self._path(digest)
        try:
            seen = _seen(path)
            actual = sha256_file(path)
        except FileNotFoundError:
            raise NotFound(f"the artifact {digest[:12]} is not in the store") from None
        if actual != digest:
            raise PenstockError(
                f"the artifact {digest[:12]} is corrupt",
                where=str(path),
                why=f"its bytes now have the digest {actual[:12]}",
                hint="remove the file and run the pipeline again",
            )
        with self._lock:
            self._verified[digest] = seen

    def _put(self, name: str, write: Callable[[Path], None]) -> ArtifactRef:
        folder = self._root / "sha256"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = folder / f".{secrets.token_hex(8)}.tmp"
        try:
            write(temporary)
            temporary.chmod(0o400)
            ref = ArtifactRef(name, sha256_file(temporary), temporary.stat().st_size)
            if not self._intact(ref):
                self._keep(temporary, ref)
        finally:
            temporary.unlink(missing_ok=True)
        return ref

    def _intact(self, ref: ArtifactRef) -> bool:
        """Whether the same bytes are there already; a corrupt file does not count and will be replaced."""
        try:
            self.path(ref)
        except PenstockError:
            return False
        return True

    def _keep(self, temporary: Path, ref: ArtifactRef) -> None:
        destination = self._path(ref.digest)
        destination.parent.mkdir(mode=0o700, exist_ok=True)
        _sync(temporary)
        temporary.replace(destination)
        _sync(destination.parent)
        with self._lock:
            self._verified[ref.digest] = _seen(destination)

    def _path(self, digest: str) -> Path:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise NotFound(f"'{digest[:80]}' is no digest of an artifact")
        return self._root / "sha256" / digest[:2] / digest


def _copy(source: Path, destination: Path) -> None:
    with source.open("rb") as reading, destination.open("xb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)


def _seen(path: Path) -> _Seen:
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Zip archives that are the same bytes for the same files, and unpacking that stays inside its directory."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from core.errors import InvalidInput

MAX_BYTES = 4 * 1024**3
MAX_ENTRIES = 200_000

_WHEN = (1980, 1, 1, 0, 0, 0)
_LEVEL = 6
_CHUNK = 1 << 20
_UNIX = 3


def pack(directory: Path, destination: Path, *, include: Iterable[str] | None = None) -> None:
    """A zip of `directory`'s files at `destination` that depends on names, contents and executable bits alone.

    `include` names files or directories (relative, `/` between) to take instead of everything. Symlinks stay
    symlinks, empty directories stay. `destination` itself is never packed.

    Raises:
        InvalidInput: something included is missing, a symlink leaves the directory, or there is something that is
            neither file, directory nor symlink.
    """
    found = dict(_chosen(directory, include))
    with contextlib.suppress(ValueError):  # it lies somewhere else
        found.pop(destination.resolve().relative_to(directory.resolve()).as_posix(), None)
    with zipfile.ZipFile(destination, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in sorted(found, key=os.fsencode):
            _add(archive, name, found[name])


def unpack(archive: Path, directory: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Make `directory` (if need be) and put the archive's entries there, replacing files of the same name.

    Executable bits and symlinks are restored. Nothing is ever written outside `directory`.

    Raises:
        InvalidInput: no zip archive, damaged, encrypted, more than 200,000 entries or `max_bytes` unpacked, names
            that are absolute, twice there or hold `..`, symlinks that lead outside.
    """
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as source:
            _unpack(source, str(archive), directory.resolve(), max_bytes)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError) as error:
        raise InvalidInput("this is no readable zip archive", where=str(archive), why=str(error)) from None
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENAMETOOLONG):  # those are the archive's doing: places, names
            raise
        raise InvalidInput("this is no readable zip archive", where=str(archive), why=str(error)) from None


def _chosen(directory: Path, include: Iterable[str] | None) -> Iterator[tuple[str, Path]]:
    if include is None:
        yield from _below(directory, "")
        return
    for given in include:
        name = PurePosixPath(given).as_posix()
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise InvalidInput(f"'{given}' is not inside the directory that is packed", where=str(directory))
        path = directory / name
        if not os.path.lexists(path):
            raise InvalidInput(f"'{given}' does not exist", where=str(directory))
        if path.is_dir() and not path.is_symlink():
            yield from _below(path, "" if name == "." else f"{name}/")
        else:
            yield name, path


def _below(directory: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    """Every file and symlink below; an empty directory as itself, with a `/` at the end of its name."""
    with os.scandir(directory) as listing:
        entries = list(listing)
    if not entries and prefix:
        yield prefix, directory
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, Path(entry.path)


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(f"the file name {name!r} is not UTF-8") from None
    facts = path.lstat()
    info = zipfile.ZipInfo(name, _WHEN)
    info.create_system = _UNIX
    info.compress_type = zipfile.ZIP_DEFLATED
    if stat.S_ISLNK(facts.st_mode):
        _set_mode(info, stat.S_IFLNK | 0o777)
        archive.writestr(info, _inner_link(name, path))
    elif stat.S_ISDIR(facts.st_mode):
        _set_mode(info, stat.S_IFDIR | 0o755)
        info.compress_type = zipfile.ZIP_STORED
        archive.writestr(info, b"")
    elif stat.S_ISREG(facts.st_mode):
        _set_mode(info, stat.S_IFREG | (0o755 if facts.st_mode & 0o100 else 0o644))
        info.file_size = facts.st_size
        with path.open("rb") as source, archive.open(info, "w") as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
    else:
        raise InvalidInput(f"'{name}' is neither a file, a directory nor a symlink", hint="leave it out")


def _set_mode(info: zipfile.ZipInfo, mode: int) -> None:
    info.external_attr = mode << 16 | (0x10 if stat.S_ISDIR(mode) else 0)


def _inner_link(name: str, path: Path) -> bytes:
    """The link's target, which must stay inside what is packed."""
    target = path.readlink()
    parts = os.path.normpath(os.path.join(os.path.dirname(name), target)).split("/")  # noqa: PTH118, PTH120
    if target.is_absolute() or parts[0] == "..":
        raise InvalidInput(f"the symlink '{name}' leads outside, to {target}", hint="leave it out, or make it a file")
    return os.fsencode(target)


def _unpack(source: zipfile.ZipFile, where: str, root: Path, max_bytes: int) -> None:
    entries = source.infolist()
    _check(entries, where, max_bytes)
    known: set[Path] = set()
    links: list[tuple[Path, str]] = []
    for info in entries:
        path = root / info.filename
        if info.is_dir():
            _directory(path, root, known, where)
            continue
        _directory(path.parent, root, known, where)
        mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
        if stat.S_ISLNK(mode):
            links.append((path, os.fsdecode(source.read(info))))
        else:
            _write(source, info, path, 0o755 if mode & 0o100 else 0o644, where)
    _link(links, root, where)


def _check(entries: list[zipfile.ZipInfo], where: str, max_bytes: int) -> None:
    if len(entries) > MAX_ENTRIES:
        raise InvalidInput(f"it has more than {MAX_ENTRIES} entries", where=where)
    total = sum(info.file_size for info in entries)
    if total > max_bytes:
        raise InvalidInput(f"it unpacks to {total} bytes, more than the {max_bytes} allowed", where=where)
    names: set[str] = set()
    for info in entries:
        name = info.filename
        parts = name.rstrip("/").split("/")
        if name.startswith("/") or "\\" in name or any(part in ("", ".", "..") for part in parts):
            raise InvalidInput(f"the entry {name!r} would not stay inside the directory", where=where)
        if "/".join(parts) in names:
            raise InvalidInput(f"the entry {name!r} is there twice", where=where)
        names.add("/".join(parts))
        if info.flag_bits & 0x1:
            raise InvalidInput(f"the entry {name!r} is encrypted", where=where)


def _directory(path: Path, root: Path, known: set[Path], where: str) -> None:
    """Make `path`, which must really be inside `root` whatever symlinks were there before."""
    if path in known:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidInput(f"'{path.relative_to(root)}' is a file, and a directory too", where=where) from None
    if not path.resolve().is_relative_to(root):
        raise InvalidInput(f"'{path.relative_to(root)}' leads outside", where=where)
    known.add(path)


def _write(source: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, mode: int, where: str) -> None:
    if path.is_symlink():
        path.unlink()
    if path.is_dir():
        raise InvalidInput(f"'{info.filename}' is a file, and a directory too", where=where)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    left = info.file_size
    with os.fdopen(descriptor, "wb") as target, source.open(info) as packed:
        os.fchmod(target.fileno(), mode)
        while chunk := packed.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise InvalidInput(f"the entry {info.filename!r} is larger than it says", where=where)
            target.write(chunk)


def _link(links: list[tuple[Path, str]], root: Path, where: str) -> None:
    """Make the symlinks after all files, then check where they lead once all of them are there."""
    for path, _ in links:
        if path.is_dir() and not path.is_symlink():
            raise InvalidInput(f"'{path.relative_to(root)}' is a symlink, and a directory too", where=where)
    made: list[Path] = []
    for path, target in links:
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        made.append(path)
    astray = [path for path in made if not _leads_inside(path, root)]
    if astray:
        for path in made:
            path.unlink(missing_ok=True)
        raise InvalidInput(f"the symlink '{astray[0].relative_to(root)}' leads outside", where=where)


def _leads_inside(path: Path, root: Path) -> bool:
    try:
        return not path.readlink().is_absolute() and path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a circle of links leads nowhere
        return False

"""Noticing that files changed: asked before each request, answered from the kernel's notes (inotify) at once.

A change made before the question is always noticed. Where there is no inotify (or no room for more watches), every
question looks at the files' times and sizes instead.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from app.sam_local.packing import LEFT_OUT

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _IS_DIR, _OVERFLOW = 0x400, 0x800, 0x40000000, 0x4000
_MASK = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_EVENT = struct.Struct("iIII")
_NOT_CODE = (".pyc", ".pyo", ".swp", ".swx", "~")


class Watch(Protocol):
    """Some places: directories with all below them, or single files."""

    def changed(self) -> set[Path]:
        """The places in which something changed since the last question."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


def watch(places: Iterable[Path]) -> Watch:
    """A watch over `places`, from now on."""
    wanted = tuple(dict.fromkeys(places))
    try:
        return _Notified(wanted)
    except OSError:
        return _Compared(wanted)


class Nothing:
    """No watch at all."""

    def changed(self) -> set[Path]:
        """None, ever."""
        return set()

    def close(self) -> None:
        """Nothing to do."""


class _Notified:
    def __init__(self, places: tuple[Path, ...]) -> None:
        if not sys.platform.startswith("linux"):
            raise OSError(errno.ENOSYS, "no inotify")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self._places = places
        self._watched: dict[int, str] = {}
        self._compared: _Compared | None = None
        try:
            for place in places:
                if place.is_dir():
                    self._add_below(str(place))
                else:  # a file is replaced as often as it is written: its directory tells of both
                    self._add(str(place.parent))
        except OSError:
            self.close()
            raise

    def changed(self) -> set[Path]:
        """See `Watch`."""
        if self._compared is not None:
            return self._compared.changed()
        found: set[Path] = set()
        while True:
            try:
                data = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                return found
            position = 0
            while position < len(data):
                number, mask, _, length = _EVENT.unpack_from(data, position)
                start = position + _EVENT.size
                name = os.fsdecode(data[start : start + length].rstrip(b"\0"))
                position = start + length
                found |= self._places_of(number, mask, name)

    def close(self) -> None:
        """See `Watch`."""
        os.close(self._descriptor)

    def _places_of(self, number: int, mask: int, name: str) -> set[Path]:
        if mask & _OVERFLOW:
            return set(self._places)
        directory = self._watched.get(number)
        if directory is None or name in LEFT_OUT or name.endswith(_NOT_CODE):
            return set()
        path = os.path.join(directory, name) if name else directory  # noqa: PTH118  (thousands of these)
        if mask & _IS_DIR and mask & (_CREATE | _MOVED_TO):
            try:
                self._add_below(path)
            except OSError:  # no room for more: from now on files are compared
                self._compared = _Compared(self._places)
        return {
            place for place in self._places
            if path == str(place) or path.startswith(f"{place}{os.sep}")
        }  # fmt: skip

    def _add_below(self, directory: str) -> None:
        for root, names, _ in os.walk(directory, followlinks=False):
            names[:] = [name for name in names if name not in LEFT_OUT]
            self._add(root)

    def _add(self, directory: str) -> None:
        number = self._libc.inotify_add_watch(self._descriptor, os.fsencode(directory), _MASK)
        if number >= 0:
            self._watched[number] = directory
        elif ctypes.get_errno() != errno.ENOENT:
            raise OSError(ctypes.get_errno(), "inotify", directory)


class _Compared:
    def __init__(self, places: tuple[Path, ...]) -> None:
        self._before = {place: _look(place) for place in places}

    def changed(self) -> set[Path]:
        """See `Watch`."""
        now = {place: _look(place) for place in self._before}
        found = {place for place, state in now.items() if state != self._before[place]}
        self._before = now
        return found

    def close(self) -> None:
        """See `Watch`."""


def _look(place: Path) -> Mapping[str, tuple[int, int]]:
    """Every file with its time and size."""
    if not place.is_dir():
        return _stat({str(place)})
    found: set[str] = set()
    for root, directories, names in os.walk(place):
        directories[:] = [name for name in directories if name not in LEFT_OUT]
        found.update(os.path.join(root, name) for name in names if not name.endswith(_NOT_CODE))  # noqa: PTH118
    return _stat(found)


def _stat(paths: Iterable[str]) -> Mapping[str, tuple[int, int]]:
    found = {}
    for path in paths:
        try:
            state = os.stat(path)  # noqa: PTH116
        except OSError:
            continue
        found[path] = (state.st_mtime_ns, state.st_size)
    return found

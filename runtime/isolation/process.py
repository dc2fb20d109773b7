"""One process in a sandbox, as its owner sees it: the lines it writes, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os

from runtime.isolation.spec import Exit, OnExit, OnLine

_READ_BYTES = 1 << 16
_READS_AT_ONCE = 64
_LONGEST_BYTES = _READ_BYTES * 4


class Process:
    """`forked`: it began as a copy of the template. `log` is where it writes, once it was opened."""

    def __init__(self, on_line: OnLine, on_exit: OnExit, *, forked: bool) -> None:
        self.forked = forked
        self._on_line = on_line
        self._on_exit = on_exit
        self._log: int | None = None
        self._partial = b""

    def open_log(self) -> int:
        """The end of a new pipe that the process is to write to; to be closed by the caller."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._log = reading
        asyncio.get_running_loop().add_reader(reading, self._read)
        return writing

    def drain(self) -> None:
        """Hand on everything it has written so far, the last line although it has no end yet."""
        self._read()
        if self._partial:
            partial, self._partial = self._partial, b""
            self._on_line(partial.decode("utf-8", "replace"))

    def _read(self) -> None:
        for _ in range(_READS_AT_ONCE):
            if self._log is None:
                return
            try:
                data = os.read(self._log, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self._close_log()
                return
            *lines, self._partial = (self._partial + data).split(b"\n")
            for line in lines:
                self._on_line(line.decode("utf-8", "replace"))
            if len(self._partial) > _LONGEST_BYTES:
                partial, self._partial = self._partial, b""
                self._on_line(partial.decode("utf-8", "replace"))

    def ended(self, how: Exit) -> None:
        """It has ended by itself, or something ended it."""
        self.forget()
        self._on_exit(how)

    def forget(self) -> None:
        """Nobody cares for its end: hand on what it has written, and nothing after that."""
        self.drain()
        self._close_log()

    def _close_log(self) -> None:
        if self._log is not None:
            asyncio.get_running_loop().remove_reader(self._log)
            with contextlib.suppress(OSError):
                os.close(self._log)
            self._log = None

"""Cells for sandboxes: some are made before they are needed, so that a cold start waits for neither fork nor mounts."""

from __future__ import annotations

import asyncio
import itertools
import os
import struct
from collections import deque

from runtime.isolation.cell import Cell
from runtime.isolation.cgroups import Group, Places
from runtime.isolation.launcher import Launcher
from runtime.isolation.listener import Listener
from runtime.isolation.users import Users

_REFILL_S = 0.05
_PAGE = os.sysconf("SC_PAGESIZE")


class Supply:
    """`prepared` is how many cells are kept ready."""

    def __init__(self, launcher: Launcher, users: Users | None, places: Places, prepared: int) -> None:
        self._launcher = launcher
        self._users = users
        self._places = places
        self._wanted = prepared
        self._numbers = itertools.count()
        self._free: deque[int] = deque()
        self._ready: deque[tuple[Listener, Cell]] = deque()
        self._refilling: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to prepare."""
        self._refill_later()

    def take(self) -> tuple[Listener, Cell | None]:
        """An address, and the cell behind it; no cell when none was ready and none can be had right now."""
        self._refill_later()
        while self._ready:
            listener, cell = self._ready.popleft()
            if cell.is_open:
                return listener, cell
            listener.close()
        listener = Listener()
        try:
            return listener, self.cell(listener.address)
        except OSError:
            return listener, None

    def cell(self, address: str) -> Cell:
        """A new cell behind that address.

        Raises:
            OSError: the template does not take requests at this moment.
        """
        number = self._free.popleft() if self._free else next(self._numbers)
        os.ftruncate(self._launcher.pages, max(os.fstat(self._launcher.pages).st_size, (number + 1) * _PAGE))
        os.pwrite(self._launcher.pages, bytes(_PAGE), number * _PAGE)
        group = Group(self._places, f"{os.getpid()}-{number}")
        try:
            return Cell(self._launcher, self._users, group, number, address, self._free.append)
        except OSError:
            self._free.append(number)
            raise

    def imported(self, cell: Cell) -> float:
        """The share of the preloaded modules that a handler in the cell has imported."""
        (given,) = struct.unpack("=I", os.pread(self._launcher.pages, 4, cell.number * _PAGE))
        return min(float(given) / self._launcher.modules, 1.0)

    def close(self) -> None:
        """Give up what is ready."""
        self._closed = True
        if self._refilling is not None:
            self._refilling.cancel()
        for listener, cell in self._ready:
            cell.close()
            listener.close()
        self._ready.clear()

    def _refill_later(self) -> None:
        """Not while environments are being started: that would take processor time from them."""
        if self._refilling is not None:
            self._refilling.cancel()
        if self._wanted and not self._closed:
            self._refilling = asyncio.get_running_loop().call_later(_REFILL_S, self._refill)

    def _refill(self) -> None:
        self._refilling = None
        if len(self._ready) >= self._wanted:
            return
        listener = Listener()
        try:
            self._ready.append((listener, self.cell(listener.address)))
        except OSError:
            listener.close()
        self._refill_later()

"""One keeper as the server sees it: asked to start processes, to end them, and what it reports."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from runtime.isolation.cgroups import Group
from runtime.isolation.launcher import Launcher
from runtime.isolation.users import Users

_MESSAGE_BYTES = 1 << 17
_BUFFER_BYTES = 1 << 19
_FIRST_RETRY_S, _LAST_RETRY_S = 0.01, 5.0
_log = logging.getLogger(__name__)

OnExit = Callable[[str, int, bool, int], None]
"""The id of a process, its exit code (negative for a signal), whether it took too much memory, its most bytes."""


class Cell:
    """A keeper that was asked for. It may not exist yet; what is sent to it waits until it does."""

    def __init__(
        self,
        launcher: Launcher,
        users: Users | None,
        group: Group,
        number: int,
        address: str,
        given_up: Callable[[int], None],
    ) -> None:
        self._users = users
        self._given_up = given_up
        self.group = group
        self.number = number
        """Also the page on which its handler counts what it imports."""
        self.user = users.take() if users is not None else os.getuid()
        self.pid = 0
        """The keeper; 0 until it exists."""
        self.overhead = 0
        """Bytes in use before anything of a function ran."""
        self._on_exit: OnExit | None = None
        self._on_lost: Callable[[], None] | None = None
        self._closed = False
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        mine.setblocking(False)
        self._channel = mine
        plan = {
            "address": address,
            "user": self.user,
            "page": number,
            "groups": [str(directory) for directory in group.directories],
        }
        try:
            launcher.request(plan, theirs)
        except OSError:
            mine.close()
            self._give_back()
            raise
        finally:
            theirs.close()
        asyncio.get_running_loop().add_reader(mine.fileno(), self._receive)

    @property
    def is_open(self) -> bool:
        """Whether it can still be used."""
        return not self._closed

    @property
    def own_user(self) -> int | None:
        """Its user id if nobody else has the same."""
        return self.user if self._users is not None else None

    def use(self, furnishing: Mapping[str, Any], on_exit: OnExit, on_lost: Callable[[], None]) -> None:
        """Make it the place of one function. `on_lost` is called when the keeper is gone without being asked to."""
        self._on_exit, self._on_lost = on_exit, on_lost
        self._send({"furnish": furnishing})

    def spawn(self, identifier: str, request: Mapping[str, Any], log: int) -> None:
        """Start a process whose stdout and stderr are `log`; the caller still has to close that."""
        self._send({"spawn": identifier, **request}, log)

    def signal(self, identifier: str, number: int) -> None:
        """Send a signal to the group of that process."""
        self._send({"signal": identifier, "number": number})

    def kill(self) -> None:
        """End every process inside; nothing is reported about those."""
        self._send({"kill": True})

    def close(self) -> None:
        """End the keeper, and by that everything inside."""
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._channel.close()
            self._clean(_FIRST_RETRY_S)

    def _clean(self, again_s: float) -> None:
        """Remove the group and let the user id be used again, as soon as nothing is left inside."""
        if self.group.remove() or again_s > _LAST_RETRY_S:
            self._give_back()
            self._given_up(self.number)
        else:
            asyncio.get_running_loop().call_later(again_s, self._clean, again_s * 2)

    def _give_back(self) -> None:
        if self._users is not None:
            self._users.give_back(self.user)

    def _send(self, message: Mapping[str, Any], *descriptors: int) -> None:
        if self._closed:
            return
        try:
            socket.send_fds(self._channel, [json.dumps(message).encode()], descriptors)
        except OSError:
            asyncio.get_running_loop().call_soon(self._lost)

    def _receive(self) -> None:
        while not self._closed:
            try:
                data = self._channel.recv(_MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._lost()
                return
            self._heed(json.loads(data))

    def _heed(self, message: Mapping[str, Any]) -> None:
        if "failed" in message:
            _log.error("a sandbox could not be made: %s", message["failed"])
        elif "keeper" in message:
            self.pid = message["keeper"]
        elif "furnished" in message:
            self.overhead = message["furnished"]
        elif self._on_exit is not None:
            self._on_exit(message["exit"], message["code"], message["exhausted"], message["peak"])

    def _lost(self) -> None:
        if not self._closed:
            self.close()
            if self._on_lost is not None:
                self._on_lost()

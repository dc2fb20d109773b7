"""User ids for sandboxes: one each, and no two servers on a machine use the same."""

from __future__ import annotations

import errno
import pwd
import socket
from collections import deque

_SMALLEST = 128


class Users:
    """A block of the given range, for at least `count` at once, that no other server has claimed and no account has.

    The claims are sockets with names that only one process can have; they end with this process, however that ends.

    Raises:
        OSError: the whole range is claimed.
    """

    def __init__(self, first: int, last: int, count: int = _SMALLEST) -> None:
        self._claims: list[socket.socket] = []
        parts = -(-count // _SMALLEST)
        taken = {account.pw_uid for account in pwd.getpwall()}
        for start in range(first, last - parts * _SMALLEST + 2, _SMALLEST):
            self.range = range(start, start + parts * _SMALLEST)
            if taken.isdisjoint(self.range) and self._claim():
                break
        else:
            raise OSError(errno.EAGAIN, f"no {count} user ids between {first} and {last} are free")
        self._free = deque(self.range)
        self._used: set[int] = set()

    def _claim(self) -> bool:
        for start in self.range[::_SMALLEST]:
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._claims.append(claim)
            try:
                claim.bind(f"\0penstock-sandbox-users-{start}")
            except OSError:
                self.close()
                return False
        return True

    def take(self) -> int:
        """One that nobody uses, and that nobody has used for as long as possible.

        Raises:
            OSError: all are in use.
        """
        if not self._free:
            raise OSError(errno.EAGAIN, f"all {len(self.range)} user ids for functions are in use")
        user = self._free.popleft()
        self._used.add(user)
        return user

    def give_back(self, user: int) -> None:
        """Nobody uses it any more."""
        if user in self._used:
            self._used.remove(user)
            self._free.append(user)

    def close(self) -> None:
        """Give up the claims."""
        for claim in self._claims:
            claim.close()
        self._claims.clear()

"""User ids for sandboxes: one each, and no two servers on a machine use the same."""

from __future__ import annotations

import itertools
import pwd
import socket
from collections.abc import Iterable

_BLOCK = 1000


class Users:
    """A block of the given range that no other server has claimed, and that no account of the machine lies in.

    The claim is a socket with a name that only one process can have; it ends with this process, however that ends.
    """

    def __init__(self, first: int, last: int) -> None:
        self._claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        taken = {account.pw_uid for account in pwd.getpwall()}
        for block in range(first, last - _BLOCK + 2, _BLOCK):
            self.range = range(block, block + _BLOCK)
            if taken.isdisjoint(self.range) and self._claimed(block):
                break
        else:
            raise LookupError(f"no free block of user ids between {first} and {last}")
        self._next: Iterable[int] = itertools.cycle(self.range)
        self._used: set[int] = set()

    def _claimed(self, block: int) -> bool:
        try:
            self._claim.bind(f"\0penstock-sandbox-users-{block}")
        except OSError:
            return False
        return True

    def take(self) -> int:
        """One that nobody uses, and that nobody has used for as long as possible."""
        for user in self._next:
            if user not in self._used:
                self._used.add(user)
                return user
        raise AssertionError("a cycle does not end")

    def give_back(self, user: int) -> None:
        """Nobody uses it any more."""
        self._used.discard(user)

    def close(self) -> None:
        """Give up the claim."""
        self._claim.close()

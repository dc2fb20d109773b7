"""The right to drive one execution, as seen by everything that works under it."""

from __future__ import annotations

import threading

from core.errors import LeaseLost
from store.records import Lease


class Holding:
    """A lease that is renewed elsewhere. Once it is let go of, everybody who asks is told to stop where they are."""

    def __init__(self, lease: Lease) -> None:
        self._lock = threading.Lock()
        self._lease = lease
        self._why_gone = ""

    @property
    def lease(self) -> Lease:
        """The lease as last renewed; its fence never changes."""
        return self._lease

    @property
    def gone(self) -> str:
        """Why the execution must not be driven on by us; "" while it may."""
        return self._why_gone

    def renewed(self, lease: Lease) -> None:
        """Keep the later end."""
        with self._lock:
            self._lease = lease

    def let_go(self, why: str) -> None:
        """From now on nothing more may be done under this holding."""
        with self._lock:
            self._why_gone = self._why_gone or why

    def check(self) -> None:
        """Return while the execution may be driven on.

        Raises:
            LeaseLost: it may not; leave everything as it is, whoever comes next continues it.
        """
        if self._why_gone:
            raise LeaseLost(f"the lease '{self._lease.name}' was let go of", why=self._why_gone)

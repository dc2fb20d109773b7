"""Leases: the right to drive something, with a token that grows at every taking so that late writers are fenced off."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, insert, select, update

from core.errors import LeaseLost
from store.records import Lease
from store.session import Session, fields, record_of
from store.tables import leases

_NOBODY = ""
_FENCE = select(leases.c.holder, leases.c.token).where(leases.c.name == bindparam("this_name"))


class LeaseReader(Session):
    """Reads leases."""

    def lease(self, name: str) -> Lease | None:
        """The lease as it was last taken or renewed, expired or not; None when nobody holds it."""
        row = self._first(select(leases).where(leases.c.name == name))
        return None if row is None or row.holder == _NOBODY else record_of(Lease, row)

    def check_lease(self, lease: Lease) -> None:
        """Return if `lease` has not been taken by anybody since.

        Raises:
            LeaseLost: it has; whoever sees this must stop writing.
        """
        row = self._first(_FENCE, {"this_name": lease.name})
        if row is None or row.token != lease.token or row.holder != lease.holder:
            raise _lost(lease, row.holder if row is not None else _NOBODY)


class LeaseWriter(LeaseReader):
    """Takes, renews and releases leases."""

    def take_lease(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """The lease for `holder`, or None while somebody alive holds it.

        It can be taken when it is free, expired, held by `holder` itself, or held by a process known to be dead.
        """
        now = self._clock.now()
        row = self._first(select(leases).where(leases.c.name == name).with_for_update())
        if row is not None and not self._takeable(record_of(Lease, row), holder):
            return None
        token = 1 if row is None else int(row.token) + 1
        lease = Lease(name, holder, token, now + timedelta(seconds=ttl_s))
        if row is None:
            self._connection.execute(insert(leases), fields(lease))
        else:
            self._connection.execute(update(leases).where(leases.c.name == name), fields(lease))
        return lease

    def renew_lease(self, lease: Lease, ttl_s: float) -> Lease:
        """`lease` with a later end and the same token.

        Raises:
            LeaseLost: somebody else took it, or it was released.
        """
        expires_at = self._clock.now() + timedelta(seconds=ttl_s)
        if not self._set(lease, lease.holder, expires_at=expires_at):
            self.check_lease(lease)
        return Lease(lease.name, lease.holder, lease.token, expires_at)

    def release_lease(self, lease: Lease) -> None:
        """Give it back; nothing happens when it is no longer ours."""
        self._set(lease, _NOBODY, expires_at=self._clock.now())

    def _set(self, lease: Lease, holder: str, **values: object) -> bool:
        table = leases
        ours = update(table).where(
            table.c.name == lease.name, table.c.token == lease.token, table.c.holder == lease.holder
        )
        return self._connection.execute(ours, {"holder": holder, **values}).rowcount == 1

    def _takeable(self, lease: Lease, holder: str) -> bool:
        if lease.holder in (_NOBODY, holder) or lease.expires_at <= self._clock.now():
            return True
        return self._alive(lease.holder) is False


def _lost(lease: Lease, holder: str) -> LeaseLost:
    now = f"{holder} holds it now" if holder else "it was released"
    return LeaseLost(f"the lease '{lease.name}' is no longer ours", why=now)

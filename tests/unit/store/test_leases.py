"""A lease has one holder at a time, and its token fences off whoever comes late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import VirtualClock
from core.errors import LeaseLost
from store.database import Database
from store.records import Lease


def take(database: Database, holder: str, ttl_s: float = 10) -> Lease | None:
    with database.transaction() as transaction:
        return transaction.take_lease("release:x", holder, ttl_s)


def must_take(database: Database, holder: str, ttl_s: float = 10) -> Lease:
    lease = take(database, holder, ttl_s)
    assert lease is not None
    return lease


def test_a_held_lease_is_not_given_to_another(database: Database, clock: VirtualClock) -> None:
    lease = must_take(database, "me")
    assert lease.expires_at == clock.now() + timedelta(seconds=10)
    assert take(database, "other") is None
    assert take(database, "far away") is None
    with database.snapshot() as snapshot:
        assert snapshot.lease("release:x") == lease
        assert snapshot.lease("release:y") is None


def test_it_can_be_taken_when_it_has_expired(database: Database, clock: VirtualClock) -> None:
    first = must_take(database, "far away")
    clock.advance(9.999)
    assert take(database, "other") is None
    clock.advance(0.001)
    assert must_take(database, "other").token == first.token + 1


def test_a_dead_holder_is_overtaken_at_once(database: Database, dead: set[str]) -> None:
    first = must_take(database, "crashed")
    dead.add("crashed")
    assert must_take(database, "other").token == first.token + 1


def test_taking_again_by_the_same_holder_fences_its_earlier_self_off(database: Database) -> None:
    first = must_take(database, "me")
    second = must_take(database, "me")
    assert second.token == first.token + 1
    with pytest.raises(LeaseLost), database.transaction(lease=first):
        pass
    with database.transaction(lease=second):
        pass


def test_renewing_keeps_the_token_and_moves_the_end(database: Database, clock: VirtualClock) -> None:
    lease = must_take(database, "me")
    clock.advance(8)
    with database.transaction() as transaction:
        renewed = transaction.renew_lease(lease, 10)
    assert (renewed.token, renewed.expires_at) == (lease.token, clock.now() + timedelta(seconds=10))
    clock.advance(8)
    assert take(database, "other") is None
    with database.transaction(lease=lease):
        pass


def test_a_lost_lease_cannot_be_renewed(database: Database, clock: VirtualClock) -> None:
    lease = must_take(database, "me")
    clock.advance(11)
    must_take(database, "other")
    with pytest.raises(LeaseLost, match="other holds it now"), database.transaction() as transaction:
        transaction.renew_lease(lease, 10)


def test_releasing_frees_it_and_tokens_still_grow(database: Database) -> None:
    lease = must_take(database, "me")
    with database.transaction() as transaction:
        transaction.release_lease(lease)
        assert transaction.lease("release:x") is None
    with pytest.raises(LeaseLost, match="released"), database.transaction() as transaction:
        transaction.renew_lease(lease, 10)
    with pytest.raises(LeaseLost), database.transaction(lease=lease):
        pass
    assert must_take(database, "other").token == lease.token + 1


def test_releasing_a_lost_lease_does_not_free_it(database: Database, clock: VirtualClock) -> None:
    lease = must_take(database, "me")
    clock.advance(11)
    theirs = must_take(database, "other")
    with database.transaction() as transaction:
        transaction.release_lease(lease)
        assert transaction.lease("release:x") == theirs

"""Transactions and snapshots: all or nothing, one moment, turns."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from core.clock import VirtualClock
from core.errors import Conflict, LeaseLost, NotFound, Unavailable
from store.database import Database
from store.records import NewEvent
from tests.fakes.store_records import an_execution


def test_an_exception_undoes_everything(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as transaction:
            transaction.save_pipeline("orders", {}, "d", "f")
            transaction.append(NewEvent("Happened", "orders"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.snapshot() as snapshot:
        assert snapshot.pipelines() == []
        assert snapshot.last_seq() == 0
        assert snapshot.verify().ok


def test_a_snapshot_sees_one_moment(database: Database) -> None:
    with database.snapshot() as snapshot:
        assert snapshot.last_seq() == 0
        write = threading.Thread(target=_append, args=(database,))
        write.start()
        write.join()
        assert snapshot.last_seq() == 0
        assert snapshot.events() == []
    with database.snapshot() as snapshot:
        assert snapshot.last_seq() == 1


def _append(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.append(NewEvent("Happened", "x"))


def test_a_snapshot_cannot_write(database: Database) -> None:
    with database.snapshot() as snapshot:
        assert not hasattr(snapshot, "append")
        assert not hasattr(snapshot, "update_execution")


def test_a_transaction_inside_another_of_the_same_thread_is_refused_at_once(database: Database) -> None:
    with database.transaction(), pytest.raises(RuntimeError, match="wait for itself"), database.transaction():
        pass
    with database.transaction() as transaction:
        transaction.append(NewEvent("Happened", "x"))


def test_a_database_that_stays_busy_is_unavailable(
    database: Database, tmp_path: Path, url: str, clock: VirtualClock
) -> None:
    impatient = Database.open(url, clock=clock, busy_timeout_s=0.05)
    blocker = sqlite3.connect(tmp_path / "penstock.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"), impatient.transaction():
        pass
    with impatient.snapshot() as snapshot:  # readers do not wait
        assert snapshot.last_seq() == 0
    blocker.execute("COMMIT")
    with impatient.transaction() as transaction:
        assert transaction.append(NewEvent("Happened", "x")).seq == 1
    blocker.close()
    impatient.close()


def test_a_taken_id_is_a_conflict_and_a_missing_owner_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound), database.transaction() as transaction:
        transaction.add_execution(an_execution())
    with database.transaction() as transaction:
        transaction.save_pipeline("orders", {}, "d", "f")
        transaction.add_execution(an_execution())
    with pytest.raises(Conflict), database.transaction() as transaction:
        transaction.add_execution(an_execution(number=2))
    with pytest.raises(Conflict), database.transaction() as transaction:
        transaction.add_execution(an_execution("other"))


def test_a_lost_lease_stops_a_transaction_before_it_begins(database: Database, clock: VirtualClock) -> None:
    with database.transaction() as transaction:
        mine = transaction.take_lease("x", "me", 10)
    clock.advance(11)
    with database.transaction(lease=mine) as transaction:  # late, but nobody took it
        transaction.append(NewEvent("Happened", "x"))
    with database.transaction() as transaction:
        assert transaction.take_lease("x", "other", 10) is not None
    reached = False
    with pytest.raises(LeaseLost, match="other holds it now"), database.transaction(lease=mine):
        reached = True
    assert not reached


def test_many_threads_write_in_turns(database: Database) -> None:
    def work() -> None:
        for _ in range(25):
            _append(database)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.snapshot() as snapshot:
        assert snapshot.last_seq() == 150
        assert snapshot.verify().ok


def test_a_durable_transaction_syncs_fully_and_the_next_does_not(database: Database) -> None:
    for durable, level in ((True, 2), (False, 1), (True, 2), (False, 1)):
        with database.transaction(durable=durable) as transaction:
            found = transaction._connection.exec_driver_sql("PRAGMA synchronous").scalar()
            assert found == level


def test_a_follower_notices_every_commit_and_nothing_else(database: Database, url: str, clock: VirtualClock) -> None:
    marker = database.changed(None)
    assert database.changed(marker) == marker
    _append(database)
    after = database.changed(marker)
    assert after != marker
    with database.snapshot() as snapshot:
        snapshot.events()
    with pytest.raises(TypeError), database.transaction() as transaction:
        transaction.append(NewEvent("Happened", "x", facts={"x": object()}))
    assert database.changed(after) == after
    other = Database.open(url, clock=clock)
    _append(other)
    other.close()
    assert database.changed(after) != after

"""Leases of executions: taken once, handed back, and what the ledger is told when an execution could not go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import VirtualClock
from pipelines.engine.claims import Claims
from store.database import Database
from tests.fakes.store_records import an_execution

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[Claims]:
    clock = VirtualClock(NOW)
    database = Database.open(f"sqlite:///{tmp_path / 'penstock.db'}", clock=clock, alive=lambda _: True)
    with database.transaction() as tx:
        tx.save_pipeline("orders", {"name": "orders"}, "digest", "pipeline.yaml")
        tx.add_execution(an_execution(wake_at=NOW))
    yield Claims(database, clock, "this process")
    database.close()


def test_what_is_handed_back_without_a_problem_is_free_and_leaves_no_word(claims: Claims) -> None:
    _, [(execution, lease)] = claims.look((), 1)

    claims.hand_back(execution.id, lease)

    _, again = claims.look((), 1)
    assert [taken.id for taken, _ in again] == [execution.id]
    with claims.database.snapshot() as reader:
        assert reader.events(execution.id) == []


def test_the_ledger_says_that_an_execution_could_not_be_advanced(claims: Claims) -> None:
    _, [(execution, lease)] = claims.look((), 1)

    claims.hand_back(execution.id, lease, "the engine failed")

    with claims.database.snapshot() as reader:
        assert [(event.kind, event.why) for event in reader.events(execution.id)] == [
            ("AdvanceFailed", "the engine failed")
        ]
        assert reader.verify().ok


def test_whoever_lost_the_lease_tells_nothing(claims: Claims) -> None:
    _, [(execution, lease)] = claims.look((), 1)
    with claims.database.transaction() as tx:
        tx.release_lease(lease)
        tx.take_lease(lease.name, "another process", 10)

    claims.hand_back(execution.id, lease, "the engine failed")

    with claims.database.snapshot() as reader:
        assert reader.events(execution.id) == []

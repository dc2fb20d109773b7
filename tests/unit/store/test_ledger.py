"""The ledger is one chain: nothing in it can be changed, taken out, put in or cut off without being noticed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import VirtualClock
from core.units import iso
from store.database import Database
from store.events import FIRST_PREVIOUS, chain_hash
from store.records import NewEvent

COUNT = 6
COLUMNS = ["at", "kind", "subject", "why", "execution_id", "facts", "previous", "hash"]


@pytest.fixture
def ledger(database: Database, tmp_path: Path, clock: VirtualClock) -> Path:
    """A database file whose ledger holds a few events."""
    for n in range(COUNT):
        clock.advance(0.5)
        with database.transaction() as transaction:
            transaction.append(
                NewEvent("Happened", f"thing {n}", "because", "e-1" if n % 2 else "", {"n": n, "é": [1]})
            )
    return tmp_path / "penstock.db"


def tamper(path: Path, *statements: str, parameters: tuple[Any, ...] = ()) -> None:
    """Write into the file as somebody who took the guards away first."""
    raw = sqlite3.connect(path)
    for verb in ("update", "delete"):
        raw.execute(f"DROP TRIGGER IF EXISTS events_no_{verb}")
    for statement in statements:
        raw.execute(statement, parameters)
    raw.commit()
    raw.close()


def test_events_come_in_order_and_by_execution(database: Database, ledger: Path) -> None:
    with database.snapshot() as snapshot:
        events = snapshot.events()
        assert [event.seq for event in events] == [1, 2, 3, 4, 5, 6]
        assert [event.seq for event in snapshot.events("e-1")] == [2, 4, 6]
        assert [event.seq for event in snapshot.events(after=2, limit=3)] == [3, 4, 5]
        assert events[0].facts == {"n": 0, "é": [1]}
        assert snapshot.last_seq() == COUNT
        assert snapshot.verify().count == COUNT


def test_each_hash_covers_every_field_and_the_hash_before(database: Database, ledger: Path) -> None:
    with database.snapshot() as snapshot:
        previous = FIRST_PREVIOUS
        for event in snapshot.events():
            body = {
                "seq": event.seq,
                "at": iso(event.at),
                "kind": event.kind,
                "subject": event.subject,
                "why": event.why,
                "execution_id": event.execution_id,
                "facts": event.facts,
                "previous": previous,
            }
            assert event.previous == previous
            assert event.hash == chain_hash(body)
            previous = event.hash


def test_appending_gives_back_what_will_be_read(database: Database) -> None:
    with database.transaction() as transaction:
        given_back = transaction.append(NewEvent("Happened", "x", facts={"at": transaction._clock.now(), "t": (1, 2)}))
    with database.snapshot() as snapshot:
        assert snapshot.events() == [given_back]
        assert snapshot.verify().ok


def test_several_events_at_once_are_the_same_chain_as_one_by_one(database: Database) -> None:
    news = [NewEvent("Happened", f"thing {n}", facts={"n": n}) for n in range(3)]
    with database.transaction() as transaction:
        one = transaction.append(NewEvent("Happened", "before"))
        several = transaction.append_all(news)
        assert transaction.append_all([]) == []
        last = transaction.append(NewEvent("Happened", "after"))
    with database.snapshot() as snapshot:
        assert snapshot.events() == [one, *several, last]
        assert [event.subject for event in several] == ["thing 0", "thing 1", "thing 2"]
        assert (snapshot.last_seq(), snapshot.verify().ok) == (5, True)


@pytest.mark.parametrize("facts", [{"x": float("nan")}, {"x": object()}, {"x": {1, 2}}])
def test_facts_json_cannot_say_are_refused(database: Database, facts: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)), database.transaction() as transaction:
        transaction.append(NewEvent("Happened", "x", facts=facts))


@pytest.mark.parametrize("statement", ["UPDATE events SET why = 'x' WHERE seq = 3", "DELETE FROM events WHERE seq = 6"])
def test_the_database_itself_refuses_changes(ledger: Path, statement: str) -> None:
    raw = sqlite3.connect(ledger)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(statement)
    raw.close()


@pytest.mark.parametrize(
    ("statements", "bad_seq"),
    [
        (("DELETE FROM events WHERE seq = 6",), 6),
        (("DELETE FROM events WHERE seq > 2",), 3),
        (("DELETE FROM events",), 1),
        (("DELETE FROM events WHERE seq = 1",), 1),
        (("DELETE FROM events WHERE seq = 3",), 3),
        (("DELETE FROM ledger_head",), 7),
        (("UPDATE ledger_head SET seq = 5",), 7),
        (("UPDATE ledger_head SET hash = 'x'",), 7),
        (("UPDATE events SET seq = 7 WHERE seq = 6",), 6),
        (("UPDATE events SET seq = -1 WHERE seq = 2", "UPDATE events SET seq = 2 WHERE seq = 3"), 1),
        ((f"INSERT INTO events SELECT 7, {', '.join(COLUMNS[:-2])}, hash, hash FROM events WHERE seq = 6",), 7),
        (("UPDATE events SET facts = facts || ' ' WHERE seq = 4",), 4),
        (("UPDATE events SET facts = 'no json' WHERE seq = 4",), 4),
        (("UPDATE events SET facts = x'00ff' WHERE seq = 4",), 4),
        (("UPDATE events SET at = 5 WHERE seq = 4",), 4),
        (("UPDATE events SET at = '2026-01-02T03:04:05Z' WHERE seq = 4",), 4),
    ],
)
def test_tampering_is_found_where_it_happened(
    database: Database, ledger: Path, statements: tuple[str, ...], bad_seq: int
) -> None:
    tamper(ledger, *statements)
    with database.snapshot() as snapshot:
        report = snapshot.verify()
    assert (report.ok, report.bad_seq) == (False, bad_seq)
    assert report.reason


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    seq=st.integers(1, COUNT),
    column=st.sampled_from(COLUMNS),
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
    | st.binary(max_size=4)
    | st.integers(0, 9),
)
def test_any_other_value_in_any_field_is_found(
    database: Database, ledger: Path, seq: int, column: str, value: str | bytes | int
) -> None:
    raw = sqlite3.connect(ledger)
    row = raw.execute(f"SELECT {column} FROM events WHERE seq = {seq}").fetchone()
    raw.close()
    kept = str(value) if isinstance(value, int) else value  # the column's affinity is text
    if kept == row[0]:
        return
    tamper(ledger, f"UPDATE events SET {column} = ? WHERE seq = {seq}", parameters=(value,))
    try:
        with database.snapshot() as snapshot:
            report = snapshot.verify()
        assert not report.ok
        assert report.bad_seq in (seq, seq + 1)
    finally:
        tamper(ledger, f"UPDATE events SET {column} = ? WHERE seq = {seq}", parameters=row)
    with database.snapshot() as snapshot:
        assert snapshot.verify().ok

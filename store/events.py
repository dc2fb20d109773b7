"""The ledger: events appended in one chain of hashes, in the same transaction as the change they tell of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from core.units import iso, parse_iso
from store.columns import canonical
from store.records import ChainReport, Event, NewEvent
from store.session import Session
from store.tables import events, ledger_head

FIRST_PREVIOUS = "0" * 64

_HEAD = select(ledger_head.c.seq, ledger_head.c.hash).where(ledger_head.c.id == 1)
_HEAD_FOR_UPDATE = _HEAD.with_for_update()
_APPEND = insert(events)
_MOVE_HEAD = update(ledger_head).where(ledger_head.c.id == 1)


def chain_hash(body: Mapping[str, Any]) -> str:
    """sha256 hex of the canonical JSON of every field of an event but `hash` (`at` as text, `facts` as data)."""
    return hashlib.sha256(canonical(body).encode("ascii")).hexdigest()


class EventReader(Session):
    """Reads the ledger."""

    def events(self, execution_id: str | None = None, after: int = 0, limit: int = 500) -> list[Event]:
        """Events with `seq` > `after`, oldest first."""
        statement = select(events).where(events.c.seq > after).order_by(events.c.seq).limit(limit)
        if execution_id is not None:
            statement = statement.where(events.c.execution_id == execution_id)
        return [_event(dict(row._mapping)) for row in self._all(statement)]

    def last_seq(self) -> int:
        """The number of the newest event, 0 when there is none."""
        row = self._first(_HEAD)
        return 0 if row is None else int(row.seq)

    def verify(self) -> ChainReport:
        """Whether every event is there, unaltered and in its place; `bad_seq` is the first that is not."""
        count = 0
        previous = FIRST_PREVIOUS
        for row in self._connection.execute(select(events).order_by(events.c.seq)).yield_per(1000):
            reason = _wrong(dict(row._mapping), count + 1, previous)
            if reason:
                return ChainReport(False, count, count + 1, reason)
            count += 1
            previous = row.hash
        head = self._first(_HEAD)
        if head is None or (head.seq, head.hash) != (count, previous):
            return ChainReport(False, count, count + 1, "the ledger does not end where it was last written")
        return ChainReport(True, count)


class EventWriter(EventReader):
    """Appends to the ledger."""

    def append(self, new: NewEvent) -> Event:
        """The event as it stands in the ledger once this transaction is committed.

        Raises:
            TypeError, ValueError: `facts` holds something JSON cannot say.
        """
        return self.append_all([new])[0]

    def append_all(self, news: Sequence[NewEvent]) -> list[Event]:
        """The events, one after the other, as `append` but at the cost of one.

        Raises:
            TypeError, ValueError: `facts` holds something JSON cannot say.
        """
        if not news:
            return []
        head = self._connection.execute(_HEAD_FOR_UPDATE).one()
        seq, previous = head.seq, head.hash
        rows: list[dict[str, Any]] = []
        for new in news:
            rows.append(_row(new, seq + 1, iso(self._clock.now()), previous))
            seq, previous = rows[-1]["seq"], rows[-1]["hash"]
        self._connection.execute(_APPEND, rows)
        self._connection.execute(_MOVE_HEAD, {"seq": seq, "hash": previous})
        return [_event(row) for row in rows]


def _row(new: NewEvent, seq: int, at: str, previous: str) -> dict[str, Any]:
    facts = canonical(new.facts)
    body = {
        "seq": seq,
        "at": at,
        "kind": new.kind,
        "subject": new.subject,
        "why": new.why,
        "execution_id": new.execution_id,
        "facts": json.loads(facts),
        "previous": previous,
    }
    return {**body, "facts": facts, "hash": chain_hash(body)}


def _event(row: Mapping[str, Any]) -> Event:
    return Event(**{**row, "at": parse_iso(row["at"]), "facts": json.loads(row["facts"])})


def _wrong(row: dict[str, Any], seq: int, previous: str) -> str:
    """What is wrong with the row that should be event `seq`, "" for nothing."""
    if row["seq"] != seq:
        return f"event {seq} is missing"
    if row["previous"] != previous:
        return "it does not follow the event before it"
    stored = row.pop("hash")
    try:
        facts = json.loads(row["facts"])
        intact = canonical(facts) == row["facts"] and chain_hash({**row, "facts": facts}) == stored
    except (TypeError, ValueError):
        intact = False
    return "" if intact else "it was altered after it was written"

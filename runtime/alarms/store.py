"""Keeps alarms, their history and the actions still to be done, in SQLite; every change is one transaction."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.units import iso, parse_iso
from runtime.alarms.records import Alarm, Item, Pending, State

HISTORY_KEPT = timedelta(days=30)
"""Source: CloudWatch, "Alarm history"."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS alarms (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
  id INTEGER PRIMARY KEY, alarm TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, type TEXT NOT NULL,
  summary TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS history_by_alarm ON history (alarm, at);
CREATE INDEX IF NOT EXISTS history_by_time ON history (at);
CREATE TABLE IF NOT EXISTS pending (
  id INTEGER PRIMARY KEY, resource TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL);
"""


class AlarmStore:
    """Alarms are held in memory as well; the rest is read when asked for. Used from one thread only."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        rows = self._db.execute("SELECT document FROM alarms")
        self._alarms = {alarm.name: alarm for alarm in (_alarm(document) for (document,) in rows)}

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def get(self, name: str) -> Alarm | None:
        """The alarm of that name."""
        return self._alarms.get(name)

    def all(self) -> list[Alarm]:
        """Every alarm, by name."""
        return [self._alarms[name] for name in sorted(self._alarms)]

    def save(self, alarm: Alarm, *items: Item, acting_after: Alarm | None = None) -> None:
        """Keep the alarm as it is now, with what is to be said of it.

        With `acting_after`, the alarm as it was, the actions of its state become pending, unless they are disabled.
        """
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO alarms VALUES (?, ?)", (alarm.name, _document(alarm)))
            self._add(items)
            if acting_after is not None and alarm.acts:
                rows = [(arn, _document(acting_after), _document(alarm)) for arn in alarm.actions]
                self._db.executemany("INSERT INTO pending (resource, before, after) VALUES (?, ?, ?)", rows)
        self._alarms[alarm.name] = alarm

    def delete(self, names: Sequence[str], *items: Item) -> None:
        """Forget these alarms; their history stays."""
        with self._transaction():
            self._db.executemany("DELETE FROM alarms WHERE name = ?", [(name,) for name in names])
            self._add(items)
        for name in names:
            self._alarms.pop(name, None)

    def history(self, alarm: str | None, start: datetime | None, end: datetime | None) -> list[Item]:
        """What happened, oldest first; of every alarm, or of one."""
        query = "SELECT alarm, kind, at, type, summary, data FROM history WHERE at >= ? AND at <= ?"
        values = [iso(start) if start else "", iso(end) if end else "~"]
        if alarm is not None:
            query += " AND alarm = ?"
            values.append(alarm)
        rows = self._db.execute(f"{query} ORDER BY at, id", values)
        return [Item(name, kind, parse_iso(at), type_, summary, data) for name, kind, at, type_, summary, data in rows]

    def trim(self, now: datetime) -> None:
        """Drop history that is too old."""
        self._db.execute("DELETE FROM history WHERE at < ?", (iso(now - HISTORY_KEPT),))

    def pending(self) -> list[Pending]:
        """The actions still to be done, in the order they became so."""
        rows = self._db.execute("SELECT id, resource, before, after FROM pending ORDER BY id")
        return [Pending(number, arn, _alarm(before), _alarm(after)) for number, arn, before, after in rows]

    def done(self, number: int, item: Item) -> None:
        """An action was done, or failed for good."""
        with self._transaction():
            self._db.execute("DELETE FROM pending WHERE id = ?", (number,))
            self._add([item])

    def _add(self, items: Sequence[Item]) -> None:
        rows = [(each.alarm, each.kind, iso(each.at), each.type, each.summary, each.data) for each in items]
        self._db.executemany(
            "INSERT INTO history (alarm, kind, at, type, summary, data) VALUES (?, ?, ?, ?, ?, ?)", rows
        )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _document(alarm: Alarm) -> str:
    data: dict[str, Any] = {
        "name": alarm.name,
        "kind": alarm.kind,
        "settings": dict(alarm.settings),
        "configured": iso(alarm.configured),
        "state": alarm.state.value,
        "reason": alarm.reason,
        "updated": iso(alarm.updated),
        "transitioned": iso(alarm.transitioned),
        "reason_data": alarm.reason_data,
        "tags": dict(alarm.tags),
    }
    return json.dumps(data)


def _alarm(document: str) -> Alarm:
    data = json.loads(document)
    times = {name: parse_iso(data.pop(name)) for name in ("configured", "updated", "transitioned")}
    return Alarm(**{**data, **times, "state": State(data["state"])})

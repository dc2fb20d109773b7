"""Accepted events by idempotency key, and how far each schedule has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from store.dialect import insert_if_absent
from store.records import TriggerRecord
from store.session import Session, fields, record_of
from store.tables import schedule_cursors, triggers


class TriggerReader(Session):
    """Reads triggers."""

    def trigger(self, key: str) -> TriggerRecord | None:
        """The event accepted under `key`, None when there was none."""
        row = self._first(select(triggers).where(triggers.c.key == key))
        return None if row is None else record_of(TriggerRecord, row)

    def trigger_by_execution(self, execution_id: str) -> TriggerRecord | None:
        """The event that started the execution, None when none did (or none is named)."""
        if not execution_id:
            return None
        row = self._first(select(triggers).where(triggers.c.execution_id == execution_id))
        return None if row is None else record_of(TriggerRecord, row)

    def schedule_cursor(self, pipeline: str, key: str) -> datetime | None:
        """The last due time that was dealt with, None for a schedule never seen."""
        table = schedule_cursors
        row = self._first(select(table.c.at).where(table.c.pipeline == pipeline, table.c.key == key))
        if row is None:
            return None
        at: datetime = row.at
        return at


class TriggerWriter(TriggerReader):
    """Writes triggers."""

    def accept_trigger(self, record: TriggerRecord) -> bool:
        """Whether the event is new; an event whose key is known changes nothing."""
        return insert_if_absent(self._connection, triggers, fields(record))

    def set_schedule_cursor(self, pipeline: str, key: str, at: datetime) -> None:
        """Remember that every due time up to `at` was dealt with."""
        table = schedule_cursors
        row = update(table).where(table.c.pipeline == pipeline, table.c.key == key)
        if self._connection.execute(row, {"at": at}).rowcount == 0:
            self._connection.execute(insert(table), {"pipeline": pipeline, "key": key, "at": at})

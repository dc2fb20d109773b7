"""What every reader and writer of one subject stands on: a connection inside a transaction, and the clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Row, Table, insert, update

from core.clock import Clock
from core.errors import Conflict, NotFound

R = TypeVar("R")


class Session:
    """One transaction's connection. `alive` answers whether a lease holder still lives (None: cannot know)."""

    def __init__(self, connection: Connection, clock: Clock, alive: Callable[[str], bool | None]) -> None:
        self._connection = connection
        self._clock = clock
        self._alive = alive

    def _all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> list[Row[Any]]:
        return list(self._connection.execute(statement, parameters).all())

    def _first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        return self._connection.execute(statement, parameters).first()

    def _insert(self, table: Table, record: Any) -> None:
        self._connection.execute(insert(table), fields(record))

    def _compare_and_set(self, table: Table, what: str, record: R, changes: Mapping[str, Any]) -> R:
        """`record` with `changes` and the next revision, written only if nobody wrote since it was read.

        Raises:
            Conflict: somebody did; nothing is written.
            NotFound: there is no such row.
        """
        values = dict(changes)
        if "updated_at" in table.c:
            values.setdefault("updated_at", self._clock.now())
        revision = getattr(record, "revision")  # noqa: B009  (every table that is moved has one)
        changed = dataclasses.replace(record, **values, revision=revision + 1)  # type: ignore[type-var]
        values["revision"] = revision + 1
        this_row = [column == getattr(record, column.key) for column in table.primary_key]
        statement = update(table).where(*this_row, table.c.revision == revision)
        if self._connection.execute(statement, values).rowcount == 1:
            return changed
        if self._first(table.select().where(*this_row)) is None:
            raise NotFound(f"there is no such {what}")
        raise Conflict(f"the {what} was changed by somebody else in the meantime", hint="read it again")


def fields(record: Any) -> dict[str, Any]:
    """A record's fields by name, not copied."""
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def record_of(kind: type[R], row: Row[Any]) -> R:
    """The record whose fields the row's columns are."""
    return kind(**row._mapping)

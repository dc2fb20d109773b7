"""What every reader and writer of one subject stands on: a connection inside a transaction, and the clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Insert,
    Row,
    Table,
    Update,
    bindparam,
    insert,
    select,
    update,
)

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
        self._connection.execute(_insert(table), fields(record))

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
        this_row = {f"this_{column.key}": getattr(record, column.key) for column in table.primary_key}
        parameters = {**values, "revision": revision + 1, **this_row, "this_revision": revision}
        if self._connection.execute(_guarded_update(table), parameters).rowcount == 1:
            return changed
        if self._first(select(table).where(*_this_row(table)), this_row) is None:
            raise NotFound(f"there is no such {what}")
        raise Conflict(f"the {what} was changed by somebody else in the meantime", hint="read it again")


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _guarded_update(table: Table) -> Update:
    """Built once per table: building a statement costs more than running it."""
    return update(table).where(*_this_row(table), table.c.revision == bindparam("this_revision"))


def _this_row(table: Table) -> list[ColumnElement[bool]]:
    return [column == bindparam(f"this_{column.key}", type_=column.type) for column in table.primary_key]


def fields(record: Any) -> dict[str, Any]:
    """A record's fields by name, not copied."""
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def record_of(kind: type[R], row: Row[Any]) -> R:
    """The record whose fields the row's columns are."""
    return kind(**row._mapping)

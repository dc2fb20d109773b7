"""Executions: finding them, those that are due, and moving them by compare-and-set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from core.errors import InvalidInput, NotFound
from store.records import ExecutionRecord, ExecutionStatus
from store.session import Session, record_of
from store.tables import executions

_SHORTEST_PREFIX = 4


class ExecutionReader(Session):
    """Reads executions."""

    def execution(self, id_: str) -> ExecutionRecord:
        """The execution with that full id.

        Raises:
            NotFound: no such execution.
        """
        row = self._first(select(executions).where(executions.c.id == id_))
        if row is None:
            raise NotFound(f"there is no execution '{id_}'")
        return record_of(ExecutionRecord, row)

    def find_execution(self, prefix_or_number: str, pipeline: str | None = None) -> ExecutionRecord:
        """The one execution meant by a full id, the first 4 or more characters of an id, or a number (`12`, `#12`).

        Raises:
            NotFound: none.
            InvalidInput: several, or too few characters.
        """
        text = prefix_or_number.strip()
        number = text.removeprefix("#")
        found: list[ExecutionRecord] = []
        if number.isascii() and number.isdecimal() and len(number) < 10:
            found = self._matching(executions.c.number == int(number), pipeline)
        if not found and len(text) >= _SHORTEST_PREFIX:
            found = self._matching(executions.c.id.startswith(text.lower(), autoescape=True), pipeline)
        if len(found) > 1:
            hint = "give more characters of the id" if pipeline else "name the pipeline, or give the id"
            raise InvalidInput(f"'{text}' may be any of several executions", hint=hint)
        if found:
            return found[0]
        if not number.isdecimal() and len(text) < _SHORTEST_PREFIX:
            raise InvalidInput(f"'{text}' is too short for an execution's id", hint="give at least 4 characters")
        raise NotFound(f"there is no execution '{text}'" + (f" of pipeline '{pipeline}'" if pipeline else ""))

    def executions(
        self,
        pipeline: str | None = None,
        *,
        status: ExecutionStatus | None = None,
        limit: int = 50,
        before: str | None = None,
    ) -> list[ExecutionRecord]:
        """Newest first; `before` is the id of the execution the page before ended with.

        Raises:
            NotFound: there is no execution `before`.
        """
        table = executions
        statement = select(table).order_by(table.c.started_at.desc(), table.c.number.desc(), table.c.id.desc())
        if pipeline is not None:
            statement = statement.where(table.c.pipeline == pipeline)
        if status is not None:
            statement = statement.where(table.c.status == status)
        if before is not None:
            last = self.execution(before)
            at, number = table.c.started_at, table.c.number
            same_time = and_(
                at == last.started_at,
                or_(number < last.number, and_(number == last.number, table.c.id < last.id)),
            )
            statement = statement.where(or_(at < last.started_at, same_time))
        return [record_of(ExecutionRecord, row) for row in self._all(statement.limit(limit))]

    def due_executions(self, now: datetime) -> list[ExecutionRecord]:
        """Those that want to be advanced by `now`, longest overdue first."""
        table = executions
        statement = select(table).where(table.c.wake_at <= now).order_by(table.c.wake_at, table.c.number, table.c.id)
        return [record_of(ExecutionRecord, row) for row in self._all(statement)]

    def next_number(self, pipeline: str) -> int:
        """The number the pipeline's next execution gets, from 1."""
        row = self._first(select(func.max(executions.c.number)).where(executions.c.pipeline == pipeline))
        return 1 + int((row[0] if row is not None else None) or 0)

    def _matching(self, condition: Any, pipeline: str | None) -> list[ExecutionRecord]:
        statement = select(executions).where(condition).limit(2)
        if pipeline is not None:
            statement = statement.where(executions.c.pipeline == pipeline)
        return [record_of(ExecutionRecord, row) for row in self._all(statement)]


class ExecutionWriter(ExecutionReader):
    """Writes executions."""

    def add_execution(self, record: ExecutionRecord) -> None:
        """Insert it.

        Raises:
            Conflict: its id or number is taken.
        """
        self._insert(executions, record)

    def update_execution(self, record: ExecutionRecord, **changes: Any) -> ExecutionRecord:
        """`record` with `changes`, written.

        Raises:
            Conflict: changed by somebody else since it was read.
        """
        return self._compare_and_set(executions, f"execution {record.id}", record, changes)

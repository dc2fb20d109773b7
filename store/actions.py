"""The attempts at actions, one row each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from core.errors import NotFound
from store.records import ActionRecord
from store.session import Session, record_of
from store.tables import actions

_IN_ORDER = (actions.c.started_at, actions.c.attempt, actions.c.id)


class ActionReader(Session):
    """Reads action executions."""

    def actions(self, execution_id: str) -> list[ActionRecord]:
        """Every attempt of the execution, oldest first."""
        statement = select(actions).where(actions.c.execution_id == execution_id).order_by(*_IN_ORDER)
        return [record_of(ActionRecord, row) for row in self._all(statement)]

    def action(self, id_: str) -> ActionRecord:
        """The action execution with that id.

        Raises:
            NotFound: no such action execution.
        """
        row = self._first(select(actions).where(actions.c.id == id_))
        if row is None:
            raise NotFound(f"there is no action execution '{id_}'")
        return record_of(ActionRecord, row)

    def action_by_token(self, token: str) -> ActionRecord:
        """The action execution that waits for an answer with `token`.

        Raises:
            NotFound: no action has that token.
        """
        row = self._first(select(actions).where(actions.c.token == token)) if token else None
        if row is None:
            raise NotFound("no action waits for an answer with this token")
        return record_of(ActionRecord, row)


class ActionWriter(ActionReader):
    """Writes action executions."""

    def add_action(self, record: ActionRecord) -> None:
        """Insert it.

        Raises:
            Conflict: its id is taken.
        """
        self._insert(actions, record)

    def update_action(self, record: ActionRecord, **changes: Any) -> ActionRecord:
        """`record` with `changes`, written.

        Raises:
            Conflict: changed by somebody else since it was read.
        """
        return self._compare_and_set(actions, f"action '{record.action}'", record, changes)

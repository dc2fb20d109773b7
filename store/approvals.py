"""Answers to manual approvals, and the actions that still wait for one."""

from __future__ import annotations

from sqlalchemy import select

from core.errors import Conflict
from store.records import ActionRecord, ActionStatus, ApprovalRecord
from store.session import Session, fields, record_of
from store.tables import actions, approvals


class ApprovalReader(Session):
    """Reads approvals."""

    def approval(self, action_execution_id: str) -> ApprovalRecord | None:
        """The answer, None while there is none."""
        row = self._first(select(approvals).where(approvals.c.action_execution_id == action_execution_id))
        return None if row is None else record_of(ApprovalRecord, row)

    def pending_approvals(self) -> list[ActionRecord]:
        """The actions in progress that have a token and no answer, longest waiting first."""
        statement = (
            select(actions)
            .outerjoin(approvals, approvals.c.action_execution_id == actions.c.id)
            .where(
                actions.c.status == ActionStatus.IN_PROGRESS,
                actions.c.token != "",
                approvals.c.action_execution_id.is_(None),
            )
            .order_by(actions.c.started_at, actions.c.id)
        )
        return [record_of(ActionRecord, row) for row in self._all(statement)]


class ApprovalWriter(ApprovalReader):
    """Writes approvals."""

    def add_approval(self, record: ApprovalRecord) -> None:
        """Insert the answer.

        Raises:
            Conflict: it was answered before; that answer stands.
        """
        before = self.approval(record.action_execution_id)
        if before is not None:
            raise Conflict(f"this approval was answered already: {before.status} by {before.answered_by}")
        self._connection.execute(approvals.insert(), fields(record))

"""The stages of executions, and who is in which stage now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, select

from store.records import ExecutionRecord, ExecutionStatus, StageRecord
from store.session import Session, record_of
from store.tables import executions, stages

_LATEST = select(stages.c.execution_id, func.max(stages.c.index).label("latest")).group_by(stages.c.execution_id)


class StageReader(Session):
    """Reads stages."""

    def stages(self, execution_id: str) -> list[StageRecord]:
        """The stages the execution has arrived at, in the pipeline's order."""
        statement = select(stages).where(stages.c.execution_id == execution_id).order_by(stages.c.index)
        return [record_of(StageRecord, row) for row in self._all(statement)]

    def stage_occupants(self, pipeline: str) -> list[tuple[ExecutionRecord, StageRecord]]:
        """Every execution that is InProgress or Stopping with the furthest stage it arrived at, by number.

        One that arrived nowhere yet is not among them.
        """
        moving = [ExecutionStatus.IN_PROGRESS, ExecutionStatus.STOPPING]
        active = executions.alias()
        current = select(active).where(active.c.pipeline == pipeline, active.c.status.in_(moving))
        found = [record_of(ExecutionRecord, row) for row in self._all(current.order_by(active.c.number))]
        latest = _LATEST.where(
            stages.c.execution_id.in_(
                select(active.c.id).where(active.c.pipeline == pipeline, active.c.status.in_(moving))
            )
        ).subquery()
        rows = self._all(
            select(stages).join(
                latest, and_(stages.c.execution_id == latest.c.execution_id, stages.c.index == latest.c.latest)
            )
        )
        stage_of = {row.execution_id: record_of(StageRecord, row) for row in rows}
        return [(execution, stage_of[execution.id]) for execution in found if execution.id in stage_of]


class StageWriter(StageReader):
    """Writes stages."""

    def add_stage(self, record: StageRecord) -> None:
        """Insert it.

        Raises:
            Conflict: the execution has that stage already.
        """
        self._insert(stages, record)

    def update_stage(self, record: StageRecord, **changes: Any) -> StageRecord:
        """`record` with `changes`, written.

        Raises:
            Conflict: changed by somebody else since it was read.
        """
        return self._compare_and_set(stages, f"stage '{record.stage}'", record, changes)

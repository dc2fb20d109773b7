"""The stages of executions, and who is in which stage now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, func, select

from store.records import ExecutionRecord, ExecutionStatus, StageRecord
from store.session import Session, record_of
from store.tables import executions, stages

# Built once: building these statements takes longer than running them.
_MOVING = [ExecutionStatus.IN_PROGRESS, ExecutionStatus.STOPPING]
_OF_PIPELINE = (executions.c.pipeline == bindparam("of_pipeline"), executions.c.status.in_(_MOVING))
_CURRENT = select(executions).where(*_OF_PIPELINE).order_by(executions.c.number)
_LATEST = (
    select(stages.c.execution_id, func.max(stages.c.index).label("latest"))
    .where(stages.c.execution_id.in_(select(executions.c.id).where(*_OF_PIPELINE)))
    .group_by(stages.c.execution_id)
    .subquery()
)
_FURTHEST = select(stages).join(
    _LATEST, and_(stages.c.execution_id == _LATEST.c.execution_id, stages.c.index == _LATEST.c.latest)
)


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
        which = {"of_pipeline": pipeline}
        found = [record_of(ExecutionRecord, row) for row in self._all(_CURRENT, which)]
        stage_of = {row.execution_id: record_of(StageRecord, row) for row in self._all(_FURTHEST, which)}
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

"""A ROLLBACK execution: one stage again, with what an earlier good execution brought into it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from core.ids import Ids
from pipelines.engine.ready import ROLLBACK_STAGE
from pipelines.engine.snapshot import ROLLBACK
from store.records import ExecutionRecord, ExecutionStatus, NewEvent
from store.transaction import Transaction


def start(
    tx: Transaction,
    cause: ExecutionRecord,
    stage: str,
    target_id: str,
    ids: Ids,
    now: datetime,
    trigger: Literal["AutomatedRollback", "ManualRollback"] = "AutomatedRollback",
) -> tuple[ExecutionRecord, NewEvent]:
    """The new execution, due at once, and its event: `stage` only, with the target's revisions, artifacts, variables.

    Raises:
        NotFound: there is no target.
    Source: CodePipeline RollbackStage.
    """
    target = tx.execution(target_id)
    record = ExecutionRecord(
        id=ids.uuid(),
        pipeline=target.pipeline,
        pipeline_version=target.pipeline_version,
        number=tx.next_number(target.pipeline),
        status=ExecutionStatus.IN_PROGRESS,
        execution_mode=target.execution_mode,
        execution_type=ROLLBACK,
        trigger_type=trigger,
        trigger_detail=f"stage {stage} of execution {cause.id} to execution {target.id}",
        variables=target.variables,
        source_revisions=target.source_revisions,
        started_at=now,
        updated_at=now,
        wake_at=now,
        rollback_target=target.id,
        start_overrides={ROLLBACK_STAGE: stage},
    )
    tx.add_execution(record)
    facts = {"stage": stage, "target": target.id, "cause": cause.id}
    why = f"{trigger}: {record.trigger_detail}"
    return record, NewEvent("ExecutionStarted", f"{record.pipeline}/{record.number}", why, record.id, facts)

"""Running a failed or stopped stage again, in the same execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from core.errors import Conflict, NotAllowed, NotFound
from pipelines.engine.machine import EXECUTION, STAGE, ExecutionEvent, StageEvent
from pipelines.service import lookup
from pipelines.service.ports import Ports
from store.records import (
    ActionStatus,
    ExecutionRecord,
    ExecutionStatus,
    NewEvent,
    StageRecord,
    StageStatus,
    StopMode,
)
from store.transaction import Snapshot

RetryMode = Literal["FAILED_ACTIONS", "ALL_ACTIONS"]
_RETRYABLE = (StageStatus.FAILED, StageStatus.STOPPED)


def retry(
    ports: Ports, ref: str | None, stage_name: str | None = None, mode: RetryMode = "FAILED_ACTIONS"
) -> ExecutionRecord:
    """The execution, InProgress again and due at once; its stage (by default the one that broke) has a new attempt.

    Raises:
        NotFound: no such execution or stage.
        NotAllowed: it is not Failed or Stopped, a newer execution has entered the stage, or the pipeline's structure
            has changed since.
        Conflict: actions of the stage still run.
    Source: CodePipeline RetryStageExecution (StageNotRetryable, NotLatestPipelineExecution, Conflict).
    """
    now = ports.clock.now()
    with ports.database.transaction() as transaction:
        execution = lookup.execution(transaction, ref)
        stage = _stage(transaction, execution, stage_name)
        _check(transaction, execution, stage, mode)
        attempt = stage.attempt + 1
        which = "all" if mode == "ALL_ACTIONS" else "the failed"
        transaction.update_stage(
            stage,
            status=STAGE.next(stage.status, StageEvent.RETRY),
            attempt=attempt,
            since_attempt=attempt if mode == "ALL_ACTIONS" else stage.since_attempt,
            entered_at=None,  # the stage's lock was given back when it ended
            ended_at=None,
        )
        again = transaction.update_execution(
            execution,
            status=EXECUTION.next(execution.status, ExecutionEvent.RETRY),
            status_summary="",
            stop=StopMode.NONE,
            stop_reason="",
            ended_at=None,
            wake_at=now,
        )
        transaction.append(
            NewEvent(
                kind="StageRetried",
                subject=stage.stage,
                why=f"somebody asked for attempt {attempt} of {which} actions",
                execution_id=execution.id,
                facts={"mode": mode, "attempt": attempt},
            )
        )
    ports.nudge()
    return again


def _stage(snapshot: Snapshot, execution: ExecutionRecord, name: str | None) -> StageRecord:
    stages = snapshot.stages(execution.id)
    if name is None:
        broken = [stage for stage in stages if stage.status in _RETRYABLE]
        if broken:
            return broken[-1]
        raise NotAllowed(
            f"execution {execution.pipeline}/{execution.number} is {execution.status.value} and has no stage to retry"
        )
    for stage in stages:
        if stage.stage == name:
            return stage
    raise NotFound(
        f"execution {execution.pipeline}/{execution.number} has not arrived at a stage {name!r}",
        hint="it arrived at " + ", ".join(stage.stage for stage in stages),
    )


def _check(snapshot: Snapshot, execution: ExecutionRecord, stage: StageRecord, mode: RetryMode) -> None:
    if execution.status not in (ExecutionStatus.FAILED, ExecutionStatus.STOPPED) or stage.status not in _RETRYABLE:
        raise NotAllowed(
            f"stage {stage.stage} is {stage.status.value} in an execution that is {execution.status.value}",
            hint="only a Failed or Stopped stage can be retried",
        )
    current = snapshot.pipeline(execution.pipeline).version
    if current != execution.pipeline_version and _structure(
        snapshot.definition(execution.pipeline, current)
    ) != _structure(snapshot.definition(execution.pipeline, execution.pipeline_version)):
        raise NotAllowed(
            f"the stages of {execution.pipeline} have changed since this execution started",
            hint="start a new one with `penstock run`",
        )
    if execution.execution_mode != "PARALLEL":
        _check_latest(snapshot, execution, stage)
    running = [
        action
        for action in snapshot.actions(execution.id)
        if action.stage == stage.stage and action.status is ActionStatus.IN_PROGRESS
    ]
    if running and mode == "ALL_ACTIONS":
        raise Conflict(f"action {running[0].action} of stage {stage.stage} is still InProgress")


def _check_latest(snapshot: Snapshot, execution: ExecutionRecord, stage: StageRecord) -> None:
    for newer in snapshot.executions(execution.pipeline, limit=50):
        if newer.number <= execution.number:
            return
        if any(other.stage == stage.stage and other.entered_at is not None for other in snapshot.stages(newer.id)):
            raise NotAllowed(
                f"execution {newer.pipeline}/{newer.number} has entered stage {stage.stage} since",
                hint="only the latest execution in a stage can be retried",
            )


def _structure(data: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str, int]]]]:
    return [
        (
            stage["name"],
            [(action["name"], action["provider"], action.get("runOrder", 1)) for action in stage["actions"]],
        )
        for stage in data["stages"]
    ]

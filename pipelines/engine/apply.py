"""What a command does to the records, and the event that says so. Everything of one decision in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from core.ids import Ids
from pipelines.engine import apply_actions, rollback
from pipelines.engine.commands import (
    ArriveAtStage,
    CallOffAction,
    Command,
    EnterStage,
    FinishAction,
    FinishExecution,
    FinishStage,
    MarkStopping,
    RefuseAction,
    RequestApproval,
    RetryStage,
    SkipToStopped,
    StartAction,
    StartRollback,
    Supersede,
)
from pipelines.engine.machine import EXECUTION, STAGE, ExecutionEvent, StageEvent
from pipelines.engine.observe import others
from pipelines.engine.ready import next_in_line
from pipelines.engine.snapshot import ExecutionSnapshot
from store.records import ExecutionRecord, ExecutionStatus, NewEvent, StageRecord, StageStatus
from store.transaction import Transaction

_STAGE_END = {
    StageStatus.SUCCEEDED: StageEvent.SUCCEED,
    StageStatus.FAILED: StageEvent.FAIL,
    StageStatus.STOPPED: StageEvent.HALT,
    StageStatus.CANCELLED: StageEvent.CANCEL,
}
_EXECUTION_END = {
    ExecutionStatus.SUCCEEDED: ExecutionEvent.SUCCEED,
    ExecutionStatus.FAILED: ExecutionEvent.FAIL,
    ExecutionStatus.STOPPED: ExecutionEvent.HALT,
    ExecutionStatus.SUPERSEDED: ExecutionEvent.SUPERSEDE,
}


@dataclass(slots=True)
class _Work:
    """One decision being written down."""

    tx: Transaction
    execution: ExecutionRecord
    stages: dict[str, StageRecord]
    snapshot: ExecutionSnapshot
    ids: Ids
    now: datetime


def apply(
    tx: Transaction, snapshot: ExecutionSnapshot, commands: tuple[Command, ...], *, ids: Ids, now: datetime
) -> None:
    """Change the records as `commands` say, with one event each, and wake those who waited for it.

    Raises:
        Conflict: somebody changed a record since `snapshot` was read.
        IllegalTransition: a command does not fit the records.
    """
    work = _Work(tx, snapshot.execution, {stage.stage: stage for stage in snapshot.stages}, snapshot, ids, now)
    for command in commands:
        _one(work, command)
    frees = (FinishStage, SkipToStopped, Supersede, FinishExecution)
    overtakes = (ArriveAtStage,) if snapshot.execution.execution_mode == "SUPERSEDED" else ()
    if any(isinstance(command, (*frees, *overtakes)) for command in commands):
        _wake_waiting(work)


def _one(work: _Work, command: Command) -> None:
    match command:
        case ArriveAtStage():
            work.tx.add_stage(
                StageRecord(work.execution.id, command.stage, command.index, StageStatus.IN_PROGRESS, work.now)
            )
            _tell(work, "StageArrived", command.stage, command.why)
        case EnterStage():
            work.tx.update_stage(work.stages[command.stage], entered_at=work.now)
            _tell(work, "StageEntered", command.stage, command.why, attempt=work.stages[command.stage].attempt)
        case StartAction() | RequestApproval() | RefuseAction() | CallOffAction() | FinishAction():
            apply_actions.apply(work.tx, work.snapshot, command, ids=work.ids, now=work.now)
        case MarkStopping():
            _move_stage(work, command.stage, StageEvent.STOP)
            _tell(work, "StageStopping", command.stage, command.why)
        case RetryStage():
            _retry(work, command)
        case FinishStage():
            _move_stage(work, command.stage, _STAGE_END[command.status], ended_at=work.now)
            _tell(work, f"Stage{command.status.value}", command.stage, command.why)
        case StartRollback():
            record = rollback.start(work.tx, work.execution, command.stage, command.target_id, work.ids, work.now)
            _tell(work, "RollbackRequested", command.stage, command.why, rollback_execution=record.id)
        case SkipToStopped():
            _stop(work, command)
        case Supersede():
            _move_stage(work, command.stage, StageEvent.CANCEL, ended_at=work.now)
            summary = f"superseded by execution {command.by_id}"
            _end_execution(work, ExecutionStatus.SUPERSEDED, summary, command.why, by=command.by_id)
        case FinishExecution():
            _end_execution(work, command.status, command.summary, command.why)
        case _:
            assert_never(command)


def _retry(work: _Work, command: RetryStage) -> None:
    stage = work.stages[command.stage]
    attempt = stage.attempt + 1
    _move_stage(
        work,
        command.stage,
        StageEvent.RETRY,
        attempt=attempt,
        since_attempt=attempt if command.mode == "ALL_ACTIONS" else stage.since_attempt,
        auto_retried=True,
    )
    _tell(work, "StageRetried", command.stage, command.why, attempt=attempt, mode=command.mode)


def _stop(work: _Work, command: SkipToStopped) -> None:
    stage = work.stages.get(command.stage)
    if stage is not None and not STAGE.final(stage.status):
        _move_stage(work, command.stage, StageEvent.HALT, ended_at=work.now)
    reason = work.execution.stop_reason
    _end_execution(work, ExecutionStatus.STOPPED, reason or "stopped on request", command.why, stage=command.stage)


def _move_stage(work: _Work, name: str, event: StageEvent, **changes: Any) -> None:
    stage = work.stages[name]
    work.stages[name] = work.tx.update_stage(stage, status=STAGE.next(stage.status, event), **changes)


def _end_execution(work: _Work, status: ExecutionStatus, summary: str, why: str, **facts: Any) -> None:
    execution = work.execution
    work.execution = work.tx.update_execution(
        execution,
        status=EXECUTION.next(execution.status, _EXECUTION_END[status]),
        status_summary=summary,
        ended_at=work.now,
        wake_at=None,
    )
    seconds = (work.now - execution.started_at).total_seconds()
    subject = f"{execution.pipeline}/{execution.number}"
    _tell(work, f"Execution{status.value}", subject, why, summary=summary, duration_s=seconds, **facts)


def _tell(work: _Work, kind: str, subject: str, why: str, **facts: Any) -> None:
    known: Mapping[str, Any] = {name: value for name, value in facts.items() if value is not None}
    work.tx.append(NewEvent(kind, subject, why, work.execution.id, known))


def _wake_waiting(work: _Work) -> None:
    """Whoever waits for a stage has to look again: it may be free now, or somebody newer may have come."""
    if work.execution.execution_mode == "PARALLEL":
        return
    for other in next_in_line(others(work.tx, work.execution), work.execution.execution_mode):
        if other.execution.wake_at is None or other.execution.wake_at > work.now:
            work.tx.update_execution(other.execution, wake_at=work.now)

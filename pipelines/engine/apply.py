"""What a command does to the records, and the event that says so. Everything of one decision in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from core.clock import Clock
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
from pipelines.engine.observe import live_others
from pipelines.engine.ready import next_in_line
from pipelines.engine.snapshot import ExecutionSnapshot
from store.records import ExecutionStatus, NewEvent, StageRecord, StageStatus
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


class Writing:
    """Commands being written down, one after the other, and the snapshot as it is after them.

    The events are appended by `finish`, all at once, and those who waited for what became free are woken.
    """

    def __init__(self, tx: Transaction, snapshot: ExecutionSnapshot, ids: Ids, clock: Clock) -> None:
        self._tx = tx
        self._ids = ids
        self._clock = clock
        self._execution = snapshot.execution
        self._stages = {stage.stage: stage for stage in snapshot.stages}
        self._actions = {action.id: action for action in snapshot.actions}
        self._snapshot = snapshot
        self._events: list[NewEvent] = []
        self._wakes = False
        self.started: set[str] = set()

    @property
    def snapshot(self) -> ExecutionSnapshot:
        """The execution as it is now; what surrounds it has to be looked at again."""
        stages, actions = tuple(self._stages.values()), tuple(self._actions.values())
        return replace(self._snapshot, execution=self._execution, stages=stages, actions=actions)

    def apply(self, command: Command) -> None:
        """Change the records as `command` says.

        Raises:
            Conflict: somebody changed a record since the snapshot was read.
            IllegalTransition: the command does not fit the records.
        """
        now = self._clock.now()
        match command:
            case ArriveAtStage() | EnterStage():
                self._arrive(command, now)
            case StartAction() | RequestApproval() | RefuseAction():
                record, event = apply_actions.begin(self._tx, self._execution.id, command, self._ids, now)
                self._actions[record.id] = record
                self._events.append(event)
                self.started.add(record.id)
            case CallOffAction() | FinishAction():
                before = self._actions[command.action_id]
                self._actions[before.id], event = apply_actions.end(self._tx, before, command, now)
                self._events.append(event)
            case MarkStopping():
                self._move_stage(command.stage, StageEvent.STOP)
                self._tell("StageStopping", command.stage, command.why)
            case RetryStage():
                self._retry(command)
            case FinishStage():
                self._move_stage(command.stage, _STAGE_END[command.status], ended_at=now)
                self._tell(f"Stage{command.status.value}", command.stage, command.why)
                self._wakes = True
            case StartRollback():
                self._roll_back(command, now)
            case SkipToStopped():
                self._stop(command, now)
            case Supersede():
                self._move_stage(command.stage, StageEvent.CANCEL, ended_at=now)
                summary = f"superseded by execution {command.by_id}"
                self._end(ExecutionStatus.SUPERSEDED, summary, command.why, now)
            case FinishExecution():
                self._end(command.status, command.summary, command.why, now)
            case _:
                assert_never(command)

    def finish(self) -> None:
        """Append the events, and wake who waited for a stage: it may be free now, or somebody newer may have come."""
        self._tx.append_all(self._events)
        if not self._wakes or self._execution.execution_mode == "PARALLEL":
            return
        now = self._clock.now()
        for other in next_in_line(live_others(self._tx, self._execution), self._execution.execution_mode):
            if other.execution.wake_at is None or other.execution.wake_at > now:
                self._tx.update_execution(other.execution, wake_at=now)

    def _arrive(self, command: ArriveAtStage | EnterStage, now: datetime) -> None:
        entered_at = now if isinstance(command, EnterStage) else None
        known = self._stages.get(command.stage)
        if known is None:
            record = StageRecord(
                self._execution.id, command.stage, command.index, StageStatus.IN_PROGRESS, now, entered_at
            )
            self._tx.add_stage(record)
        else:
            record = self._tx.update_stage(known, entered_at=now)
        self._stages[command.stage] = record
        self._wakes = self._wakes or self._execution.execution_mode == "SUPERSEDED"
        kind = "StageArrived" if entered_at is None else "StageEntered"
        self._tell(kind, command.stage, command.why, attempt=record.attempt)

    def _retry(self, command: RetryStage) -> None:
        stage = self._stages[command.stage]
        attempt = stage.attempt + 1
        since = attempt if command.mode == "ALL_ACTIONS" else stage.since_attempt
        self._move_stage(command.stage, StageEvent.RETRY, attempt=attempt, since_attempt=since, auto_retried=True)
        self._tell("StageRetried", command.stage, command.why, attempt=attempt, mode=command.mode)

    def _roll_back(self, command: StartRollback, now: datetime) -> None:
        record, event = rollback.start(self._tx, self._execution, command.stage, command.target_id, self._ids, now)
        self._tell("RollbackRequested", command.stage, command.why, rollback_execution=record.id)
        self._events.append(event)

    def _stop(self, command: SkipToStopped, now: datetime) -> None:
        stage = self._stages.get(command.stage)
        if stage is not None and not STAGE.final(stage.status):
            self._move_stage(command.stage, StageEvent.HALT, ended_at=now)
        self._end(ExecutionStatus.STOPPED, self._execution.stop_reason or "stopped on request", command.why, now)

    def _move_stage(self, name: str, event: StageEvent, **changes: Any) -> None:
        stage = self._stages[name]
        self._stages[name] = self._tx.update_stage(stage, status=STAGE.next(stage.status, event), **changes)

    def _end(self, status: ExecutionStatus, summary: str, why: str, now: datetime) -> None:
        before = self._execution
        self._execution = self._tx.update_execution(
            before,
            status=EXECUTION.next(before.status, _EXECUTION_END[status]),
            status_summary=summary,
            ended_at=now,
            wake_at=None,
        )
        self._wakes = True
        seconds = (now - before.started_at).total_seconds()
        self._tell(
            f"Execution{status.value}", f"{before.pipeline}/{before.number}", why, summary=summary, duration_s=seconds
        )

    def _tell(self, kind: str, subject: str, why: str, **facts: Any) -> None:
        known = {name: value for name, value in facts.items() if value != ""}
        self._events.append(NewEvent(kind, subject, why, self._execution.id, known))

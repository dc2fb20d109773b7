"""The engine's step, pure: from one execution and its surroundings to what to do now.

Commands come in layers: apply them, look again, decide again, until none are left. Deciding twice from the same
snapshot gives the same commands; nothing here reads a clock, a file or a database.

Source: CodePipeline stage execution order, execution modes, retry, rollback, manual approval and stopping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipelines.definition.model import PipelineDefinition, StageDefinition
from pipelines.engine import ready, starting, watching
from pipelines.engine.commands import (
    ArriveAtStage,
    Command,
    Decision,
    EnterStage,
    FinishExecution,
    FinishStage,
    MarkStopping,
    RetryStage,
    SkipToStopped,
    StartRollback,
    Supersede,
)
from pipelines.engine.machine import LIVE_EXECUTION, LIVE_STAGE
from pipelines.engine.ready import Standing
from pipelines.engine.snapshot import STANDARD, ExecutionSnapshot, waiting
from store.records import ActionRecord, ActionStatus, ExecutionStatus, StageRecord, StageStatus, StopMode


def decide(definition: PipelineDefinition, snapshot: ExecutionSnapshot, now: datetime) -> Decision:
    """What to do now for the snapshot's execution; see Decision."""
    if snapshot.execution.status not in LIVE_EXECUTION:
        return Decision()
    stage = snapshot.stage
    if stage is None:
        return _arrive_at_next(definition, snapshot, -1, now)
    if stage.status is StageStatus.SUCCEEDED or stage.status is StageStatus.SKIPPED:
        return _arrive_at_next(definition, snapshot, stage.index, now)
    if stage.status not in LIVE_STAGE:
        return _end(snapshot, stage)
    if waiting(stage):
        return _at_the_door(snapshot, stage)
    return _inside(_Stage(definition, snapshot, stage, definition.stage(stage.stage), now))


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything about the stage the execution is inside of."""

    definition: PipelineDefinition
    snapshot: ExecutionSnapshot
    record: StageRecord
    stage: StageDefinition
    now: datetime

    @property
    def attempts(self) -> Mapping[str, ActionRecord]:
        return ready.attempts(self.snapshot, self.record)

    def standings(self) -> dict[str, Standing]:
        attempts = self.attempts
        return {action.name: ready.standing(attempts.get(action.name), self.record) for action in self.stage.actions}


def _arrive_at_next(definition: PipelineDefinition, snapshot: ExecutionSnapshot, index: int, now: datetime) -> Decision:
    execution = snapshot.execution
    ahead = [(place, stage) for place, stage in ready.path(definition, execution) if place > index]
    if not ahead:
        return Decision((FinishExecution(ExecutionStatus.SUCCEEDED, "", "every stage succeeded"),))
    place, stage = ahead[0]
    if execution.stop is not StopMode.NONE:
        return Decision((SkipToStopped(stage.name, f"asked to stop before {stage.name}"),))
    why = "the execution was started" if index < 0 else f"{definition.stages[index].name} succeeded"
    at_the_door = StageRecord(execution.id, stage.name, place, StageStatus.IN_PROGRESS, now)
    if ready.superseded_by(snapshot, at_the_door) is None and ready.blocked_by(snapshot, at_the_door) is None:
        return Decision((EnterStage(stage.name, place, why),))
    return Decision((ArriveAtStage(stage.name, place, why),))


def _end(snapshot: ExecutionSnapshot, stage: StageRecord) -> Decision:
    """The stage ended and with it the execution: they change together, so this only mends what was cut short."""
    if stage.status is StageStatus.FAILED:
        return Decision((FinishExecution(ExecutionStatus.FAILED, f"stage {stage.stage} failed", "the stage failed"),))
    if snapshot.execution.stop is not StopMode.NONE:
        return Decision((SkipToStopped(stage.stage, "asked to stop"),))
    summary = f"stage {stage.stage} is {stage.status.value}"
    return Decision((FinishExecution(ExecutionStatus.FAILED, summary, summary),))


def _at_the_door(snapshot: ExecutionSnapshot, stage: StageRecord) -> Decision:
    if snapshot.execution.stop is not StopMode.NONE:
        return Decision((SkipToStopped(stage.stage, f"asked to stop in front of {stage.stage}"),))
    newer = ready.superseded_by(snapshot, stage)
    if newer is not None:
        why = f"execution {newer.execution.number} is newer and has come to {stage.stage}"
        return Decision((Supersede(stage.stage, newer.execution.id, why),))
    if ready.blocked_by(snapshot, stage) is not None:
        return Decision()
    free = "this pipeline has no stage locks" if snapshot.execution.execution_mode == "PARALLEL" else "it is free now"
    return Decision((EnterStage(stage.stage, stage.index, free),))


def _inside(here: _Stage) -> Decision:
    attempts = here.attempts
    in_order = [attempts[action.name] for action in here.stage.actions if action.name in attempts]
    running = [record for record in in_order if record.status is ActionStatus.IN_PROGRESS]
    commands: list[Command] = []
    for record in running:
        commands += watching.look_at(here.stage.action(record.action), record, here.snapshot, here.now)
    if commands:
        return Decision(tuple(commands))
    stop = here.snapshot.execution.stop is not StopMode.NONE
    commands = _stopping(here, bool(running)) if stop else _going_on(here)
    if commands:
        return Decision(tuple(commands))
    return Decision((), watching.next_look(here.stage, running), watching.work(here.stage, running))


def _going_on(here: _Stage) -> list[Command]:
    standings = here.standings()
    for group in ready.groups(here.stage):
        states = {standings[action.name] for action in group}
        if states == {Standing.DONE}:
            continue
        if Standing.BROKEN in states:
            return [] if Standing.RUNNING in standings.values() else _failed(here)
        return [
            starting.start(here.definition, here.snapshot, here.record, action, here.now)
            for action in group
            if standings[action.name] is Standing.NOT_RUN
        ]
    return [FinishStage(here.record.stage, StageStatus.SUCCEEDED, f"every action of {here.record.stage} succeeded")]


def _failed(here: _Stage) -> list[Command]:
    stage, execution = here.record.stage, here.snapshot.execution
    reason = _what_failed(here)
    on_failure = here.stage.on_failure
    if on_failure is not None and on_failure.result == "RETRY" and not here.record.auto_retried:
        return [RetryStage(stage, on_failure.retry_mode, f"{reason}; onFailure says RETRY, once")]
    commands: list[Command] = [FinishStage(stage, StageStatus.FAILED, reason)]
    good = here.snapshot.last_good
    rolls_back = on_failure is not None and on_failure.result == "ROLLBACK" and execution.execution_type == STANDARD
    if rolls_back and good is not None and execution.execution_mode != "PARALLEL":
        commands.append(StartRollback(stage, good.id, f"{reason}; onFailure says ROLLBACK, to execution {good.number}"))
    return [*commands, FinishExecution(ExecutionStatus.FAILED, reason, f"stage {stage} failed")]


def _stopping(here: _Stage, running: bool) -> list[Command]:
    """Nothing is started any more; what runs may end first. A failure in the meantime is not hidden by the stop."""
    stage = here.record.stage
    if running:
        if here.record.status is StageStatus.IN_PROGRESS:
            return [MarkStopping(stage, "asked to stop; waiting for what runs")]
        return []
    standings = here.standings()
    if set(standings.values()) == {Standing.DONE}:
        return [FinishStage(stage, StageStatus.SUCCEEDED, f"every action of {stage} succeeded before the stop")]
    if here.snapshot.execution.stop is StopMode.WAIT and Standing.BROKEN in standings.values():
        reason = _what_failed(here)
        return [
            FinishStage(stage, StageStatus.FAILED, reason),
            FinishExecution(ExecutionStatus.FAILED, reason, f"stage {stage} failed while stopping"),
        ]
    return [SkipToStopped(stage, "asked to stop; nothing runs any more")]


def _what_failed(here: _Stage) -> str:
    broken = [
        f"action {record.action} {'failed' if record.status is ActionStatus.FAILED else 'was abandoned'}"
        + (f" ({record.error_message or record.error_code})" if record.error_message or record.error_code else "")
        for record in here.attempts.values()
        if ready.standing(record, here.record) is Standing.BROKEN
    ]
    return "; ".join(broken)

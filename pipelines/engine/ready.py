"""What stands where: the attempts that count, the groups of a stage, who may enter it, and what variables are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import groupby

from pipelines.definition.model import ActionDefinition, PipelineDefinition, StageDefinition
from pipelines.engine.snapshot import ROLLBACK, STANDARD, ExecutionSnapshot, Other, waiting
from store.records import ActionRecord, ActionStatus, ArtifactRef, ExecutionRecord, ExecutionStatus, StageRecord

APPROVAL = "Approval"
ROLLBACK_STAGE = "stage"  # the key in `start_overrides` of a ROLLBACK execution that names its one stage


class Standing(Enum):
    """How far one action of the present stage attempt is."""

    NOT_RUN = "not run"
    RUNNING = "running"
    DONE = "done"
    BROKEN = "broken"


def path(definition: PipelineDefinition, execution: ExecutionRecord) -> tuple[tuple[int, StageDefinition], ...]:
    """The stages this execution goes through, in order, with their index in the pipeline: all, or one to roll back."""
    stages = tuple(enumerate(definition.stages))
    if execution.execution_type != ROLLBACK:
        return stages
    only = execution.start_overrides.get(ROLLBACK_STAGE)
    return tuple((index, stage) for index, stage in stages if stage.name == only)


def attempts(snapshot: ExecutionSnapshot, stage: StageRecord) -> dict[str, ActionRecord]:
    """The newest attempt that counts of every action of the stage that has one."""
    return {
        action.action: action
        for action in sorted(snapshot.actions, key=lambda action: action.attempt)
        if action.stage == stage.stage and action.attempt >= stage.since_attempt
    }


def standing(record: ActionRecord | None, stage: StageRecord) -> Standing:
    """How far an action is whose newest attempt that counts is `record`.

    What broke in an earlier attempt of the stage is to be run again; what succeeded then stays done.
    """
    if record is None:
        return Standing.NOT_RUN
    if record.status is ActionStatus.IN_PROGRESS:
        return Standing.RUNNING
    if record.status is ActionStatus.SUCCEEDED:
        return Standing.DONE
    return Standing.BROKEN if record.attempt == stage.attempt else Standing.NOT_RUN


def groups(stage: StageDefinition) -> list[list[ActionDefinition]]:
    """The actions in the groups that run one after the other, by ascending run order."""
    in_order = sorted(stage.actions, key=lambda action: action.run_order)
    return [list(group) for _, group in groupby(in_order, key=lambda action: action.run_order)]


def blocked_by(snapshot: ExecutionSnapshot, stage: StageRecord) -> Other | None:
    """The execution because of which this one may not enter `stage` now; None when it may.

    A stage holds one execution; a rollback goes before all who wait; in QUEUED nobody overtakes an earlier one.
    """
    me = snapshot.execution
    if me.execution_mode == "PARALLEL":
        return None
    for other in snapshot.others:
        if other.occupies(stage.stage) or (other.waits_at(stage.stage) and _goes_first(other.execution, me)):
            return other
        if me.execution_mode == "QUEUED" and _left_behind(other, me, stage):
            return other
    return None


def superseded_by(snapshot: ExecutionSnapshot, stage: StageRecord) -> Other | None:
    """The newest execution this waiting one gives way to: it stands at the same place, or has passed it."""
    me = snapshot.execution
    if me.execution_mode != "SUPERSEDED" or me.execution_type != STANDARD:
        return None
    newer = [
        other
        for other in snapshot.others
        if other.execution.number > me.number and other.execution.execution_type == STANDARD and _reached(other, stage)
    ]
    return max(newer, key=lambda other: other.execution.number, default=None)


def next_in_line(waiters: Sequence[Other], mode: str) -> list[Other]:
    """Whom it is worth waking when a stage of a pipeline became free: in QUEUED the first in each line, else all."""
    in_front = [other for other in waiters if other.stage is not None and waiting(other.stage)]
    if mode != "QUEUED":
        return in_front
    first: dict[str, Other] = {}
    for other in sorted(in_front, key=lambda other: _turn(other.execution)):
        if other.stage is not None:
            first.setdefault(other.stage.stage, other)
    return list(first.values())


def scope(definition: PipelineDefinition, snapshot: ExecutionSnapshot) -> dict[str, Mapping[str, str]]:
    """What `#{namespace.key}` is worth now: the system's, the pipeline's and the succeeded actions' variables."""
    values: dict[str, Mapping[str, str]] = {
        "codepipeline": {"PipelineExecutionId": snapshot.execution.id},
        "variables": snapshot.execution.variables,
    }
    for stage in definition.stages:
        for action in stage.actions:
            record = _succeeded(snapshot, stage.name, action.name)
            if action.namespace and record is not None:
                values[action.namespace] = record.output_variables
    return values


def artifacts(definition: PipelineDefinition, snapshot: ExecutionSnapshot) -> dict[str, ArtifactRef]:
    """The artifacts made so far, by name; a retried action's newest ones."""
    return {
        artifact.name: artifact
        for stage in definition.stages
        for action in stage.actions
        if (record := _succeeded(snapshot, stage.name, action.name)) is not None
        for artifact in record.output_artifacts
    }


def _succeeded(snapshot: ExecutionSnapshot, stage: str, action: str) -> ActionRecord | None:
    """The newest succeeded attempt, of this execution before the rollback's target."""
    return max(
        (
            record
            for record in (*snapshot.inherited, *snapshot.actions)
            if (record.stage, record.action, record.status) == (stage, action, ActionStatus.SUCCEEDED)
        ),
        key=lambda record: (record.execution_id == snapshot.execution.id, record.attempt),
        default=None,
    )


def _turn(execution: ExecutionRecord) -> tuple[bool, int]:
    return execution.execution_type != ROLLBACK, execution.number


def _goes_first(other: ExecutionRecord, me: ExecutionRecord) -> bool:
    if me.execution_mode == "SUPERSEDED" and other.execution_type == me.execution_type == STANDARD:
        return other.number > me.number  # the older one is about to give way
    return _turn(other) < _turn(me)


def _left_behind(other: Other, me: ExecutionRecord, stage: StageRecord) -> bool:
    """Whether an earlier execution that still moves has not come as far as `stage` yet."""
    if (
        other.execution.status is not ExecutionStatus.IN_PROGRESS
        or other.execution.execution_type == ROLLBACK
        or me.execution_type == ROLLBACK
    ):
        return False
    return other.execution.number < me.number and (other.stage is None or other.stage.index < stage.index)


def _reached(other: Other, stage: StageRecord) -> bool:
    if other.stage is None:
        return False
    if other.stage.index != stage.index:
        return other.stage.index > stage.index
    return other.live or other.stage.entered_at is not None

"""Reading everything deciding looks at, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pipelines.definition.model import PipelineDefinition, StageDefinition
from pipelines.engine.machine import LIVE_EXECUTION
from pipelines.engine.snapshot import ROLLBACK, STANDARD, ExecutionSnapshot, Other, inside
from store.records import (
    ActionRecord,
    ActionStatus,
    ApprovalRecord,
    ExecutionRecord,
    ExecutionStatus,
    StageRecord,
    StageStatus,
)
from store.transaction import Snapshot

_FAR_ENOUGH_BACK = 50  # how many executions are looked through for one to roll back to, or one that overtook


class Definitions:
    """The definition an execution was started with; each is built once per process. `restore` revives stored data."""

    def __init__(self, restore: Callable[[Mapping[str, Any]], PipelineDefinition]) -> None:
        self._restore = restore
        self._known: dict[tuple[str, int], PipelineDefinition] = {}
        self._lock = threading.Lock()

    def of(self, reader: Snapshot, execution: ExecutionRecord) -> PipelineDefinition:
        """The definition of `execution`. Raises: NotFound."""
        key = (execution.pipeline, execution.pipeline_version)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = self._restore(reader.definition(*key))
            with self._lock:
                self._known[key] = known
        return known


def observe(reader: Snapshot, execution_id: str, definitions: Definitions) -> ExecutionSnapshot:
    """The execution and its surroundings as they are now. Raises: NotFound."""
    execution = reader.execution(execution_id)
    actions = tuple(reader.actions(execution_id))
    snapshot = ExecutionSnapshot(
        execution=execution,
        stages=tuple(reader.stages(execution_id)),
        actions=actions,
        approvals=_approvals(reader, actions),
        inherited=_inherited(reader, execution),
    )
    return look_around(reader, snapshot, definitions.of(reader, execution))


def look_around(reader: Snapshot, snapshot: ExecutionSnapshot, definition: PipelineDefinition) -> ExecutionSnapshot:
    """The snapshot with what its present place makes it necessary to know of other executions."""
    if snapshot.execution.status not in LIVE_EXECUTION:
        return snapshot
    stage = snapshot.stage
    if stage is not None and inside(stage):
        return replace(snapshot, others=(), last_good=_last_good(reader, snapshot, definition, stage))
    return replace(snapshot, others=_others(reader, snapshot))


def live_others(reader: Snapshot, execution: ExecutionRecord) -> tuple[Other, ...]:
    """Every other live execution of the pipeline that has arrived somewhere."""
    return tuple(
        Other(record, stage)
        for record, stage in reader.stage_occupants(execution.pipeline)
        if record.id != execution.id
    )


def _others(reader: Snapshot, snapshot: ExecutionSnapshot) -> tuple[Other, ...]:
    execution = snapshot.execution
    if execution.execution_mode == "PARALLEL":
        return ()
    found = {other.execution.id: other for other in live_others(reader, execution)}
    if execution.execution_mode == "QUEUED":
        if len(snapshot.stages) <= 1:  # who is past the first stage has nobody behind who arrived nowhere yet
            for record in reader.executions(execution.pipeline, status=ExecutionStatus.IN_PROGRESS):
                found.setdefault(record.id, Other(record, None))
    elif reader.next_number(execution.pipeline) > execution.number + 1:
        for record in reader.executions(execution.pipeline, limit=_FAR_ENOUGH_BACK):
            if record.number > execution.number and record.id not in found:
                found[record.id] = Other(record, max(reader.stages(record.id), key=_index, default=None))
    found.pop(execution.id, None)
    return tuple(found.values())


def _index(stage: StageRecord) -> int:
    return stage.index


def _approvals(reader: Snapshot, actions: tuple[ActionRecord, ...]) -> dict[str, ApprovalRecord]:
    pending = (action for action in actions if action.token and action.status is ActionStatus.IN_PROGRESS)
    answers = {action.id: reader.approval(action.id) for action in pending}
    return {id_: answer for id_, answer in answers.items() if answer is not None}


def _inherited(reader: Snapshot, execution: ExecutionRecord) -> tuple[ActionRecord, ...]:
    if execution.execution_type != ROLLBACK:
        return ()
    return tuple(
        action for action in reader.actions(execution.rollback_target) if action.status is ActionStatus.SUCCEEDED
    )


def _last_good(
    reader: Snapshot, snapshot: ExecutionSnapshot, definition: PipelineDefinition, stage: StageRecord
) -> ExecutionRecord | None:
    """Only looked up when it matters: something failed in a stage that says ROLLBACK.

    Source: CodePipeline stage rollback: the target succeeded in the stage, with the same structure, and is no rollback.
    """
    execution = snapshot.execution
    if not _wants_rollback(definition.stage(stage.stage)):
        return None
    if not any(action.stage == stage.stage and action.status is ActionStatus.FAILED for action in snapshot.actions):
        return None
    for record in reader.executions(execution.pipeline, limit=_FAR_ENOUGH_BACK):
        fits = record.execution_type == STANDARD and record.pipeline_version == execution.pipeline_version
        if record.number < execution.number and fits and _succeeded(reader.stages(record.id), stage.stage):
            return record
    return None


def _wants_rollback(stage: StageDefinition) -> bool:
    return stage.on_failure is not None and stage.on_failure.result == "ROLLBACK"


def _succeeded(stages: list[StageRecord], name: str) -> bool:
    return any(stage.stage == name and stage.status is StageStatus.SUCCEEDED for stage in stages)

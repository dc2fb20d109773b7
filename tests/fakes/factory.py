"""A pipeline in memory with everything that may happen to its executions, and the rules that always hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from core.clock import VirtualClock
from core.ids import RandomIds
from pipelines.definition import from_data
from pipelines.definition.model import PipelineDefinition
from pipelines.engine import apply_actions
from pipelines.engine.apply import Writing
from pipelines.engine.commands import Decision, EnterStage, StartAction
from pipelines.engine.decide import decide
from pipelines.engine.machine import EXECUTION, LIVE_EXECUTION, LIVE_STAGE, STAGE, ExecutionEvent, StageEvent
from pipelines.engine.observe import Definitions, look_around, observe
from pipelines.engine.snapshot import ExecutionSnapshot
from store.records import (
    ActionRecord,
    ActionStatus,
    ApprovalRecord,
    ExecutionRecord,
    ExecutionStatus,
    StageRecord,
    StageStatus,
    StopMode,
)
from tests.fakes.clocks import noon
from tests.fakes.engine import catalog
from tests.fakes.memory_store import MemoryStore


class OneDefinition(Definitions):
    """Every execution runs the same definition."""

    def __init__(self, definition: PipelineDefinition) -> None:
        self.definition = definition

    def of(self, reader: Any, execution: ExecutionRecord) -> PipelineDefinition:
        return self.definition


class Factory:
    """A pipeline, its executions, and everything that may happen to them."""

    def __init__(self, data: Mapping[str, Any], rng: random.Random) -> None:
        self.definition = from_data(data, catalog=catalog)
        self.definitions = OneDefinition(self.definition)
        self.store = MemoryStore()
        self.clock: VirtualClock = noon()
        self.ids = RandomIds(rng)

    # -- what people do

    def start(self) -> None:
        now = self.clock.now()
        number = self.store.next_number("orders")
        record = ExecutionRecord(
            id=self.ids.uuid(),
            pipeline="orders",
            pipeline_version=1,
            number=number,
            status=ExecutionStatus.IN_PROGRESS,
            execution_mode=self.definition.execution_mode,
            execution_type="STANDARD",
            trigger_type="StartPipelineExecution",
            trigger_detail="",
            variables={},
            source_revisions={},
            started_at=now,
            updated_at=now,
            wake_at=now,
        )
        self.store.add_execution(record)

    def stop(self, record: ExecutionRecord, mode: StopMode) -> None:
        event = ExecutionEvent.STOP if mode is StopMode.WAIT else ExecutionEvent.ABANDON
        status = EXECUTION.next(record.status, event)
        self.store.update_execution(record, status=status, stop=mode, wake_at=self.clock.now())

    def answer(self, action: ActionRecord, status: str) -> None:
        if action.id in self.store.approvals_:
            return
        self.store.approvals_[action.id] = ApprovalRecord(action.id, status, "", "ann", self.clock.now())
        self.store.update_execution(self.store.execution(action.execution_id), wake_at=self.clock.now())

    def retry(self, record: ExecutionRecord, everything: bool) -> None:
        """As the service: not when a newer execution has entered the stage."""
        stage = self.store.stages(record.id)[-1] if self.store.stages(record.id) else None
        if stage is None or stage.status not in (StageStatus.FAILED, StageStatus.STOPPED):
            return
        newer = [e for e in self.store.executions_.values() if e.number > record.number]
        if record.execution_mode != "PARALLEL" and any(
            other.entered_at is not None
            for e in newer
            for other in self.store.stages(e.id)
            if other.stage == stage.stage
        ):
            return
        attempt = stage.attempt + 1
        self.store.update_stage(
            stage,
            status=STAGE.next(stage.status, StageEvent.RETRY),
            attempt=attempt,
            since_attempt=attempt if everything else stage.since_attempt,
            entered_at=None,
            ended_at=None,
        )
        self.store.update_execution(
            record,
            status=EXECUTION.next(record.status, ExecutionEvent.RETRY),
            stop=StopMode.NONE,
            ended_at=None,
            wake_at=self.clock.now(),
        )

    # -- what runners do

    def look(self, record: ExecutionRecord) -> tuple[ExecutionSnapshot, Decision]:
        snapshot = observe(self.store.as_transaction, record.id, self.definitions)
        return snapshot, decide(self.definition, snapshot, self.clock.now())

    def step(self, record: ExecutionRecord) -> None:
        """Advance until nothing can be done, then park."""
        snapshot, decision = self.look(record)
        layers = 0
        with self.store.transaction() as tx:
            writing = Writing(tx, snapshot, self.ids, self.clock)
            while decision.commands:
                layers += 1
                assert layers < 200, "deciding goes round in circles"
                for command in decision.commands:
                    self._check_start(command, writing.snapshot)
                    self._check_turn(command, record)
                    writing.apply(command)
                snapshot = look_around(tx, writing.snapshot, self.definition)
                decision = decide(self.definition, snapshot, self.clock.now())
            writing.finish()
        after = self.store.execution(record.id)
        if not decision.work:
            wake_at = decision.wake_at if after.status in LIVE_EXECUTION else None
            self.store.update_execution(after, wake_at=wake_at)

    def finish(self, action: ActionRecord, status: ActionStatus) -> None:
        variables = {"Key": "value"} if status is ActionStatus.SUCCEEDED else {}
        apply_actions.finish(
            self.store.as_transaction, action, status, "", self.clock.now(), output_variables=variables
        )

    # -- what can be seen

    def live(self) -> list[ExecutionRecord]:
        return [record for record in self.store.executions_.values() if record.status in LIVE_EXECUTION]

    def running(self, category: str) -> list[ActionRecord]:
        return [
            action
            for action in self.store.actions_.values()
            if action.status is ActionStatus.IN_PROGRESS
            and (self.definition.stage(action.stage).action(action.action).category == category)
        ]

    def check(self) -> None:
        """The invariants that hold between any two steps."""
        inside = Counter(
            stage.stage
            for record in self.live()
            for stage in self.store.stages(record.id)
            if stage.entered_at is not None and stage.status in LIVE_STAGE
        )
        if self.definition.execution_mode != "PARALLEL":
            assert max(inside.values(), default=0) <= 1, "two executions in one stage"
        alive = Counter(
            (action.execution_id, action.stage, action.action)
            for action in self.store.actions_.values()
            if action.status is ActionStatus.IN_PROGRESS
        )
        assert max(alive.values(), default=0) <= 1, "two live attempts of one action"
        for record in self.store.executions_.values():
            self._check_consistent(record)

    def _check_consistent(self, record: ExecutionRecord) -> None:
        stages = self.store.stages(record.id)
        for stage in stages[:-1]:
            assert stage.status is StageStatus.SUCCEEDED, "went on although a stage did not succeed"
        running = [a for a in self.store.actions(record.id) if a.status is ActionStatus.IN_PROGRESS]
        if record.status not in LIVE_EXECUTION:
            assert not running, "it ended while something was running"
            assert all(stage.status not in LIVE_STAGE for stage in stages)
            assert record.ended_at is not None
            assert record.wake_at is None
        if record.status is ExecutionStatus.SUCCEEDED:
            assert all(stage.status is StageStatus.SUCCEEDED for stage in stages)
            if record.execution_type == "STANDARD":
                assert len(stages) == len(self.definition.stages)
        if record.status is ExecutionStatus.FAILED:
            assert stages[-1].status is StageStatus.FAILED
        for stage in stages:
            if stage.status is StageStatus.SUCCEEDED:
                assert self._done(record, stage) == {
                    action.name for action in self.definition.stage(stage.stage).actions
                }

    def _check_turn(self, command: object, me: ExecutionRecord) -> None:
        """In QUEUED nobody enters a stage while an earlier execution has not come that far, or waits at it."""
        if not isinstance(command, EnterStage) or self.definition.execution_mode != "QUEUED":
            return
        for other in self.live():
            standard = other.execution_type == me.execution_type == "STANDARD"
            if other.number < me.number and standard and other.status is ExecutionStatus.IN_PROGRESS:
                stages = self.store.stages(other.id)
                assert stages, "somebody was overtaken before the first stage"
                assert stages[-1].index >= command.index, "somebody was overtaken"
                if stages[-1].index == command.index:
                    assert stages[-1].entered_at is not None, "somebody jumped the queue"

    def _check_start(self, command: object, snapshot: ExecutionSnapshot) -> None:
        """Never an action whose predecessors did not succeed."""
        if not isinstance(command, StartAction):
            return
        stage = self.definition.stage(command.stage)
        order = stage.action(command.action).run_order
        record = snapshot.stage
        assert record is not None
        assert record.stage == command.stage
        counting = [a for a in snapshot.actions if a.stage == stage.name and a.attempt >= record.since_attempt]
        for action in stage.actions:
            if action.run_order < order:
                attempts = [attempt for attempt in counting if attempt.action == action.name]
                assert attempts, "started before its predecessor"
                assert attempts[-1].status is ActionStatus.SUCCEEDED, "started after a failed predecessor"
        assert snapshot.execution.stop is StopMode.NONE, "started although somebody asked to stop"

    def _newer_entered(self, record: ExecutionRecord, stage: StageRecord) -> bool:
        newer = [other.id for other in self.store.executions_.values() if other.number > record.number]
        seen = [other for id_ in newer for other in self.store.stages(id_)]
        return any(other.stage == stage.stage and other.entered_at is not None for other in seen)

    def _done(self, record: ExecutionRecord, stage: StageRecord) -> set[str]:
        mine = [action for action in self.store.actions(record.id) if action.stage == stage.stage]
        return {action.action for action in mine if action.status is ActionStatus.SUCCEEDED}

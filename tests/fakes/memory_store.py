"""The part of the store that deciding and applying use, in memory: compare-and-set, unique keys, all or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar, cast

from core.errors import Conflict, NotFound
from pipelines.engine.machine import LIVE_EXECUTION
from store.records import (
    ActionRecord,
    ApprovalRecord,
    ExecutionRecord,
    ExecutionStatus,
    NewEvent,
    StageRecord,
)
from store.transaction import Transaction

R = TypeVar("R", ExecutionRecord, StageRecord, ActionRecord)


class MemoryStore:
    """Records by key; `as_transaction` is this store as the engine sees one."""

    def __init__(self) -> None:
        self.executions_: dict[str, ExecutionRecord] = {}
        self.stages_: dict[tuple[str, str], StageRecord] = {}
        self.actions_: dict[tuple[str, str, str, int], ActionRecord] = {}
        self.approvals_: dict[str, ApprovalRecord] = {}
        self.events_: list[NewEvent] = []

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All of the block's changes, or none when it raises."""
        kept = [dict(self.executions_), dict(self.stages_), dict(self.actions_), dict(self.approvals_)]
        events = list(self.events_)
        try:
            yield self.as_transaction
        except BaseException:
            self.executions_, self.stages_, self.actions_, self.approvals_ = cast(Any, kept)
            self.events_ = events
            raise

    @property
    def as_transaction(self) -> Transaction:
        """This store, for what takes a transaction."""
        return cast(Transaction, self)

    def execution(self, id_: str) -> ExecutionRecord:
        """As the store."""
        try:
            return self.executions_[id_]
        except KeyError:
            raise NotFound(f"no execution {id_}") from None

    def executions(
        self, pipeline: str | None = None, *, status: ExecutionStatus | None = None, limit: int = 50
    ) -> list[ExecutionRecord]:
        """As the store: newest first."""
        found = [record for record in self.executions_.values() if status in (None, record.status)]
        return sorted(found, key=lambda record: -record.number)[:limit]

    def due_executions(self, now: datetime) -> list[ExecutionRecord]:
        """As the store."""
        return [record for record in self.executions_.values() if record.wake_at is not None and record.wake_at <= now]

    def next_number(self, pipeline: str) -> int:
        """As the store."""
        return 1 + max((record.number for record in self.executions_.values()), default=0)

    def stages(self, execution_id: str) -> list[StageRecord]:
        """As the store."""
        mine = [stage for stage in self.stages_.values() if stage.execution_id == execution_id]
        return sorted(mine, key=lambda stage: stage.index)

    def actions(self, execution_id: str) -> list[ActionRecord]:
        """As the store."""
        return [action for action in self.actions_.values() if action.execution_id == execution_id]

    def action(self, id_: str) -> ActionRecord:
        """As the store."""
        return next(action for action in self.actions_.values() if action.id == id_)

    def approval(self, action_execution_id: str) -> ApprovalRecord | None:
        """As the store."""
        return self.approvals_.get(action_execution_id)

    def stage_occupants(self, pipeline: str) -> list[tuple[ExecutionRecord, StageRecord]]:
        """As the store."""
        live = [record for record in self.executions_.values() if record.status in LIVE_EXECUTION]
        return [(record, self.stages(record.id)[-1]) for record in live if self.stages(record.id)]

    def add_execution(self, record: ExecutionRecord) -> None:
        """As the store."""
        _new(self.executions_, record.id, record)

    def update_execution(self, record: ExecutionRecord, **changes: Any) -> ExecutionRecord:
        """As the store."""
        return _moved(self.executions_, record.id, record, changes)

    def add_stage(self, record: StageRecord) -> None:
        """As the store."""
        _new(self.stages_, (record.execution_id, record.stage), record)

    def update_stage(self, record: StageRecord, **changes: Any) -> StageRecord:
        """As the store."""
        return _moved(self.stages_, (record.execution_id, record.stage), record, changes)

    def add_action(self, record: ActionRecord) -> None:
        """As the store."""
        _new(self.actions_, _key(record), record)

    def update_action(self, record: ActionRecord, **changes: Any) -> ActionRecord:
        """As the store."""
        return _moved(self.actions_, _key(record), record, changes)

    def append(self, event: NewEvent) -> None:
        """As the store."""
        self.events_.append(event)

    def append_all(self, events: Sequence[NewEvent]) -> None:
        """As the store."""
        self.events_.extend(events)

    def definition(self, name: str, version: int) -> Mapping[str, Any]:
        """Nothing is stored of definitions here."""
        raise NotFound(f"no definition {name} {version}")


def _key(record: ActionRecord) -> tuple[str, str, str, int]:
    return record.execution_id, record.stage, record.action, record.attempt


def _new(table: dict[Any, R], key: object, record: R) -> None:
    if key in table:
        raise Conflict(f"{key} exists already")
    table[key] = record


def _moved(table: dict[Any, R], key: object, record: R, changes: Mapping[str, Any]) -> R:
    if table[key].revision != record.revision:
        raise Conflict(f"{key} was changed by somebody else")
    table[key] = dataclasses.replace(record, **changes, revision=record.revision + 1)
    return table[key]

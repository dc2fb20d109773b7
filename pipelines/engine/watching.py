"""Running attempts: when one ends without anybody's work, and when to look again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.units import duration
from pipelines.definition.model import ActionDefinition, StageDefinition
from pipelines.engine import ready
from pipelines.engine.commands import CallOffAction, Command, FinishAction
from pipelines.engine.snapshot import ExecutionSnapshot
from store.records import ActionRecord, ActionStatus, StopMode

GRACE_S = 30.0  # how long an attempt that was told to end may take before it is given up

TIMED_OUT = "ActionTimedOut"
APPROVAL_TIMED_OUT = "ApprovalTimedOut"
APPROVAL_REJECTED = "ApprovalRejected"


def deadline(action: ActionDefinition, record: ActionRecord) -> datetime | None:
    """When the attempt must have ended, counted from its first start; None when it may take as long as it likes."""
    return None if action.timeout_s is None else record.started_at + timedelta(seconds=action.timeout_s)


def look_at(
    action: ActionDefinition, record: ActionRecord, snapshot: ExecutionSnapshot, now: datetime
) -> list[Command]:
    """What is to be done about a running attempt besides performing it; empty most of the time."""
    if action.category == ready.APPROVAL:
        return _approval(record, snapshot, now)
    if record.due_at is not None:
        if now < record.due_at:
            return []
        message = f"did not end within {duration(GRACE_S)} of being told to"
        return [FinishAction(record.id, ActionStatus.ABANDONED, "", message, "", f"abandoned: it {message}")]
    if snapshot.execution.stop is StopMode.ABANDON:
        return [CallOffAction(record.id, now + timedelta(seconds=GRACE_S), "asked to stop without waiting")]
    limit = deadline(action, record)
    if limit is not None and now >= limit + timedelta(seconds=GRACE_S):
        message = f"took longer than {duration(action.timeout_s or 0)}"
        return [FinishAction(record.id, ActionStatus.FAILED, TIMED_OUT, message, "", f"it {message} and did not stop")]
    return []


def next_look(stage: StageDefinition, running: Sequence[ActionRecord]) -> datetime | None:
    """The earliest time at which a running attempt ends by itself; None when none ever does."""
    times: list[datetime] = []
    for record in running:
        if record.due_at is not None:
            times.append(record.due_at)
        elif (limit := deadline(stage.action(record.action), record)) is not None:
            times.append(limit + timedelta(seconds=GRACE_S))
    return min(times, default=None)


def work(stage: StageDefinition, running: Sequence[ActionRecord]) -> tuple[ActionRecord, ...]:
    """The running attempts somebody has to perform: all but approvals, which a person answers."""
    return tuple(record for record in running if stage.action(record.action).category != ready.APPROVAL)


def _approval(record: ActionRecord, snapshot: ExecutionSnapshot, now: datetime) -> list[Command]:
    answer = snapshot.approvals.get(record.id)
    if answer is not None and answer.status == "Approved":
        why = f"{answer.answered_by or 'somebody'} approved it"
        return [FinishAction(record.id, ActionStatus.SUCCEEDED, "", "", answer.summary, why)]
    if answer is not None:
        message = f"{answer.answered_by or 'somebody'} rejected it" + (f": {answer.summary}" if answer.summary else "")
        return [FinishAction(record.id, ActionStatus.FAILED, APPROVAL_REJECTED, message, answer.summary, message)]
    if snapshot.execution.stop is StopMode.ABANDON:
        return [FinishAction(record.id, ActionStatus.ABANDONED, "", "asked to stop", "", "asked to stop")]
    if record.due_at is not None and now >= record.due_at:
        message = "nobody answered in time"
        return [FinishAction(record.id, ActionStatus.FAILED, APPROVAL_TIMED_OUT, message, "", message)]
    return []

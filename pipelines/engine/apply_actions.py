"""What the commands about actions do to the action records, and the events that say so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from core.ids import Ids
from core.units import iso
from pipelines.engine.commands import CallOffAction, FinishAction, RefuseAction, RequestApproval, StartAction
from pipelines.engine.machine import ACTION, ActionEvent
from store.records import ActionRecord, ActionStatus, NewEvent
from store.transaction import Transaction

_END = {
    ActionStatus.SUCCEEDED: ActionEvent.SUCCEED,
    ActionStatus.FAILED: ActionEvent.FAIL,
    ActionStatus.ABANDONED: ActionEvent.ABANDON,
}


def begin(
    tx: Transaction, execution_id: str, command: StartAction | RequestApproval | RefuseAction, ids: Ids, now: datetime
) -> tuple[ActionRecord, NewEvent]:
    """The new attempt and its event; work counts as begun once, since whoever starts an attempt performs it next."""
    match command:
        case StartAction():
            about: dict[str, Any] = {"starts": 1, "input_artifacts": command.input_artifacts}
            kind = "ActionStarted"
            facts: dict[str, Any] = {"inputs": {ref.name: ref.digest for ref in command.input_artifacts}}
        case RequestApproval():
            about = {"token": ids.uuid(), "due_at": command.due_at}
            kind, facts = "ApprovalRequested", {"due_at": iso(command.due_at)}
        case RefuseAction():
            kind, facts = "ActionFailed", {"error_code": command.error_code, "error_message": command.error_message}
            about = {"status": ActionStatus.FAILED, "ended_at": now, **facts}
        case _:
            assert_never(command)
    fields: dict[str, Any] = {
        "id": ids.uuid(),
        "execution_id": execution_id,
        "stage": command.stage,
        "action": command.action,
        "attempt": command.attempt,
        "status": ActionStatus.IN_PROGRESS,
        "started_at": now,
        "updated_at": now,
        "configuration": command.configuration,
        "resolved_configuration": {} if isinstance(command, RefuseAction) else command.resolved_configuration,
    }
    record = ActionRecord(**{**fields, **about})
    tx.add_action(record)
    return record, event_of(record, kind, command.why, facts)


def end(
    tx: Transaction, record: ActionRecord, command: CallOffAction | FinishAction, now: datetime
) -> tuple[ActionRecord, NewEvent]:
    """The attempt told to end, or ended, and the event. Raises: Conflict, IllegalTransition."""
    if isinstance(command, CallOffAction):
        told = tx.update_action(record, due_at=command.due_at)
        return told, event_of(told, "ActionCalledOff", command.why, {"due_at": iso(command.due_at)})
    return finish(
        tx,
        record,
        command.status,
        command.why,
        now,
        error_code=command.error_code,
        error_message=command.error_message,
        summary=command.summary or record.summary,
    )


def finish(
    tx: Transaction, record: ActionRecord, status: ActionStatus, why: str, now: datetime, **changes: Any
) -> tuple[ActionRecord, NewEvent]:
    """The attempt ended with `status` and `changes`, and its event. Raises: Conflict, IllegalTransition."""
    ended = tx.update_action(record, status=ACTION.next(record.status, _END[status]), ended_at=now, **changes)
    facts: dict[str, Any] = {
        "duration_s": (now - record.started_at).total_seconds(),
        "error_code": ended.error_code,
        "error_message": ended.error_message,
        "summary": ended.summary,
        "external_id": ended.external_id,
        "outputs": {ref.name: ref.digest for ref in ended.output_artifacts},
        "variables": sorted(ended.output_variables),
    }
    known = {name: value for name, value in facts.items() if value}
    return ended, event_of(ended, f"Action{status.value}", why, known)


def event_of(record: ActionRecord, kind: str, why: str, facts: Mapping[str, Any]) -> NewEvent:
    """The event of something that happened to an attempt; its subject is `<stage>/<action>`."""
    about = {"attempt": record.attempt, "action_execution_id": record.id, **facts}
    return NewEvent(kind, f"{record.stage}/{record.action}", why, record.execution_id, about)

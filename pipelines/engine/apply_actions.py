"""What the commands about actions do to the action records, and the events that say so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from core.ids import Ids
from core.units import iso
from pipelines.engine.commands import CallOffAction, FinishAction, RefuseAction, RequestApproval, StartAction
from pipelines.engine.machine import ACTION, ActionEvent
from pipelines.engine.snapshot import ExecutionSnapshot
from store.records import ActionRecord, ActionStatus, ArtifactRef, NewEvent
from store.transaction import Transaction

ActionCommand = StartAction | RequestApproval | RefuseAction | CallOffAction | FinishAction

_END = {
    ActionStatus.SUCCEEDED: ActionEvent.SUCCEED,
    ActionStatus.FAILED: ActionEvent.FAIL,
    ActionStatus.ABANDONED: ActionEvent.ABANDON,
}


def apply(tx: Transaction, snapshot: ExecutionSnapshot, command: ActionCommand, *, ids: Ids, now: datetime) -> None:
    """Change the action records as `command` says, with its event. Raises: Conflict, IllegalTransition."""
    match command:
        case StartAction():
            facts = {"inputs": {ref.name: ref.digest for ref in command.input_artifacts}}
            _begin(tx, snapshot, command, "ActionStarted", facts, ids, now)
        case RequestApproval():
            _begin(tx, snapshot, command, "ApprovalRequested", {"due_at": iso(command.due_at)}, ids, now)
        case RefuseAction():
            problem = {"error_code": command.error_code, "error_message": command.error_message}
            _begin(tx, snapshot, command, "ActionFailed", problem, ids, now)
        case CallOffAction():
            record = tx.action(command.action_id)
            tx.update_action(record, due_at=command.due_at)
            tell(tx, record, "ActionCalledOff", command.why, {"due_at": iso(command.due_at)})
        case FinishAction():
            finish(
                tx,
                tx.action(command.action_id),
                command.status,
                command.why,
                now,
                error_code=command.error_code,
                error_message=command.error_message,
                summary=command.summary,
            )
        case _:
            assert_never(command)


def finish(
    tx: Transaction, record: ActionRecord, status: ActionStatus, why: str, now: datetime, **changes: Any
) -> ActionRecord:
    """The record, ended with `status` and `changes`, and its event. Raises: Conflict, IllegalTransition."""
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
    tell(tx, ended, f"Action{status.value}", why, {name: value for name, value in facts.items() if value})
    return ended


def tell(tx: Transaction, record: ActionRecord, kind: str, why: str, facts: Mapping[str, Any]) -> None:
    """Append the event of something that happened to an action; its subject is `<stage>/<action>`."""
    about = {"attempt": record.attempt, "action_execution_id": record.id, **facts}
    tx.append(NewEvent(kind, f"{record.stage}/{record.action}", why, record.execution_id, about))


def _begin(
    tx: Transaction,
    snapshot: ExecutionSnapshot,
    command: StartAction | RequestApproval | RefuseAction,
    kind: str,
    facts: Mapping[str, Any],
    ids: Ids,
    now: datetime,
) -> None:
    refused = command if isinstance(command, RefuseAction) else None
    approval = command if isinstance(command, RequestApproval) else None
    inputs: tuple[ArtifactRef, ...] = command.input_artifacts if isinstance(command, StartAction) else ()
    record = ActionRecord(
        id=ids.uuid(),
        execution_id=snapshot.execution.id,
        stage=command.stage,
        action=command.action,
        attempt=command.attempt,
        status=ActionStatus.FAILED if refused else ActionStatus.IN_PROGRESS,
        started_at=now,
        updated_at=now,
        ended_at=now if refused else None,
        error_code=refused.error_code if refused else "",
        error_message=refused.error_message if refused else "",
        token=ids.uuid() if approval else "",
        due_at=approval.due_at if approval else None,
        configuration=command.configuration,
        resolved_configuration={} if isinstance(command, RefuseAction) else command.resolved_configuration,
        input_artifacts=inputs,
    )
    tx.add_action(record)
    tell(tx, record, kind, command.why, facts)

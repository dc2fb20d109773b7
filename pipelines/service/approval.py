"""Answering a manual approval."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidInput, NotAllowed, NotFound
from pipelines.service import lookup
from pipelines.service.ports import Ports
from store.records import ActionRecord, ActionStatus, ApprovalRecord, NewEvent
from store.transaction import Snapshot

LONGEST_SUMMARY = 512
ANSWERS = ("Approved", "Rejected")


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is Approved or Rejected. What is answered: the `token`'s approval, else the only pending one that fits
    the execution, stage and action given ("" fits all).
    """

    status: str
    summary: str = ""
    answered_by: str = ""
    token: str = ""
    execution: str = ""
    stage: str = ""
    action: str = ""


def answer(ports: Ports, wish: Answer) -> ActionRecord:
    """The action that was answered; its execution is due at once.

    Raises:
        InvalidInput: the summary is too long.
        NotFound: nothing waits for an answer.
        NotAllowed: several fit, the token is wrong or expired, or it was answered before.
    Source: CodePipeline PutApprovalResult (InvalidApprovalTokenException, ApprovalAlreadyCompletedException).
    """
    if wish.status not in ANSWERS:
        raise InvalidInput(f"{wish.status!r} is no answer", hint="use Approved or Rejected")
    if len(wish.summary) > LONGEST_SUMMARY:
        raise InvalidInput(f"the summary has {len(wish.summary)} characters, {LONGEST_SUMMARY} at most")
    now = ports.clock.now()
    with ports.database.transaction() as transaction:
        action = _find(transaction, wish)
        if action.due_at is not None and action.due_at <= now:
            raise NotAllowed("the approval has expired", where=_place(action), hint="retry the stage to ask again")
        transaction.add_approval(ApprovalRecord(action.id, wish.status, wish.summary, wish.answered_by, now))
        execution = transaction.execution(action.execution_id)
        transaction.update_execution(execution, wake_at=now)
        transaction.append(
            NewEvent(
                kind="ApprovalAnswered",
                subject=_place(action),
                why=f"{wish.answered_by or 'somebody'} answered {wish.status}"
                + (f": {wish.summary}" if wish.summary else ""),
                execution_id=action.execution_id,
                facts={"status": wish.status, "summary": wish.summary, "answered_by": wish.answered_by},
            )
        )
    ports.nudge()
    return action


def _find(snapshot: Snapshot, wish: Answer) -> ActionRecord:
    action = _by_token(snapshot, wish.token) if wish.token else _by_place(snapshot, wish)
    if snapshot.approval(action.id) is not None or action.status is not ActionStatus.IN_PROGRESS:
        raise NotAllowed("the approval was answered before", where=_place(action))
    return action


def _by_token(snapshot: Snapshot, token: str) -> ActionRecord:
    try:
        return snapshot.action_by_token(token)
    except NotFound:
        raise NotAllowed("no approval has this token", hint="`penstock status` shows what waits") from None


def _by_place(snapshot: Snapshot, wish: Answer) -> ActionRecord:
    wanted = lookup.execution(snapshot, wish.execution).id if wish.execution else ""
    unanswered = [action for action in snapshot.pending_approvals() if snapshot.approval(action.id) is None]
    fitting = [
        action
        for action in unanswered
        if wanted in ("", action.execution_id)
        and wish.stage in ("", action.stage)
        and wish.action in ("", action.action)
    ]
    if not fitting:
        raise NotFound("no approval waits" + (" there" if unanswered else ""), hint=_what_waits(unanswered))
    if len(fitting) > 1:
        raise NotAllowed(f"{len(fitting)} approvals wait", hint=_what_waits(fitting))
    return fitting[0]


def _what_waits(actions: list[ActionRecord]) -> str:
    if not actions:
        return ""
    return "name one of: " + ", ".join(f"{action.execution_id[:8]} {_place(action)}" for action in actions)


def _place(action: ActionRecord) -> str:
    return f"{action.stage}/{action.action}"

"""How a rollout ends, each way with its status, code, reason, and whether a rollback is due. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from deploy.analysis.verdict import Judgement, Verdict
from deploy.ports import AliasState
from deploy.traffic import notes
from deploy.traffic.machine import DEPLOYMENT, Lifecycle, Move
from deploy.traffic.notes import Note
from deploy.traffic.state import Harm, RollbackEvent, Rollout

Ending = tuple[Rollout, tuple[Note, ...]]

# Source: CodeDeploy ErrorInformation codes seen on Lambda; DRIFT and ALARM_UNREADABLE are ours
ALARM_ACTIVE = "ALARM_ACTIVE"
ALARM_UNREADABLE = "ALARM_UNREADABLE"
HOOK_EXECUTION_FAILURE = "HOOK_EXECUTION_FAILURE"
MANUAL_STOP = "MANUAL_STOP"
DRIFT = "DRIFT"


def succeeded(state: Rollout) -> Ending:
    """The last stage is over."""
    state = replace(state, status=DEPLOYMENT.next(state.status, Move.SUCCEED))
    if state.rollback_of:
        return state, ()  # what a rollback tells depends on what it undid, which the driver knows
    why = f"{state.function}:{state.alias} is wholly on version {state.new_version}"
    return state, (Note("DeploymentSucceeded", why, {"version": state.new_version}),)


def failed_by_alarm(state: Rollout, judgement: Judgement, harm: Harm | None, now: datetime) -> Ending:
    """An alarm fired or cannot be read. Before any traffic that is Failed, during the shift Stopped.

    Source: CodeDeploy deployment alarms (ALARM_ACTIVE).
    """
    code = ALARM_UNREADABLE if judgement.verdict is Verdict.ERROR else ALARM_ACTIVE
    fired = notes.alarm_fired(state, judgement, harm)
    why = fired.why if code == ALARM_ACTIVE else f"alarm {judgement.alarm} cannot be read: {judgement.why}"
    if state.stage is Lifecycle.START:
        why = f"{why} (before the deployment began)"
    move = Move.STOP if state.touched else Move.FAIL
    told = () if code == ALARM_UNREADABLE else (replace(fired, why=why),)
    return _end(state, move, code, why, RollbackEvent.ALARM, now, told=told, harm=harm)


def failed_by_hook(state: Rollout, function: str, message: str, now: datetime) -> Ending:
    """A hook function said Failed, raised, or could not be invoked."""
    why = f"hook {function} ({state.stage.value}) failed: {message}"
    told = (notes.lifecycle(state, "Failed", why),)
    return _end(state, Move.FAIL, HOOK_EXECUTION_FAILURE, why, RollbackEvent.FAILURE, now, told=told)


def stopped(state: Rollout, reason: str, harm: Harm | None, now: datetime) -> Ending:
    """Somebody asked to stop."""
    return _end(state, Move.STOP, MANUAL_STOP, f"stopped: {reason}", RollbackEvent.REQUEST, now, harm=harm)


def failed_by_us(state: Rollout, code: str, reason: str, now: datetime) -> Ending:
    """The target refused something that a deployment needs."""
    return _end(state, Move.FAIL, code, reason, RollbackEvent.FAILURE, now)


def drifted(state: Rollout, alias: AliasState | None, now: datetime) -> Ending:
    """Somebody else wrote to the alias. Their routing is left alone; where it is still ours a rollback may be due."""
    found = f"sends {alias.routing}" if alias else "does not exist"
    expected = f"sending {state.routing}" if state.routing else "absent"
    why = f"somebody else changed alias {state.function}:{state.alias}: it {found}, expected was {expected}"
    facts = {"expected": str(state.routing), "found": str(alias.routing if alias else None)}
    ours = alias is not None and alias.routing == state.routing
    if alias is not None and ours:
        why = f"somebody else wrote to alias {state.function}:{state.alias} (its routing is still ours)"
        state = replace(state, revision_id=alias.revision_id)
    cause = RollbackEvent.FAILURE if ours else None
    return _end(state, Move.FAIL, DRIFT, why, cause, now, told=(Note("DriftDetected", why, facts),))


def _end(
    state: Rollout,
    move: Move,
    code: str,
    why: str,
    cause: RollbackEvent | None,
    now: datetime,
    *,
    told: tuple[Note, ...] = (),
    harm: Harm | None = None,
) -> Ending:
    status = DEPLOYMENT.next(state.status, move)
    due = state.touched and state.base is not None and cause in state.rollback_on and not state.rollback_of
    state = replace(
        state,
        status=status,
        intent=None,
        given_up=state.intent.routing if state.intent else state.given_up,
        code=code,
        why=why,
        ended_by=cause,
        detected_at=now,
        harm=harm,
        rollback_due=due,
    )
    facts = {"code": code, "weight_pct": state.weight_pct, "rollback": due}
    sentence = f"{why}; {_consequence(state, cause)}"
    return state, (*told, Note(f"Deployment{status.value}", sentence, facts))


def _consequence(state: Rollout, cause: RollbackEvent | None) -> str:
    if state.rollback_due:
        return f"rolling back to version {state.old_version}"
    if not state.touched:
        return "the alias was not touched"
    if cause is None:
        return "the alias is left as it was found"
    if state.base is None:
        return "there is no earlier version to go back to"
    return f"no rollback was asked for after {cause.value}, so the alias stays at {state.routing}"

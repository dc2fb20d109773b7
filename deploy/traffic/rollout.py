"""One tick of a rollout: from what is on record and what was observed to the next state and at most one act. Pure.

    Start ─▶ BeforeAllowTraffic ─▶ AllowTraffic (step, wait, judge, step …) ─▶ AfterAllowTraffic ─▶ End

A write to the alias is first put on record as an intent. The next ticks compare the alias with it: equal means done,
unchanged means write (again), anything else is somebody else's change (drift), which ends the deployment. So a driver
may be killed between any two instructions and another one, ticking the same record, goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from deploy.analysis.verdict import Judgement
from deploy.ports import AliasState
from deploy.traffic import notes
from deploy.traffic.ending import drifted, failed_by_alarm, failed_by_hook, stopped, succeeded
from deploy.traffic.machine import DEPLOYMENT, LIFECYCLE, Advance, Lifecycle, Move
from deploy.traffic.notes import Note
from deploy.traffic.state import Harm, Intent, Rollout
from deploy.traffic.watching import look
from deploy.traffic.weights import Routing, toward


@dataclass(frozen=True, slots=True)
class Seen:
    """The alias as observed; None = there is no such alias."""

    alias: AliasState | None


@dataclass(frozen=True, slots=True)
class HookResult:
    """What a hook function came to."""

    stage: Lifecycle
    succeeded: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was observed for this tick. None always means: not looked at.

    `judgements` are the alarms as of now, `window` the same alarms on the whole of the present step, `harm` what the
    new version did so far, `stop` the reason to stop ("" = go on).
    """

    alias: Seen | None = None
    judgements: tuple[Judgement, ...] | None = None
    window: tuple[Judgement, ...] | None = None
    harm: Harm | None = None
    hook: HookResult | None = None
    stop: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the next tick wants to know: the alias, the alarms now, the alarms on the whole step."""

    alias: bool = False
    judgements: bool = False
    window: bool = False


@dataclass(frozen=True, slots=True)
class WriteAlias:
    """Set the alias's routing if it still has `revision_id`, or create it when that is ""."""

    routing: Routing
    revision_id: str


@dataclass(frozen=True, slots=True)
class RunHook:
    """Invoke a hook function and report its result."""

    stage: Lifecycle
    function: str


Act = WriteAlias | RunHook


@dataclass(frozen=True, slots=True)
class Tick:
    """The next state, what to tell the ledger with it, and the act to do after both are on record."""

    state: Rollout
    notes: tuple[Note, ...] = ()
    act: Act | None = None


def needs(state: Rollout, now: datetime) -> Needs:
    """What to observe before the next tick."""
    watching = bool(state.alarms) and state.stage in (Lifecycle.START, Lifecycle.ALLOW)
    return Needs(
        alias=state.intent is not None or state.stage is Lifecycle.START,
        judgements=watching,
        window=watching and state.intent is None and state.step >= 0 and now >= step_ends_at(state, now),
    )


def step_ends_at(state: Rollout, now: datetime) -> datetime:
    """When the present step's wait is over; `now` before the first step."""
    if state.step < 0 or state.shifted_at is None:
        return now
    return state.shifted_at + timedelta(seconds=state.steps[state.step].wait_s)


def tick(state: Rollout, facts: Facts, now: datetime) -> Tick:
    """The next state. A final state stays as it is; without the facts it needs the state stays as it is, too."""
    if DEPLOYMENT.final(state.status):
        return Tick(state)
    state = _adopted(state, facts.alias)
    if state.intent is not None:
        return _settle(state, state.intent, facts, now)
    if facts.alias is not None and not _undisturbed(state, facts.alias):
        return _ended(drifted(state, facts.alias.alias, now))
    if facts.stop and not state.rollback_of:
        return _ended(stopped(state, facts.stop, facts.harm, now))
    match state.stage:
        case Lifecycle.START:
            return _start(state, facts, now)
        case Lifecycle.BEFORE | Lifecycle.AFTER:
            return _hook(state, facts, now)
        case Lifecycle.ALLOW:
            return _allow(state, facts, now)
        case Lifecycle.END:
            return _ended(succeeded(state))
        case _:
            assert_never(state.stage)


def _settle(state: Rollout, intent: Intent, facts: Facts, now: datetime) -> Tick:
    """An intent is on record: find out whether it was carried out."""
    if facts.alias is None:
        return Tick(state)
    alias = facts.alias.alias
    if alias is not None and alias.routing == intent.routing:
        state = replace(
            state,
            intent=None,
            step=intent.step,
            routing=alias.routing,
            revision_id=alias.revision_id,
            step_from=intent.at,
            shifted_at=now,
            first_shift_at=state.first_shift_at or intent.at,
        )
        return Tick(state, (notes.traffic_shifted(state),))
    if not _undisturbed(state, facts.alias):
        return _ended(drifted(state, alias, now))
    if state.rollback_of:
        return Tick(state, act=WriteAlias(intent.routing, state.revision_id))
    given_up = replace(state, intent=None, given_up=intent.routing)
    if facts.stop:
        return _ended(stopped(given_up, facts.stop, facts.harm, now))
    seen = look(given_up, facts.judgements, now)
    if seen.fired is not None:
        return _ended(failed_by_alarm(seen.state, seen.fired, facts.harm, now), seen.notes)
    return Tick(state, act=WriteAlias(intent.routing, state.revision_id))


def _start(state: Rollout, facts: Facts, now: datetime) -> Tick:
    if facts.alias is None:
        return Tick(state)
    seen = look(state, facts.judgements, now)
    if seen.fired is not None:
        return _ended(failed_by_alarm(seen.state, seen.fired, None, now), seen.notes)
    if not seen.may_go_on:
        return Tick(seen.state, seen.notes)
    state = replace(
        seen.state,
        status=DEPLOYMENT.next(state.status, Move.START),
        stage=LIFECYCLE.next(state.stage, Advance.NEXT),
    )
    return Tick(state, (*seen.notes, notes.started(state)))


def _hook(state: Rollout, facts: Facts, now: datetime) -> Tick:
    function = state.before_hook if state.stage is Lifecycle.BEFORE else state.after_hook
    if not function:
        return _next_stage(state)
    result = facts.hook
    if result is None or result.stage is not state.stage:
        told = () if state.hook_started else (notes.lifecycle(state, "Started", f"hook {function} is invoked"),)
        return Tick(replace(state, hook_started=True), told, RunHook(state.stage, function))
    if not result.succeeded:
        return _ended(failed_by_hook(state, function, result.message, now))
    return _next_stage(state, notes.lifecycle(state, "Succeeded", f"hook {function} succeeded"))


def _allow(state: Rollout, facts: Facts, now: datetime) -> Tick:
    seen = look(state, facts.judgements, now)
    if seen.fired is not None:
        return _ended(failed_by_alarm(seen.state, seen.fired, facts.harm, now), seen.notes)
    state = seen.state
    if not seen.may_go_on or now < step_ends_at(state, now):
        return Tick(state, seen.notes)
    if state.alarms and state.step >= 0:
        if facts.window is None:
            return Tick(state, seen.notes)
        whole = look(state, facts.window, now)
        if whole.fired is not None:
            return _ended(failed_by_alarm(whole.state, whole.fired, facts.harm, now), (*seen.notes, *whole.notes))
        if not whole.may_go_on:
            return Tick(state, seen.notes)
    if state.step + 1 < len(state.steps):
        return _intend(state, state.step + 1, now, seen.notes)
    return _next_stage(state, *seen.notes, notes.lifecycle(state, "Succeeded", "all traffic is on the new version"))


def _intend(state: Rollout, step: int, now: datetime, told: tuple[Note, ...]) -> Tick:
    routing = toward(state.old_version, state.new_version, state.steps[step].weight_pct)
    state = replace(state, intent=Intent(step, routing, now), touched=True)
    return Tick(state, told, WriteAlias(routing, state.revision_id))


def _next_stage(state: Rollout, *told: Note) -> Tick:
    return Tick(replace(state, stage=LIFECYCLE.next(state.stage, Advance.NEXT), hook_started=False), told)


def _adopted(state: Rollout, seen: Seen | None) -> Rollout:
    """`state` with the alias's revision where another write than an expected one is no drift.

    That is a write of ours that arrives after it was given up. And a rollback does not mind a write that left the
    routing alone (a description): it must not stay undone for that.
    """
    alias = seen.alias if seen else None
    if alias is None:
        return state
    if alias.routing == state.given_up:
        return replace(state, routing=alias.routing, revision_id=alias.revision_id, given_up=None)
    if state.rollback_of and alias.routing == state.routing:
        return replace(state, revision_id=alias.revision_id)
    return state


def _undisturbed(state: Rollout, seen: Seen) -> bool:
    """Whether the alias is exactly as last confirmed, or as absent as it was."""
    if seen.alias is None or state.routing is None:
        return seen.alias is None and state.routing is None
    return seen.alias.revision_id == state.revision_id and seen.alias.routing == state.routing


def _ended(ending: tuple[Rollout, tuple[Note, ...]], before: tuple[Note, ...] = ()) -> Tick:
    state, told = ending
    return Tick(state, (*before, *told))

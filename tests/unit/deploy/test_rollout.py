"""A rollout ticks from any facts to one of its ends, and never leaves the alias split when it may roll back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.analysis.alarms import NamedAlarm
from deploy.analysis.verdict import Judgement, Verdict
from deploy.ports import AliasState
from deploy.rollback import undoing
from deploy.traffic.machine import DEPLOYMENT, Lifecycle, Status
from deploy.traffic.rollout import Facts, HookResult, RunHook, Seen, Tick, WriteAlias, needs, step_ends_at, tick
from deploy.traffic.state import EVERY_ROLLBACK, Harm, RollbackEvent, Rollout, from_data, to_data
from deploy.traffic.strategy import Step, Steps
from deploy.traffic.watching import UNREADABLE_GRACE_S
from deploy.traffic.weights import Routing, toward

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STEPS = (Step(10, 10), Step(50, 10), Step(100))
ALARM = NamedAlarm("pager")


def a_rollout(**changes: object) -> Rollout:
    state = Rollout("d-1", "orders", "live", Routing("1"), "2", "r-1", steps=STEPS, routing=Routing("1"))
    return replace(state, **changes)  # type: ignore[arg-type]


def seen(routing: Routing, revision_id: str = "r-1") -> Seen:
    return Seen(AliasState("live", routing, revision_id))


def judged(verdict: Verdict) -> tuple[Judgement, ...]:
    return (Judgement("pager", verdict, "because"),)


def started(state: Rollout) -> Rollout:
    """`state` at AllowTraffic."""
    state = tick(state, Facts(alias=seen(Routing("1")), judgements=judged(Verdict.GOOD)), NOW).state
    return tick(state, Facts(), NOW).state


def shifted(state: Rollout) -> Rollout:
    """`state` with its first step confirmed at NOW."""
    intended = tick(started(state), Facts(judgements=judged(Verdict.GOOD)), NOW).state
    return tick(intended, Facts(alias=seen(toward("1", "2", 10), "r-2")), NOW).state


def test_nothing_happens_before_the_alias_was_looked_at() -> None:
    assert needs(a_rollout(), NOW).alias
    assert tick(a_rollout(), Facts(), NOW) == Tick(a_rollout())


def test_a_write_is_an_intent_first_and_carries_the_revision() -> None:
    intended = tick(started(a_rollout()), Facts(), NOW)

    assert intended.act == WriteAlias(toward("1", "2", 10), "r-1")
    assert intended.state.intent is not None
    assert intended.state.touched
    assert needs(intended.state, NOW).alias


def test_an_intent_that_was_not_carried_out_is_written_again() -> None:
    intended = tick(started(a_rollout()), Facts(), NOW)

    again = tick(intended.state, Facts(alias=seen(Routing("1"))), NOW)

    assert (again.state, again.act) == (intended.state, intended.act)


def test_an_intent_that_was_carried_out_is_confirmed_whoever_did_it() -> None:
    state = shifted(a_rollout())

    assert (state.intent, state.step, state.revision_id, state.weight_pct) == (None, 0, "r-2", 10)
    assert step_ends_at(state, NOW) == NOW + timedelta(seconds=10)


def test_the_next_step_waits_for_its_time() -> None:
    state = shifted(a_rollout())

    assert tick(state, Facts(), NOW + timedelta(seconds=9.9)) == Tick(state)
    assert tick(state, Facts(), NOW + timedelta(seconds=10)).act == WriteAlias(toward("1", "2", 50), "r-2")


def test_the_next_step_waits_for_the_alarms_on_the_whole_step() -> None:
    state = shifted(a_rollout(alarms=(ALARM,)))
    end = NOW + timedelta(seconds=10)

    assert not needs(state, NOW).window
    assert needs(state, end).window
    good = judged(Verdict.GOOD)
    assert tick(state, Facts(judgements=good), end).act is None
    assert tick(state, Facts(judgements=good, window=good), end).act == WriteAlias(toward("1", "2", 50), "r-2")
    assert tick(state, Facts(judgements=good, window=judged(Verdict.BAD)), end).state.status is Status.STOPPED


def test_too_little_data_does_not_hold_a_rollout_up() -> None:
    state = shifted(a_rollout(alarms=(ALARM,)))
    thin = judged(Verdict.INCONCLUSIVE)

    assert tick(state, Facts(judgements=thin, window=thin), NOW + timedelta(seconds=10)).act is not None


def test_a_fired_alarm_ends_it_stopped_with_a_rollback_due() -> None:
    ended = tick(shifted(a_rollout(alarms=(ALARM,))), Facts(judgements=judged(Verdict.BAD), harm=Harm(9, 3)), NOW)

    assert (ended.state.status, ended.state.code, ended.state.rollback_due) == (Status.STOPPED, "ALARM_ACTIVE", True)
    fired = next(note for note in ended.notes if note.kind == "AlarmFired")
    assert (fired.facts["harmed_requests"], fired.facts["served_requests"]) == (3, 9)


def test_an_unreadable_alarm_holds_traffic_back_and_ends_it_after_a_grace() -> None:
    state = shifted(a_rollout(alarms=(ALARM,)))
    blind = Facts(judgements=judged(Verdict.ERROR), window=judged(Verdict.ERROR))
    late = NOW + timedelta(seconds=10)

    held = tick(state, blind, late)
    assert (held.act, held.state.unreadable_since) == (None, late)
    over = late + timedelta(seconds=UNREADABLE_GRACE_S)
    assert tick(held.state, blind, over).state.code == "ALARM_UNREADABLE"
    assert tick(held.state, Facts(judgements=judged(Verdict.GOOD)), over).state.unreadable_since is None


def test_without_the_wish_for_a_rollback_none_is_due() -> None:
    state = shifted(a_rollout(alarms=(ALARM,), rollback_on=(RollbackEvent.FAILURE,)))

    ended = tick(state, Facts(judgements=judged(Verdict.BAD)), NOW)

    assert not ended.state.rollback_due
    assert "no rollback was asked for" in ended.notes[-1].why


def test_a_first_release_that_fails_says_that_there_is_nothing_to_go_back_to() -> None:
    state = a_rollout(base=None, routing=None, revision_id="", steps=(Step(100),), after_hook="check")
    state = tick(state, Facts(alias=Seen(None)), NOW).state
    intended = tick(tick(state, Facts(), NOW).state, Facts(), NOW)
    assert intended.act == WriteAlias(Routing("2"), "")
    state = tick(intended.state, Facts(alias=seen(Routing("2"))), NOW).state
    state = tick(state, Facts(), NOW).state

    ended = tick(state, Facts(hook=HookResult(Lifecycle.AFTER, False, "no")), NOW)

    assert (ended.state.status, ended.state.rollback_due) == (Status.FAILED, False)
    assert "no earlier version" in ended.notes[-1].why


def test_a_hooks_result_for_another_event_is_not_taken() -> None:
    state = started_before_hook()

    assert isinstance(tick(state, Facts(hook=HookResult(Lifecycle.AFTER, True)), NOW).act, RunHook)
    assert tick(state, Facts(hook=HookResult(Lifecycle.BEFORE, True)), NOW).state.stage is Lifecycle.ALLOW


def started_before_hook() -> Rollout:
    return tick(a_rollout(before_hook="smoke"), Facts(alias=seen(Routing("1"))), NOW).state


def test_a_write_that_is_on_record_is_not_made_once_an_alarm_fires() -> None:
    intended = tick(started(a_rollout(alarms=(ALARM,))), Facts(judgements=judged(Verdict.GOOD)), NOW).state

    ended = tick(intended, Facts(alias=seen(Routing("1")), judgements=judged(Verdict.BAD)), NOW)

    assert (ended.act, ended.state.given_up) == (None, toward("1", "2", 10))
    assert (ended.state.status, ended.state.rollback_due) == (Status.STOPPED, True)


def test_a_given_up_write_that_arrives_late_is_undone_and_is_no_drift() -> None:
    ended = a_rollout(status=Status.STOPPED, given_up=toward("1", "2", 10), touched=True, rollback_due=True)
    back = started(undoing(ended, "d-2", "why"))

    late = tick(back, Facts(alias=seen(toward("1", "2", 10), "r-2")), NOW)

    assert late.act == WriteAlias(Routing("1"), "r-2")


def test_somebody_elses_routing_in_place_of_an_intended_one_is_drift() -> None:
    intended = tick(started(a_rollout()), Facts(), NOW).state

    ended = tick(intended, Facts(alias=seen(Routing("7"), "r-5")), NOW)

    assert (ended.act, ended.state.code) == (None, "DRIFT")


def test_drift_is_the_end_whatever_else_is_true() -> None:
    state = shifted(a_rollout())

    ended = tick(state, Facts(alias=seen(Routing("7"), "r-9"), stop="please"), NOW)

    assert (ended.state.code, ended.state.rollback_due) == ("DRIFT", False)
    assert [note.kind for note in ended.notes] == ["DriftDetected", "DeploymentFailed"]


def test_a_final_state_stays_as_it_is() -> None:
    final = a_rollout(status=Status.FAILED)

    assert tick(final, Facts(stop="x", alias=seen(Routing("9"))), NOW) == Tick(final)


@dataclass
class Alias:
    """The world of the property below: an alias that only drivers write to, and all that was written."""

    routing: Routing = field(default_factory=lambda: Routing("1"))
    revision: int = 1
    written: list[Routing] = field(default_factory=list)
    late: list[WriteAlias] = field(default_factory=list)  # sent, not arrived yet

    def arrive(self) -> None:
        """What was sent and lost on the way arrives after all."""
        while self.late:
            self.write(self.late.pop())

    def seen(self) -> Seen:
        return Seen(AliasState("live", self.routing, f"r-{self.revision}"))

    def write(self, act: WriteAlias) -> None:
        if act.revision_id == f"r-{self.revision}":
            self.routing, self.revision = act.routing, self.revision + 1
            self.written.append(act.routing)


VERDICTS = st.sampled_from([Verdict.GOOD, Verdict.GOOD, Verdict.GOOD, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.BAD])
weights = st.lists(st.integers(1, 99), max_size=4, unique=True).map(sorted)
plans: st.SearchStrategy[Steps] = st.builds(
    lambda steps, wait: (*(Step(float(weight), wait) for weight in steps), Step(100.0)),
    weights,
    st.sampled_from([0.0, 3]),
)


@st.composite
def moments(draw: st.DrawFn) -> dict[str, object]:
    """What may happen around one tick: time passes, looks fail, alarms turn, somebody stops it, the driver dies."""
    return {
        "seconds": draw(st.sampled_from([0.0, 1.0, 5.0])),
        "sees_alias": draw(st.booleans()),
        "verdict": draw(VERDICTS | st.none()),
        "window": draw(VERDICTS | st.none()),
        "hook": draw(st.sampled_from([True, True, False, None])),
        "stop": draw(st.sampled_from(["", "", "", "", "please"])),
        "arrives": draw(st.booleans()),
        "crash": draw(st.sampled_from(["", "", "before", "after", "forgets", "lost"])),
    }


CALM = {"seconds": 5.0, "sees_alias": True, "verdict": Verdict.GOOD, "window": Verdict.GOOD, "hook": True}


def facts_of(moment: dict[str, object], state: Rollout, alias: Alias, stage: Lifecycle) -> Facts:
    verdict, window, hook = moment["verdict"], moment["window"], moment["hook"]
    return Facts(
        alias=alias.seen() if moment["sees_alias"] else None,
        judgements=judged(verdict) if isinstance(verdict, Verdict) else None,
        window=judged(window) if isinstance(window, Verdict) else None,
        hook=HookResult(stage, hook, "no") if isinstance(hook, bool) else None,
        stop=str(moment.get("stop", "")),
    )


@settings(max_examples=400, deadline=None)
@given(plans, st.booleans(), st.booleans(), st.lists(moments(), max_size=40))
def test_any_interleaving_of_facts_and_crashes_ends_wholly_on_one_version(
    steps: Steps, with_alarm: bool, with_hooks: bool, history: list[dict[str, object]]
) -> None:
    hooks = {"before_hook": "a", "after_hook": "b"} if with_hooks else {}
    state = a_rollout(steps=steps, alarms=(ALARM,) if with_alarm else (), rollback_on=EVERY_ROLLBACK, **hooks)
    alias, now = Alias(), NOW

    ended = drive(state, alias, now, history)
    if ended.rollback_due:
        back = drive(undoing(ended, "d-2", "why"), alias, now, history)
        assert back.status is Status.SUCCEEDED
        assert alias.routing == Routing("1")

    alias.arrive()
    assert not alias.routing.split
    assert alias.routing == Routing("2" if ended.status is Status.SUCCEEDED else "1")
    ours = [routing.weight_pct("2") for routing in alias.written]
    going_up = ours[:-1] if ended.rollback_due and ours and ours[-1] == 0 else ours
    assert going_up == sorted(set(going_up))
    assert going_up == [step.weight_pct for step in steps][: len(going_up)]


def drive(state: Rollout, alias: Alias, now: datetime, history: list[dict[str, object]]) -> Rollout:
    """The final state after the history and then as much calm as it takes."""
    for moment in (*history, *([CALM] * 60)):
        now += timedelta(seconds=float(str(moment["seconds"])))
        if moment.get("arrives"):
            alias.arrive()
        step = tick(state, facts_of(moment, state, alias, state.stage), now)
        crash = moment.get("crash")
        if crash == "forgets":
            continue  # died before the state was on record
        state = from_data(to_data(step.state))
        assert state == step.state
        if crash == "before":
            continue  # died before the act
        if isinstance(step.act, WriteAlias):
            if crash == "lost":
                alias.late.append(step.act)
            else:
                alias.write(step.act)
        if DEPLOYMENT.final(state.status):
            return state
    pytest.fail(f"it never ends: {state}")


@given(st.sampled_from(list(Status)), st.sampled_from(list(Lifecycle)))
def test_every_status_and_stage_survives_the_record(status: Status, stage: Lifecycle) -> None:
    state = a_rollout(
        status=status, stage=stage, alarms=(ALARM,), harm=Harm(1, 2, NOW), verdicts={"pager": Verdict.BAD},
        ended_by=RollbackEvent.ALARM, detected_at=NOW,
    )  # fmt: skip

    assert from_data(to_data(state)) == state

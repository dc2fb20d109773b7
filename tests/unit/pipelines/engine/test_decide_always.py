"""What holds for every pipeline, whatever happens: random definitions, outcomes, stops, answers, retries and crashes.

Executions are advanced one decision at a time from an in-memory store, in any order, by drivers that may vanish
between a decision and its work; only executions that are due are advanced, as runners do.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, IllegalTransition
from pipelines.engine.apply import Writing
from pipelines.engine.commands import Decision
from pipelines.engine.decide import decide
from pipelines.engine.snapshot import ExecutionSnapshot
from store.records import ActionStatus, ExecutionStatus, StopMode
from tests.fakes.engine import pipeline
from tests.fakes.factory import Factory

ACTIONS = st.fixed_dictionaries(
    {
        "provider": st.sampled_from(["Build", "Build", "Build", "Approval"]),
        "runOrder": st.integers(1, 3),
        "timeoutInMinutes": st.sampled_from([1.0, 10.0]),
    }
)
STAGES = st.fixed_dictionaries(
    {
        "actions": st.lists(ACTIONS, min_size=1, max_size=3),
    },
    optional={
        "onFailure": st.sampled_from(
            [
                {"result": "ROLLBACK"},
                {"result": "RETRY"},
                {"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}},
            ]
        )
    },
)
Document = dict[str, Any]
T = TypeVar("T")

PIPELINES = st.builds(
    lambda stages, mode: pipeline(*stages, mode=mode),
    st.lists(STAGES, min_size=1, max_size=4),
    st.sampled_from(["QUEUED", "SUPERSEDED", "PARALLEL"]),
)
RUNS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def play(factory: Factory, data: st.DataObject, steps: int) -> None:
    """Let things happen, in an order and with outcomes that Hypothesis chooses, checking after each."""
    happenings = ["start", "advance", "advance", "advance", "finish", "finish", "answer", "stop", "retry", "time"]
    for _ in range(steps):
        happening = data.draw(st.sampled_from(happenings))
        _happen(factory, data, happening)
        factory.check()


def _happen(factory: Factory, data: st.DataObject, happening: str) -> None:
    records = list(factory.store.executions_.values())
    if happening == "start" and len(records) < 6:
        factory.start()
    elif happening == "advance":
        due = factory.store.due_executions(factory.clock.now())
        if due:
            factory.step(_one_of(data, due))
    elif happening == "finish" and (running := factory.running("Build")):
        outcome = data.draw(st.sampled_from([ActionStatus.SUCCEEDED, ActionStatus.SUCCEEDED, ActionStatus.FAILED]))
        factory.finish(
            _one_of(data, running), outcome
        )  # the driver may vanish before it advances: the execution stays due
    elif happening == "answer" and (waiting := factory.running("Approval")):
        factory.answer(_one_of(data, waiting), data.draw(st.sampled_from(["Approved", "Rejected"])))
    elif happening == "stop" and (live := [r for r in factory.live() if r.stop is StopMode.NONE]):
        mode = data.draw(st.sampled_from([StopMode.WAIT, StopMode.ABANDON]))
        factory.stop(_one_of(data, live), mode)
    elif happening == "retry" and records:
        record = _one_of(data, records)
        if record.status in (ExecutionStatus.FAILED, ExecutionStatus.STOPPED):
            factory.retry(record, data.draw(st.booleans()))
    elif happening == "time":
        factory.clock.advance(data.draw(st.sampled_from([1, 31, 120, 3600])))


def _one_of(data: st.DataObject, items: Sequence[T]) -> T:
    return items[data.draw(st.integers(0, len(items) - 1))]


def drain(factory: Factory) -> None:
    """Advance whatever is due, and let everything that runs succeed, until all is quiet."""
    for _ in range(2000):
        factory.check()
        due = factory.store.due_executions(factory.clock.now())
        for record in due:
            factory.step(record)
        running = [*factory.running("Build"), *factory.running("Approval")]
        for action in factory.running("Build"):
            factory.finish(action, ActionStatus.SUCCEEDED)
        for action in factory.running("Approval"):
            factory.answer(action, "Approved")
        if not due and not running:
            return
    raise AssertionError("it never became quiet")


@RUNS
@given(data=st.data(), document=PIPELINES, seed=st.integers(0, 2**16))
def test_everything_ends_and_no_rule_is_broken_on_the_way(
    data: st.DataObject, document: dict[str, Any], seed: int
) -> None:
    factory = Factory(document, random.Random(seed))
    factory.start()
    play(factory, data, data.draw(st.integers(5, 50)))
    drain(factory)
    left = [(record.number, record.status.value) for record in factory.live()]
    assert not left, f"nobody advances these any more: {left}"


@RUNS
@given(data=st.data(), document=PIPELINES, seed=st.integers(0, 2**16))
def test_deciding_is_repeatable_and_applying_twice_is_refused(
    data: st.DataObject, document: dict[str, Any], seed: int
) -> None:
    factory = Factory(document, random.Random(seed))
    factory.start()
    play(factory, data, data.draw(st.integers(0, 30)))
    for record in factory.live():
        snapshot, decision = factory.look(record)
        assert decide(factory.definition, snapshot, factory.clock.now()) == decision
        if not decision.commands:
            continue
        _apply(factory, snapshot, decision)
        before = dict(factory.store.executions_), dict(factory.store.stages_), dict(factory.store.actions_)
        with pytest.raises((Conflict, IllegalTransition)):
            _apply(factory, snapshot, decision)
        assert before == (factory.store.executions_, factory.store.stages_, factory.store.actions_)


def _apply(factory: Factory, snapshot: ExecutionSnapshot, decision: Decision) -> None:
    with factory.store.transaction() as tx:
        writing = Writing(tx, snapshot, factory.ids, factory.clock)
        for command in decision.commands:
            writing.apply(command)
        writing.finish()


@RUNS
@given(data=st.data(), document=PIPELINES, seed=st.integers(0, 2**16))
def test_time_alone_ends_every_wait_that_has_an_end(data: st.DataObject, document: Document, seed: int) -> None:
    """An abandoned, timed-out or unanswered attempt that nobody finishes is given up at the time decide names."""
    factory = Factory(document, random.Random(seed))
    factory.start()
    play(factory, data, data.draw(st.integers(0, 30)))
    for _ in range(500):
        for record in factory.live():
            factory.step(record)
        factory.check()
        if not factory.live():
            return
        decisions = [factory.look(record)[1] for record in factory.live()]
        if any(decision.commands for decision in decisions):
            continue
        waits = [decision.wake_at for decision in decisions if decision.wake_at is not None]
        assert waits, "somebody waits and nothing will ever happen"
        factory.clock.advance(max(0.001, (min(waits) - factory.clock.now()) / timedelta(seconds=1)))
    raise AssertionError("time did not end it")


@RUNS
@given(data=st.data(), document=PIPELINES, seed=st.integers(0, 2**16))
def test_a_second_stop_request_never_revives_anything(data: st.DataObject, document: Document, seed: int) -> None:
    factory = Factory(document, random.Random(seed))
    factory.start()
    play(factory, data, data.draw(st.integers(0, 20)))
    for record in factory.live():
        if record.stop is not StopMode.ABANDON:
            factory.stop(record, StopMode.ABANDON)
    started = len(factory.store.actions_)
    drain(factory)
    assert not factory.live()
    assert len(factory.store.actions_) == started

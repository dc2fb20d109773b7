"""When an alarm is in which state: the tables of CloudWatch's documentation, and every short sequence of datapoints."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alarms.decide import Datapoint, Rule, decide, samples_needed
from runtime.alarms.records import State

_STATES = {"OK": State.OK, "ALARM": State.ALARM, "INSUFFICIENT": State.INSUFFICIENT_DATA, "RETAIN": None}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def points(drawn: str) -> list[Datapoint | None]:
    """Datapoints as the documentation draws them: 0 is within, X outside of the threshold, - missing."""
    values = {"0": 0.0, "X": 9.0}
    return [Datapoint(60 * at, values[sign]) if sign in values else None for at, sign in enumerate(drawn.split())]


def rule(periods: int, to_alarm: int, treat_missing: str = "missing", needed: float = 0.0) -> Rule:
    """Above 5 is breaching."""
    return Rule("GreaterThanThreshold", 5.0, periods, to_alarm, treat_missing, needed)


@pytest.mark.parametrize(
    ("drawn", "to_alarm", "filled", "states"),
    [
        ("0 - X - X", 3, 0, "OK OK OK OK"),
        ("0 - - - -", 3, 2, "OK OK OK OK"),
        ("- - - - -", 3, 3, "INSUFFICIENT RETAIN ALARM OK"),
        ("0 X X - X", 3, 0, "ALARM ALARM ALARM ALARM"),
        ("- - X - -", 3, 2, "ALARM RETAIN ALARM OK"),
        ("X - - - -", 3, 2, "ALARM RETAIN ALARM OK"),
        ("- - - - X", 3, 2, "INSUFFICIENT RETAIN ALARM OK"),
        ("- - - X -", 3, 2, "INSUFFICIENT RETAIN ALARM OK"),
        ("0 - X - X", 2, 0, "ALARM ALARM ALARM ALARM"),
        ("0 0 X 0 X", 2, 0, "ALARM ALARM ALARM ALARM"),
        ("0 - X - -", 2, 1, "OK OK ALARM OK"),
        ("- - - - 0", 2, 2, "OK OK ALARM OK"),
        ("- - - X -", 2, 2, "ALARM RETAIN ALARM OK"),
        ("- - - - X", 2, 2, "INSUFFICIENT RETAIN ALARM OK"),
    ],
)
def test_the_documented_tables(drawn: str, to_alarm: int, filled: int, states: str) -> None:
    for treatment, state in zip(TREATMENTS, states.split(), strict=True):
        found = decide(points(drawn), rule(3, to_alarm, treatment))
        assert (found.state, found.filled) == (_STATES[state], filled), treatment


@pytest.mark.parametrize("to_alarm", [1, 2, 3])
@pytest.mark.parametrize("treatment", TREATMENTS)
def test_every_sequence_of_five(to_alarm: int, treatment: str) -> None:
    """Held against the words of the documentation, spelled out another way than the decider does it."""
    for drawn in itertools.product("0X-", repeat=5):
        real = [sign for sign in drawn if sign != "-"][-3:]
        missing = 3 - len(real)
        worst, best = real.count("X") + missing, real.count("X")
        found = decide(points(" ".join(drawn)), rule(3, to_alarm, treatment)).state
        if best >= to_alarm:
            assert found is State.ALARM
        elif worst < to_alarm:
            assert found is State.OK
        elif treatment in {"breaching", "notBreaching"}:
            assert found is (State.ALARM if treatment == "breaching" else State.OK)
        elif "0" in real:
            assert found is State.OK
        elif treatment == "ignore":
            assert found is None
        else:
            is_old = "X" in drawn and 5 - drawn.index("X") >= to_alarm
            assert found is (State.ALARM if is_old else State.INSUFFICIENT_DATA)


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", {6.0}),
        ("GreaterThanOrEqualToThreshold", {5.0, 6.0}),
        ("LessThanThreshold", {4.0}),
        ("LessThanOrEqualToThreshold", {4.0, 5.0}),
    ],
)
def test_comparisons(comparison: str, breaching: set[float]) -> None:
    for value in (4.0, 5.0, 6.0):
        found = decide([Datapoint(0, value)], Rule(comparison, 5.0, 1, 1))
        assert (found.state is State.ALARM) is (value in breaching)


@given(st.lists(st.sampled_from("0X-"), min_size=1, max_size=14), st.data(), st.sampled_from(TREATMENTS))
def test_more_breaching_datapoints_never_make_an_alarm_better(drawn: list[str], data: st.DataObject, how: str) -> None:
    periods = data.draw(st.integers(1, len(drawn)))
    limits = rule(periods, data.draw(st.integers(1, periods)), how)
    worse = ["X" if sign == "0" and data.draw(st.booleans()) else sign for sign in drawn]
    before, after = (decide(points(" ".join(signs)), limits).state for signs in (drawn, worse))
    assert before is not State.ALARM or after is State.ALARM


@given(st.lists(st.sampled_from("0X"), min_size=3, max_size=9), st.sampled_from(TREATMENTS))
def test_datapoints_before_the_latest_do_not_matter_when_none_is_missing(drawn: list[str], treatment: str) -> None:
    whole, latest = (decide(points(" ".join(signs)), rule(3, 2, treatment)).state for signs in (drawn, drawn[-3:]))
    assert whole is latest


def test_a_percentile_of_few_samples_leaves_the_state_when_it_is_told_to() -> None:
    few, enough = ([Datapoint(0, 9.0, count)] for count in (999.0, 1000.0))
    careful = rule(1, 1, needed=samples_needed(99.0))
    assert decide(few, careful).state is None
    assert decide(enough, careful).state is State.ALARM
    assert decide(few, rule(1, 1)).state is State.ALARM


@pytest.mark.parametrize(("rank", "needed"), [(99.0, 1000), (50.0, 20), (90.0, 100), (10.0, 100), (100.0, 0), (0.0, 0)])
def test_how_many_samples_a_percentile_needs(rank: float, needed: int) -> None:
    assert samples_needed(rank) == pytest.approx(needed)

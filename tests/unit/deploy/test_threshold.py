"""An alarm on a metric's buckets: M of N, missing data, growing periods, and the whole step at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.analysis.alarms import MetricAlarm
from deploy.analysis.threshold import Datapoint, datapoints, evaluate, evaluate_window, floor
from deploy.analysis.verdict import Judgement, Verdict, worst
from deploy.ports import Point

START = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC)
ALARM = MetricAlarm("errors", "ErrorRate", threshold=10, period_s=1)


def points(*counts: tuple[int, int] | None, alarm: MetricAlarm = ALARM) -> Sequence[Datapoint]:
    """One period for each (invocations, errors), from START; None is a period without data."""
    series: dict[str, list[Point]] = {"Invocations": [], "Errors": []}
    for index, count in enumerate(counts):
        if count is not None:
            at = START + timedelta(seconds=index * alarm.period_s)
            series["Invocations"].append(Point(at, count[0]))
            series["Errors"].append(Point(at, count[1]))
    return datapoints(alarm, series, START, START + timedelta(seconds=len(counts) * alarm.period_s))


def test_an_error_rate_is_errors_of_invocations_in_percent() -> None:
    assert [point.value for point in points((10, 1), (4, 4), None)] == [10, 100, None]


def test_exactly_the_threshold_is_fine_and_more_is_not() -> None:
    assert evaluate(ALARM, points((10, 1))).verdict is Verdict.GOOD
    bad = evaluate(ALARM, points((10, 2)))
    assert bad.verdict is Verdict.BAD
    assert bad.why == "ErrorRate was 20 % in 1 of 1 periods of 1 s; allowed is at most 10 %"
    assert (bad.facts["invocations"], bad.facts["errors"], bad.facts["value"]) == (10, 2, 20)


def test_m_of_n_needs_m_breaching_periods_among_n_that_follow_each_other() -> None:
    alarm = replace(ALARM, evaluation_periods=3, datapoints_to_alarm=2)
    good, bad = (10, 0), (10, 5)

    assert evaluate(alarm, points(good, bad, good, good, bad)).verdict is Verdict.GOOD
    assert evaluate(alarm, points(good, bad, good, bad, good)).verdict is Verdict.BAD


def test_an_alarm_that_fired_between_two_looks_is_seen_at_the_next() -> None:
    assert evaluate(ALARM, points((10, 0), (10, 9), (10, 0), (10, 0))).verdict is Verdict.BAD


def test_too_few_invocations_are_no_data() -> None:
    alarm = replace(ALARM, minimum_invocations=5)

    judgement = evaluate(alarm, points((4, 4), alarm=alarm))

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "at least 5 are needed" in judgement.why


@pytest.mark.parametrize(
    ("missing", "verdict"),
    [("missing", "inconclusive"), ("notBreaching", "good"), ("breaching", "bad"), ("ignore", "inconclusive")],
)
def test_missing_data_counts_as_the_alarm_says(missing: str, verdict: str) -> None:
    assert evaluate(replace(ALARM, missing=missing), points(None, None)).verdict == verdict


def test_ignored_missing_data_keeps_the_verdict_before() -> None:
    alarm = replace(ALARM, missing="ignore")

    assert evaluate(alarm, points(None), Verdict.GOOD).verdict is Verdict.GOOD


def test_a_period_that_is_still_growing_is_judged_on_what_it_has_but_never_missing() -> None:
    alarm = replace(ALARM, period_s=60, missing="breaching")
    now = START + timedelta(seconds=20)

    assert evaluate(alarm, datapoints(alarm, {}, START, now)).verdict is Verdict.GOOD
    series = {"Invocations": [Point(START, 10)], "Errors": [Point(START, 10)]}
    assert evaluate(alarm, datapoints(alarm, series, START, now)).verdict is Verdict.BAD


def test_a_step_shorter_than_the_alarms_periods_must_not_breach_in_all_it_has() -> None:
    alarm = replace(ALARM, metric="Errors", threshold=3, period_s=60, evaluation_periods=3, datapoints_to_alarm=3)
    found = points((10, 4), alarm=alarm)

    assert evaluate(alarm, found).verdict is Verdict.GOOD
    assert evaluate_window(alarm, found).verdict is Verdict.BAD


def test_a_steps_total_error_rate_is_judged_even_when_no_period_had_enough_requests() -> None:
    alarm = replace(ALARM, minimum_invocations=5)
    found = points((2, 1), (2, 1), (2, 1), alarm=alarm)

    assert evaluate(alarm, found).verdict is Verdict.INCONCLUSIVE
    judgement = evaluate_window(alarm, found)
    assert judgement.verdict is Verdict.BAD
    assert "over the whole step (6 invocations)" in judgement.why


def test_a_calm_step_says_its_rate() -> None:
    assert "ErrorRate was 5 %" in evaluate_window(ALARM, points((10, 0), (10, 1))).why


def test_durations_and_counts_are_compared_as_they_are() -> None:
    slow = MetricAlarm("slow", "Duration", threshold=200, period_s=1)
    series = {"Invocations": [Point(START, 3)], "Errors": [], "Duration": [Point(START, 250.5)]}

    judgement = evaluate(slow, datapoints(slow, series, START, START + timedelta(seconds=1)))

    assert judgement.verdict is Verdict.BAD
    assert "Duration was 250.5 ms" in judgement.why


def test_throttles_count_although_a_throttled_request_is_no_invocation() -> None:
    alarm = MetricAlarm("throttled", "Throttles", threshold=0, period_s=1)

    found = datapoints(alarm, {"Throttles": [Point(START, 2)]}, START, START + timedelta(seconds=1))

    assert evaluate(alarm, found).verdict is Verdict.BAD


@given(st.integers(0, 4_000_000_000), st.integers(1, 3600))
def test_a_period_begins_at_a_multiple_of_its_length_since_the_epoch(seconds: int, period_s: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    begin = floor(at, period_s)

    assert begin.timestamp() % period_s == 0
    assert 0 <= (at - begin).total_seconds() < period_s


@given(st.lists(st.none() | st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1), st.integers(1, 4))
def test_what_fires_now_also_fires_over_the_whole_step(counts: list[tuple[int, int] | None], n: int) -> None:
    alarm = replace(ALARM, evaluation_periods=n, datapoints_to_alarm=n)
    found = points(*counts)

    if evaluate(alarm, found).verdict is Verdict.BAD:
        assert evaluate_window(alarm, found).verdict is Verdict.BAD


def test_the_worst_verdict_wins() -> None:
    def judgement(verdict: Verdict) -> Judgement:
        return Judgement(verdict.value, verdict, "")

    order = [Verdict.GOOD, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.BAD]
    for count in range(1, 5):
        found = worst(judgement(verdict) for verdict in order[:count])
        assert found is not None
        assert found.verdict is order[count - 1]
    assert worst([]) is None

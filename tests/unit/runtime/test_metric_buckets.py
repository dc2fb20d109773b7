"""Counting by the second, adding up by the period."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.metrics import query
from runtime.metrics.buckets import Bucket, percentile_rank, statistics
from runtime.metrics.keys import Key
from runtime.metrics.series import Series, Summary, series


def bucket(*durations: float, errors: int = 0) -> Bucket:
    """A bucket of these invocations, the first `errors` of them failed."""
    made = Bucket()
    for index, duration in enumerate(durations):
        made.ended(duration, failed=index < errors)
    return made


def test_statistics_of_durations_and_errors() -> None:
    counted = bucket(1.0, 2.0, 3.0, 10.0, errors=1)
    duration, errors = statistics(counted, "Duration"), statistics(counted, "Errors")
    assert duration is not None
    assert errors is not None
    found = [duration.value(name) for name in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")]
    assert found == [4, 16.0, 4.0, 1.0, 10.0]
    assert [errors.value(name) for name in ("SampleCount", "Sum", "Average", "Maximum")] == [4, 1, 0.25, 1]


def test_what_did_not_happen_has_no_statistics() -> None:
    for metric in ("Invocations", "Errors", "Duration", "Throttles", "ConcurrentExecutions", "Unknown"):
        assert statistics(Bucket(), metric) is None


def test_no_error_and_no_throttle_are_samples_of_zero() -> None:
    for metric in ("Errors", "Throttles"):
        measured = statistics(bucket(1.0), metric)
        assert measured is not None
        assert (measured.value("Sum"), measured.value("SampleCount")) == (0, 1)


def test_percentiles_are_within_one_percent() -> None:
    rng = random.Random(3)
    durations = sorted(rng.lognormvariate(2, 1) for _ in range(5000))
    measured = statistics(bucket(*durations), "Duration")
    assert measured is not None
    for rank in (1, 50, 90, 99, 99.9):
        exact = durations[round(rank * 50) - 1]
        assert measured.value(f"p{rank}") == pytest.approx(exact, rel=0.015)
    assert measured.value("p100") == durations[-1]


@pytest.mark.parametrize(("word", "rank"), [("p50", 50.0), ("p99.9", 99.9), ("p101", None), ("q50", None), ("p", None)])
def test_percentile_words(word: str, rank: float | None) -> None:
    assert percentile_rank(word) == rank


@given(st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), max_size=30), st.integers(0, 30))
def test_adding_up_parts_is_counting_the_whole(samples: list[tuple[float, bool]], cut: int) -> None:
    def counted(part: list[tuple[float, bool]]) -> Bucket:
        made = Bucket()
        for duration, failed in part:
            made.ended(duration, failed=failed)
            made.concurrent(int(duration) % 7 + 1)
        return made

    added = counted(samples[:cut])
    added.add(counted(samples[cut:]))
    whole = counted(samples)
    assert added.duration_sum == pytest.approx(whole.duration_sum)
    added.duration_sum = whole.duration_sum
    assert added == whole


def samples(*values: float) -> Summary:
    """These values, each once."""
    made = Summary()
    for value in values:
        made.sample(value)
    return made


class Counts:
    """A source of counts and samples for queries."""

    def __init__(
        self, counts: dict[Key, dict[int, Bucket]], samples: dict[Series, dict[int, Summary]] | None = None
    ) -> None:
        self._counts = counts
        self._samples = samples or {}

    def keys(self) -> list[Key]:
        return list(self._counts)

    def between(self, key: Key, start: int, end: int) -> Iterator[tuple[int, Bucket]]:
        return ((second, each) for second, each in self._counts[key].items() if start <= second < end)

    def series(self) -> list[Series]:
        return list(self._samples)

    def samples(self, key: Series, start: int, end: int) -> Iterator[tuple[int, Summary]]:
        return ((second, each) for second, each in self._samples.get(key, {}).items() if start <= second < end)


SOURCE = Counts(
    {
        Key("f", "f:live", "1"): {120: bucket(1.0, 2.0), 125: bucket(4.0)},
        Key("f", "f:live", "2"): {121: bucket(8.0, errors=1)},
        Key("f", "f"): {180: bucket(16.0)},
        Key("g", "g"): {120: bucket(32.0)},
    },
    {
        series("Mine", "Depth", {"Queue": "q"}, "Count"): {120: samples(1.0, 3.0), 185: samples(5.0)},
        series("Mine", "Depth", {"Queue": "q"}, "Bytes"): {120: samples(100.0)},
        series("AWS/Lambda", "AsyncEventAge", {"FunctionName": "f"}, "Milliseconds"): {120: samples(7.0)},
    },
)


def sums(dimensions: dict[str, str], period_s: int, start: float = 0, end: float = 1000) -> dict[int, float | None]:
    """The sum of durations by period."""
    found = query.points(SOURCE, query.Metric("AWS/Lambda", "Duration", dimensions), period_s, start, end)
    return {point.at: point.statistics.value("Sum") for point in found}


def test_dimensions_choose_what_is_added_up() -> None:
    assert sums({}, 60) == {120: 47.0, 180: 16.0}
    assert sums({"FunctionName": "f"}, 60) == {120: 15.0, 180: 16.0}
    assert sums({"FunctionName": "f", "Resource": "f:live"}, 60) == {120: 15.0}
    assert sums({"FunctionName": "f", "Resource": "f:live", "ExecutedVersion": "2"}, 60) == {120: 8.0}


@pytest.mark.parametrize(
    "dimensions",
    [
        {"FunctionName": "x"},
        {"Resource": "f:live"},
        {"FunctionName": "f", "ExecutedVersion": "1"},
        {"FunctionName": "f", "Colour": "blue"},
    ],
)
def test_dimensions_that_no_metric_has_match_nothing(dimensions: dict[str, str]) -> None:
    assert sums(dimensions, 60) == {}


def test_periods_are_aligned_start_is_rounded_down_and_end_is_exclusive() -> None:
    name = {"FunctionName": "f"}
    assert sums(name, 1) == {120: 3.0, 121: 8.0, 125: 4.0, 180: 16.0}
    assert sums(name, 5) == {120: 11.0, 125: 4.0, 180: 16.0}
    assert sums(name, 60, start=150.5, end=180) == {120: 15.0}
    assert sums(name, 60, start=150.5, end=180.001) == {120: 15.0, 180: 16.0}


@pytest.mark.parametrize(("period_s", "good"), [(1, True), (5, True), (10, True), (30, True), (60, True), (300, True),
                                                (7, False), (90, False), (0, False), (-60, False)])  # fmt: skip
def test_periods(period_s: int, good: bool) -> None:
    assert (query.period_problem(period_s) == "") is good


def test_what_is_listed_can_be_asked_for() -> None:
    found = query.listed(SOURCE)
    assert {(each.namespace, each.name) for each in found} >= {("AWS/Lambda", "Errors"), ("Mine", "Depth")}
    for metric in found:
        assert query.points(SOURCE, metric, 60, 0, 1000), metric


def test_other_metrics_are_told_apart_by_dimensions_and_unit() -> None:
    def asked(unit: str | None, **dimensions: str) -> list[tuple[int, float]]:
        metric = query.Metric("Mine", "Depth", dimensions, unit)
        return [(each.at, each.statistics.total) for each in query.points(SOURCE, metric, 60, 0, 1000)]

    assert asked("Count", Queue="q") == [(120, 4.0), (180, 5.0)]
    assert asked("Bytes", Queue="q") == [(120, 100.0)]
    assert asked(None, Queue="q") == [(120, 104.0), (180, 5.0)]
    assert asked("Percent", Queue="q") == asked("Count") == asked(None, Queue="q", Region="r") == []
    assert query.units(SOURCE, query.Metric("Mine", "Depth", {"Queue": "q"})) == ["Bytes", "Count"]
    assert query.units(SOURCE, query.Metric("AWS/Lambda", "Duration", {}, "Count")) == []


def test_periods_may_begin_anywhere() -> None:
    metric = query.Metric("Mine", "Depth", {"Queue": "q"}, "Count")
    found = query.points(SOURCE, metric, 60, 125, 245, origin=65)
    assert [(each.at, each.statistics.total) for each in found] == [(185, 5.0)]
    found = query.points(SOURCE, metric, 60, 66, 245, origin=5)
    assert [(each.at, each.statistics.total) for each in found] == [(65, 4.0), (185, 5.0)]


def test_percentiles_are_told_only_of_values_that_are_known() -> None:
    known = samples(1.0, 1.0, 1.0, 100.0).statistics()
    assert known is not None
    assert (known.value("p50"), known.value("p100")) == (1.0, 100.0)
    mixed = samples(1.0, 2.0)
    mixed.joined(10, 50.0, 1.0, 9.0)
    partly, negative = mixed.statistics(), samples(-1.0, 2.0).statistics()
    assert partly is not None
    assert negative is not None
    assert partly.value("p50") is None
    assert negative.value("p50") is None
    assert (partly.value("Average"), negative.value("Minimum")) == (53.0 / 12, -1.0)

"""Metric math: the examples of CloudWatch's documentation, and what cannot be right."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.metrics.expressions.evaluate import Setting, evaluate
from runtime.metrics.expressions.grammar import ExpressionError, Tree, parse
from runtime.metrics.expressions.values import TimeSeries

NA = None
GRID = (0, 60, 120, 180, 240)


def series(*values: float | None) -> TimeSeries:
    """A series by the minute; None is missing."""
    return TimeSeries({60 * index: float(value) for index, value in enumerate(values) if value is not None})


METRICS = {
    "m1": series(1, 2, NA, 4, NA),
    "m2": series(10, NA, 30, 40, NA),
    "errors4xx": series(1, 1, 1, 1, 1),
    "errors5xx": series(2, 2, 2, 2, 2),
    "w1": series(30, 20, 0, 0),
    "w2": series(20, NA, 20, NA),
    "i1": series(1, 1, 0, 0, NA),
    "i2": series(30, NA, 0, 0, 30),
    "i3": series(0, 0, 20, NA, 20),
}


def values(expression: str, **expressions: str) -> list[list[float | None]]:
    """Every series of the result, with None where a value is missing."""
    setting = Setting(GRID, 60, METRICS, {"e": expression, **expressions})
    return [[one.points.get(at) for at in GRID] for one in evaluate(setting, "e")]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1 + m2", [11, 2, 30, 44, NA]),
        ("m2 / m1", [10, 0, NA, 10, NA]),
        ("2 * -m1 ^ 2", [-2, -8, NA, -32, NA]),
        ("m1 - 1 - 1", [-1, 0, NA, 2, NA]),
        ("m1 * (2 + 3) / 5", [1, 2, NA, 4, NA]),
        ("PERIOD(m1) / 60 * m1", [1, 2, NA, 4, NA]),
        ("w1 < w2", [0, 0, 1, 0, NA]),
        ("w1 >= 30", [1, 0, 0, 0, NA]),
        ("w1 > 15 AND w2 > 15", [1, 0, 0, 0, NA]),
        ("w1 == 0 || w2 == 20", [1, 0, 1, 1, NA]),
        ("IF(i1, i2, i3)", [30, 0, 20, NA, NA]),
        ("IF(i1, 5, i3)", [5, 5, 20, NA, NA]),
        ("IF(i1, i2, 5)", [30, 0, 5, 5, NA]),
        ("IF(m1 < 4, m1)", [1, 2, NA, NA, NA]),
        ("IF(1, m1, m2)", [1, 2, NA, 4, NA]),
        ("IF(0, m1)", [NA, NA, NA, NA, NA]),
        ("FILL(m1, 0)", [1, 2, 0, 4, 0]),
        ("FILL(m1, REPEAT)", [1, 2, 2, 4, 4]),
        ("FILL(m1, LINEAR)", [1, 2, 3, 4, NA]),
        ("FILL(m1, errors5xx)", [1, 2, 2, 4, 2]),
        ("FILL(m1, MIN(m1))", [1, 2, 1, 4, 1]),
        ("SUM([m1, m2])", [11, 2, 30, 44, NA]),
        ("AVG([m1, m2])", [5.5, 1, 15, 22, NA]),
        ("MAX([m1, m2])", [10, 2, 30, 40, NA]),
        ('SUM(METRICS("errors"))', [3, 3, 3, 3, 3]),
        ('SUM([METRICS("4xx"), METRICS("5xx")]) / 3', [1, 1, 1, 1, 1]),
        ("m1 - AVG(m1)", [1 - 7 / 3, 2 - 7 / 3, NA, 4 - 7 / 3, NA]),
        ("m1 / METRIC_COUNT(METRICS())", [1 / 9, 2 / 9, NA, 4 / 9, NA]),
        ("DIFF(m1)", [NA, 1, NA, 2, NA]),
        ("DIFF_TIME(m1)", [NA, 60, NA, 120, NA]),
        ("RATE(m1) * 60", [NA, 1, NA, 1, NA]),
        ("RUNNING_SUM(m1)", [1, 3, NA, 7, NA]),
        ("ABS(-m1)", [1, 2, NA, 4, NA]),
        ("CEIL(m1 / 3)", [1, 1, NA, 2, NA]),
        ("FLOOR(m1 / 3)", [0, 0, NA, 1, NA]),
        ("LOG10(m2)", [1, NA, math.log10(30), math.log10(40), NA]),
        ("TIME_SERIES(DATAPOINT_COUNT(m1))", [3, 3, 3, 3, 3]),
        ("EPOCH(m1)", [0, 60, 120, 180, 240]),
        ("MINUTE(m1) + HOUR(m1)", [0, 1, 2, 3, 4]),
        ("DAY(m1) + DATE(m1) + MONTH(m1) + YEAR(m1)", [1976, 1976, 1976, 1976, 1976]),
        ("FIRST(SORT([m1, m2], AVG, DESC))", [10, NA, 30, 40, NA]),
        ("LAST(SORT([m1, m2], MAX, DESC, 1))", [10, NA, 30, 40, NA]),
        ("base * 100", [100, 200, NA, 400, NA]),
    ],
)
def test_documented_examples(expression: str, expected: list[float | None]) -> None:
    (found,) = values(expression, base="m1")
    assert found == pytest.approx(expected)


def test_arrays_stay_arrays() -> None:
    assert values("[m1, m2] / 2") == [[0.5, 1, NA, 2, NA], [5, NA, 15, 20, NA]]
    assert values("100 / [m1, m2]") == [[100, 50, NA, 25, NA], [10, NA, 100 / 30, 2.5, NA]]
    assert values("SLICE(SORT([m1, m2], SUM, DESC), 1)") == [[1, 2, NA, 4, NA]]
    assert values("REMOVE_EMPTY([m1, IF(0, m1)])") == [[1, 2, NA, 4, NA]]
    assert len(values("METRICS()")) == len(METRICS)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "ends too early"),
        ("m1 +", "ends too early"),
        ("m1 m2", "'m2' is not expected"),
        ("(m1", "ends too early"),
        ("m1 ? 2", "not understood"),
        ("AVG(m1)", "scalar"),
        ("unknown + 1", "'unknown' is no Id"),
        ("e + 1", "refers to itself"),
        ("sum([m1])", "no function sum"),
        ("IF([m1], 1, 2)", "no arrays"),
        ("FILL(m1)", "FILL takes 2"),
        ("ABS(m1, m2)", "ABS takes 1 argument"),
        ("ANOMALY_DETECTION_BAND(m1)", "not supported by this local runtime"),
        ("SORT(m1, AVG, DESC)", "SORT takes"),
        ("METRICS(m1)", "METRICS takes"),
        ("TIME_SERIES(1 / 0)", "divided by 0"),
        ("(" * 60 + "m1" + ")" * 60, "too deeply"),
        ('m1 + "x"', "only METRICS takes text"),
    ],
)
def test_what_is_wrong_is_said(expression: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        values(expression)


@given(st.text(alphabet="m12+-*/^()[], <>=&|ABSUMFIL\"'.e", max_size=40))
def test_any_text_is_a_tree_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        assert isinstance(parse(text), Tree)


@given(
    st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=5, max_size=5),
    st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=5, max_size=5),
)
def test_arithmetic_keeps_every_time_one_side_has(left: list[float | None], right: list[float | None]) -> None:
    one, other = series(*left), series(*right)
    setting = Setting(GRID, 60, {"a": one, "b": other}, {"e": "a + b"})
    (found,) = evaluate(setting, "e")
    assert set(found.points) == {*one.points, *other.points}
    for at, value in found.points.items():
        assert value == one.points.get(at, 0.0) + other.points.get(at, 0.0)

"""The functions of metric math that need nothing but their arguments. Pure. Source: CloudWatch, "Metric math"."""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from runtime.metrics.expressions.grammar import ExpressionError
from runtime.metrics.expressions.values import Array, TimeSeries, Value, across, each


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _power(left: float, right: float) -> float | None:
    try:
        found = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return float(found) if isinstance(found, (int, float)) else None


OPERATORS: Mapping[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "||": lambda left, right: float(bool(left) or bool(right)),
}

POINTWISE: Mapping[str, Callable[[float], float | None]] = {
    "ABS": abs,
    "CEIL": lambda value: float(math.ceil(value)),
    "FLOOR": lambda value: float(math.floor(value)),
    "LOG": lambda value: math.log(value) if value > 0 else None,
    "LOG10": lambda value: math.log10(value) if value > 0 else None,
}

SUMMARIES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SUM": math.fsum,
    "AVG": statistics.fmean,
    "MIN": min,
    "MAX": max,
    "STDDEV": statistics.pstdev,
    "DATAPOINT_COUNT": lambda values: float(len(values)),
}


def summary(name: str, value: Value) -> Value:
    """SUM, AVG, MIN, MAX, STDDEV, DATAPOINT_COUNT: of one series a scalar, of an array one series."""
    if isinstance(value, TimeSeries):
        return SUMMARIES[name](list(value.points.values())) if value.points else 0.0
    if isinstance(value, tuple):
        if name == "AVG":
            return across(value, lambda found: math.fsum(found) / len(value))
        return across(value, SUMMARIES[name])
    raise ExpressionError(f"{name} takes a time series or an array of time series")


def _changes(value: TimeSeries, change: Callable[[float, float], float]) -> TimeSeries:
    """`change(difference of values, difference of seconds)` between neighbours."""
    times = sorted(value.points)
    found = {later: change(value.points[later] - value.points[at], float(later - at)) for at, later in pairwise(times)}
    return replace(value, points=found)


def _running_sum(value: TimeSeries) -> TimeSeries:
    total, found = 0.0, {}
    for at in sorted(value.points):
        total += value.points[at]
        found[at] = total
    return replace(value, points=found)


SERIES: Mapping[str, Callable[[TimeSeries], TimeSeries]] = {
    "DIFF": lambda value: _changes(value, lambda difference, _: difference),
    "DIFF_TIME": lambda value: _changes(value, lambda _, passed: passed),
    "RATE": lambda value: _changes(value, lambda difference, passed: difference / passed),
    "RUNNING_SUM": _running_sum,
}


def fill(value: Value, filler: str | Value, grid: Sequence[int]) -> Value:
    """The series with a value at every time of `grid`: a scalar, another series', the last one, or one in between."""
    return each(value, lambda series: _filled(series, filler, grid), "FILL")


def _filled(series: TimeSeries, filler: str | Value, grid: Sequence[int]) -> TimeSeries:
    missing = [at for at in grid if at not in series.points]
    if filler == "REPEAT":
        found = {at: _before(series.points, at) for at in missing}
    elif filler == "LINEAR":
        found = {at: _between(series.points, at) for at in missing}
    elif isinstance(filler, TimeSeries):
        found = {at: filler.points.get(at) for at in missing}
    elif isinstance(filler, float):
        found = dict.fromkeys(missing, filler)
    else:
        raise ExpressionError("FILL takes a scalar, a time series, REPEAT or LINEAR")
    whole = {**series.points, **{at: value for at, value in found.items() if value is not None}}
    return replace(series, points=dict(sorted(whole.items())))


def _before(points: Mapping[int, float], at: int) -> float | None:
    earlier = [each for each in points if each < at]
    return points[max(earlier)] if earlier else None


def _between(points: Mapping[int, float], at: int) -> float | None:
    earlier, later = [each for each in points if each < at], [each for each in points if each > at]
    if not earlier or not later:
        return None
    left, right = max(earlier), min(later)
    return points[left] + (points[right] - points[left]) * (at - left) / (right - left)


def choose(condition: Value, when: Value, otherwise: Value | None) -> Value:
    """IF(condition, when, otherwise). Source: CloudWatch, "Using IF expressions"."""
    if isinstance(condition, tuple) or isinstance(when, tuple) or isinstance(otherwise, tuple):
        raise ExpressionError("IF takes scalars and time series, no arrays")
    if isinstance(condition, float):
        return when if condition else TimeSeries({}) if otherwise is None else otherwise
    found: dict[int, float] = {}
    for at in sorted(condition.points):
        if condition.points[at]:
            found[at] = when if isinstance(when, float) else when.points.get(at, 0.0)
        elif isinstance(otherwise, float):
            found[at] = otherwise
        elif isinstance(otherwise, TimeSeries) and at in otherwise.points:
            found[at] = otherwise.points[at]
    return TimeSeries(found)


def ordered(value: Value, function: str, order: str, limit: float | None) -> Array:
    """SORT(array, AVG | MIN | MAX | SUM, ASC | DESC, limit)."""
    if not isinstance(value, tuple) or function not in {"AVG", "MIN", "MAX", "SUM"} or order not in {"ASC", "DESC"}:
        raise ExpressionError("SORT takes an array, one of AVG, MIN, MAX and SUM, one of ASC and DESC, and a limit")

    def weight(series: TimeSeries) -> float:
        return SUMMARIES[function](list(series.points.values())) if series.points else 0.0

    found = sorted(value, key=weight, reverse=order == "DESC")
    return tuple(found if limit is None else found[: int(limit)])

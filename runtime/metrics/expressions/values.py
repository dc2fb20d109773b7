"""What metric math computes with: scalars, time series, arrays of time series; and working on them by element. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from runtime.metrics.expressions.grammar import ExpressionError


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Values by the second their periods begin."""

    points: Mapping[int, float]
    label: str = ""

    def map(self, function: Callable[[float], float | None]) -> TimeSeries:
        """The series with every value changed; a value that becomes None or infinite is dropped."""
        changed = {at: function(value) for at, value in self.points.items()}
        return replace(self, points=_finite(changed))


Array = tuple[TimeSeries, ...]
Value = float | TimeSeries | Array


def _finite(points: Mapping[int, float | None]) -> dict[int, float]:
    return {at: value for at, value in points.items() if value is not None and math.isfinite(value)}


def each(value: Value, function: Callable[[TimeSeries], TimeSeries], name: str) -> Value:
    """`function` of a series, or of every series of an array."""
    if isinstance(value, TimeSeries):
        return function(value)
    if isinstance(value, tuple):
        return tuple(function(series) for series in value)
    raise ExpressionError(f"{name} takes a time series or an array of time series")


def join(left: Value, right: Value, function: Callable[[float, float], float | None]) -> Value:
    """An operator between two values; what one series lacks at a time counts as 0, a None result is dropped.

    Arrays are taken series by series, against one scalar or series. Source: CloudWatch, "Basic arithmetic functions".
    """
    if isinstance(left, tuple) and isinstance(right, tuple):
        if len(left) != len(right):
            raise ExpressionError("arrays of different lengths cannot be joined")
        return tuple(_pair(one, other, function) for one, other in zip(left, right, strict=True))
    if isinstance(left, tuple):
        return tuple(_pair(one, right, function) for one in left) if not isinstance(right, tuple) else ()
    if isinstance(right, tuple):
        return tuple(replace(_pair(left, other, function), label=other.label) for other in right)
    if isinstance(left, float) and isinstance(right, float):
        found = function(left, right)
        if found is None:
            raise ExpressionError("a scalar is divided by 0")
        return found
    return _pair(left, right, function)


def _pair(
    left: float | TimeSeries, right: float | TimeSeries, function: Callable[[float, float], float | None]
) -> TimeSeries:
    if isinstance(left, TimeSeries) and isinstance(right, TimeSeries):
        times = sorted({*left.points, *right.points})
        found = {at: function(left.points.get(at, 0.0), right.points.get(at, 0.0)) for at in times}
        return TimeSeries(_finite(found), left.label)
    if isinstance(left, TimeSeries):
        assert isinstance(right, float)
        return left.map(lambda value: function(value, right))
    assert isinstance(right, TimeSeries)
    return right.map(lambda value: function(left, value))


def across(series: Sequence[TimeSeries], function: Callable[[list[float]], float | None]) -> TimeSeries:
    """One series out of many: `function` of the values there are at each time."""
    times = sorted({at for one in series for at in one.points})
    found = {at: function([one.points[at] for one in series if at in one.points]) for at in times}
    return TimeSeries(_finite(found))

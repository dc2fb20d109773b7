"""The queries of GetMetricData, which alarms use too: metrics and expressions over one span of time. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.api.errors import ApiError
from runtime.metrics.accept import dimensions
from runtime.metrics.buckets import percentile_rank
from runtime.metrics.expressions.evaluate import Setting, evaluate, relabelled
from runtime.metrics.expressions.grammar import Call, ExpressionError, Many, Tree, names, parse
from runtime.metrics.expressions.values import TimeSeries
from runtime.metrics.query import Metric, Source, period_problem, points

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
MOST_POINTS = 100_800
"""Source: CloudWatch, GetMetricData."""
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_NO_METRIC_PERIOD_S = 300


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (rounded down to a period) to before `end`; periods begin at multiples after `origin`."""

    start: float
    end: float
    origin: int = 0

    def grid(self, period_s: int) -> range:
        """The first second of every period.

        Raises:
            ApiError: they are too many.
        """
        shift = self.origin % period_s
        first = int((self.start - shift) // period_s) * period_s + shift
        found = range(first, -int(-self.end // 1), period_s)
        if len(found) > MOST_POINTS:
            raise invalid(
                f"You have requested up to {len(found)} datapoints, which exceeds the limit of {MOST_POINTS}."
            )
        return found


class Queries:
    """The queries of one request, checked."""

    def __init__(self, source: Source, queries: Sequence[Mapping[str, Any]], span: Span) -> None:
        self._source = source
        self._span = span
        self._by_id = _checked(queries)
        self._expressions = {name: each["Expression"] for name, each in self._by_id.items() if "Expression" in each}
        self._known: dict[str, TimeSeries] = {}

    def result(self, name: str) -> list[TimeSeries]:
        """The labelled series of the query with this Id: one, or those of an array.

        Raises:
            ApiError: an expression is wrong.
        """
        query = self._by_id[name]
        if "MetricStat" in query:
            return [self._metric(name)]
        try:
            return relabelled(self._expression(name), query.get("Label", name))
        except ExpressionError as error:
            raise ApiError("ValidationException", f"Error in expression '{name}': {error}") from None

    def period_s(self, name: str) -> int:
        """The period of the query's result.

        Raises:
            ExpressionError: an expression joins metrics with different periods.
        """
        found = {self._by_id[each]["MetricStat"]["Period"] for each in self._metrics_of(name)}
        if len(found) > 1:
            raise ExpressionError("its metrics have different periods")
        return int(found.pop()) if found else int(self._by_id[name].get("Period") or _NO_METRIC_PERIOD_S)

    def metric_ids(self) -> list[str]:
        """The Ids of the queries that are metrics."""
        return [name for name, query in self._by_id.items() if "MetricStat" in query]

    def _metric(self, name: str) -> TimeSeries:
        if name not in self._known:
            query = self._by_id[name]
            stat = query["MetricStat"]
            metric, statistic = metric_of(stat["Metric"], stat.get("Unit")), stat["Stat"]
            span = self._span
            found = points(self._source, metric, stat["Period"], span.start, span.end, origin=span.origin)
            values = {point.at: point.statistics.value(statistic) for point in found}
            label = query.get("Label") or metric.name
            known = {at: value for at, value in values.items() if value is not None}
            self._known[name] = TimeSeries(known, label)
        return self._known[name]

    def _expression(self, name: str) -> list[TimeSeries]:
        used = self._metrics_of(name)
        period_s = self.period_s(name)
        metrics = {each: self._metric(each) for each in self.metric_ids() if each in used}
        return evaluate(Setting(self._span.grid(period_s), period_s, metrics, self._expressions), name)

    def _metrics_of(self, name: str) -> set[str]:
        """The Ids of the metrics that a query reads, through other expressions, too."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            each = waiting.pop()
            if each in seen or each not in self._by_id:
                continue
            seen.add(each)
            if "MetricStat" in self._by_id[each]:
                found.add(each)
                continue
            tree = parse(self._expressions[each])
            waiting += names(tree)
            if _calls(tree, "METRICS"):
                found |= set(self.metric_ids())
        return found


def _calls(tree: Tree, function: str) -> bool:
    parts = tree.arguments if isinstance(tree, Call) else tree.items if isinstance(tree, Many) else ()
    return (isinstance(tree, Call) and tree.function == function) or any(_calls(part, function) for part in parts)


def metric_of(given: Mapping[str, Any], unit: str | None) -> Metric:
    """The metric that a request names."""
    return Metric(given.get("Namespace", ""), given.get("MetricName", ""), dimensions(given, "Metric"), unit)


def _checked(queries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for query in queries:
        name = query["Id"]
        if not _ID.fullmatch(name):
            raise validation(f"The value {name} for parameter Id must begin with a lowercase letter and have letters, "
                             "digits and underscores only")  # fmt: skip
        if name in found:
            raise validation(f"The values for parameter id in MetricDataQueries are not unique: {name}")
        if ("MetricStat" in query) == ("Expression" in query):
            raise validation(f"Exactly one of MetricStat and Expression is needed (query {name})")
        if "MetricStat" in query:
            check_statistic(query["MetricStat"]["Stat"])
            check_period(query["MetricStat"]["Period"])
        found[name] = query
    return found


def check_statistic(statistic: str) -> None:
    """Nothing when it is one.

    Raises:
        ApiError: it is none of ours.
    """
    if statistic not in STATISTICS and percentile_rank(statistic) is None:
        known = ", ".join(STATISTICS)
        raise invalid(f"The statistic {statistic} is not one of {known} or a percentile such as p99")


def check_period(period_s: int) -> None:
    """Nothing when it is one.

    Raises:
        ApiError: it is not.
    """
    problem = period_problem(period_s)
    if problem:
        raise invalid(problem)


def invalid(message: str) -> ApiError:
    """A value that cannot be."""
    return ApiError("InvalidParameterValueException", message)


def validation(message: str) -> ApiError:
    """A request that does not fit together."""
    return ApiError("ValidationException", message)

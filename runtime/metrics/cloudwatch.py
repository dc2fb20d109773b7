"""CloudWatch's operations on metrics: put, get and list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from core.clock import Clock
from runtime.api.errors import ApiError
from runtime.api.rpc import Act
from runtime.control.paging import page
from runtime.metrics import query
from runtime.metrics.accept import Samples, accepted
from runtime.metrics.data import (
    MOST_POINTS,
    Queries,
    Span,
    check_period,
    check_statistic,
    invalid,
    metric_of,
    validation,
)
from runtime.metrics.expressions.values import TimeSeries
from runtime.metrics.store import Metrics

_MAX_STATISTICS_POINTS = 1440
_METRICS_PER_PAGE = 500
_MOST_QUERIES = 500
_RECENTLY_S = 3 * 3600


def metric_operations(metrics: Metrics, clock: Clock) -> dict[str, Act]:
    """CloudWatch's operations on metrics by name."""
    service = _Service(metrics, clock)
    return {
        "PutMetricData": service.put,
        "GetMetricData": service.data,
        "GetMetricStatistics": service.statistics,
        "ListMetrics": service.listed,
    }


class _Service:
    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    def put(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; all data are counted, or none."""
        for samples in accepted(parameters, self._clock.now()):
            add(self._metrics, samples)
        return {}

    def data(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of the values of every query, newest first unless asked otherwise."""
        queries = parameters["MetricDataQueries"]
        if len(queries) > _MOST_QUERIES:
            raise validation(f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}.")
        asked = Queries(self._metrics, queries, _span(parameters))
        found = [
            (each["Id"], series)
            for each in queries
            if each.get("ReturnData") is not False
            for series in asked.result(each["Id"])
        ]
        return _page(found, parameters)

    def statistics(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The datapoints of one metric, in no order; apart by unit."""
        plain, extended = parameters.get("Statistics", []), parameters.get("ExtendedStatistics", [])
        if bool(plain) == bool(extended):
            raise ApiError(
                "InvalidParameterCombinationException",
                "Exactly one of the parameters Statistics and ExtendedStatistics is needed",
            )
        for statistic in (*plain, *extended):
            check_statistic(statistic)
        check_period(parameters["Period"])
        span, metric = _span(parameters), metric_of(parameters, parameters.get("Unit"))
        found = [
            (unit, point)
            for unit in query.units(self._metrics, metric)
            for point in query.points(
                self._metrics, replace(metric, unit=unit), parameters["Period"], span.start, span.end
            )
        ]
        if len(found) > _MAX_STATISTICS_POINTS:
            raise ApiError(
                "InvalidParameterCombinationException",
                f"You have requested up to {len(found)} datapoints, which exceeds the limit of "
                f"{_MAX_STATISTICS_POINTS}.",
            )
        return {"Label": metric.name, "Datapoints": [_datapoint(each, unit, plain, extended) for unit, each in found]}

    def listed(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of what can be asked for."""
        wanted = [(each["Name"], each.get("Value")) for each in parameters.get("Dimensions", [])]
        now = self._clock.now().timestamp()
        found = [
            metric
            for metric in query.listed(self._metrics)
            if parameters.get("Namespace", metric.namespace) == metric.namespace
            and parameters.get("MetricName", metric.name) == metric.name
            and all(key in metric.dimensions and value in {None, metric.dimensions[key]} for key, value in wanted)
            and (
                "RecentlyActive" not in parameters
                or query.points(self._metrics, metric, _RECENTLY_S, now - _RECENTLY_S, now)
            )
        ]
        shown, following = page(found, parameters.get("NextToken"), None, _METRICS_PER_PAGE)
        metrics = [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in metric.dimensions.items()],
            }
            for metric in shown
        ]
        return {"Metrics": metrics, "NextToken": following}


def add(metrics: Metrics, samples: Samples) -> None:
    """Count what was accepted."""
    summary = metrics.summary(samples.key, samples.second)
    for value, count in samples.values:
        summary.sample(value, count)
    if samples.statistics is not None:
        summary.joined(*samples.statistics)


def _span(parameters: Mapping[str, Any]) -> Span:
    start, end = parameters["StartTime"].timestamp(), parameters["EndTime"].timestamp()
    if start >= end:
        raise invalid("The parameter StartTime must be less than the parameter EndTime.")
    return Span(start, end)


def _page(found: Sequence[tuple[str, TimeSeries]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The datapoints from the token on, at most MaxDatapoints of them; a series that goes on has PartialData."""
    newest_first = parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    most = min(parameters.get("MaxDatapoints") or MOST_POINTS, MOST_POINTS)
    total = sum(len(series.points) for _, series in found)
    shown, following = page(range(total), parameters.get("NextToken"), most, MOST_POINTS)
    first, last = (shown[0], shown[-1] + 1) if shown else (0, 0)
    results, passed = [], 0
    for name, series in found:
        points = sorted(series.points.items(), reverse=newest_first)
        begin, end = max(first - passed, 0), min(max(last - passed, 0), len(points))
        here, is_partial = points[begin:end], end < len(points)
        passed += len(points)
        if points and not here and (first or is_partial):
            continue
        results.append(
            {
                "Id": name,
                "Label": series.label,
                "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in here],
                "Values": [value for _, value in here],
                "StatusCode": "PartialData" if is_partial else "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": [], "NextToken": following}


def _datapoint(point: query.Point, unit: str, plain: Sequence[str], extended: Sequence[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {name: point.statistics.value(name) for name in plain}
    if extended:
        values = {name: point.statistics.value(name) for name in extended}
        shown["ExtendedStatistics"] = {name: value for name, value in values.items() if value is not None}
    return {"Timestamp": datetime.fromtimestamp(point.at, UTC), "Unit": unit, **shown}

"""CloudWatch's GetMetricData, GetMetricStatistics and ListMetrics for AWS/Lambda."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.ids import Ids
from runtime.api.errors import ApiError
from runtime.api.rpc import RpcService
from runtime.control.paging import page
from runtime.metrics import query
from runtime.metrics.buckets import UNITS, percentile_rank

_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_MAX_STATISTICS_POINTS = 1440
_MAX_DATA_POINTS = 100_800
_METRICS_PER_PAGE = 500


def metric_service(source: query.Source, ids: Ids) -> RpcService:
    """The service that answers from `source`."""
    asked = _Query(source)
    operations = {"GetMetricData": asked.data, "GetMetricStatistics": asked.statistics, "ListMetrics": asked.listed}
    return RpcService("cloudwatch", "monitoring", "GraniteServiceVersion20100801", operations, ids)


class _Query:
    def __init__(self, source: query.Source) -> None:
        self._source = source

    def data(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The values of every query, newest first unless asked otherwise."""
        newest_first = parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        most = min(parameters.get("MaxDatapoints") or _MAX_DATA_POINTS, _MAX_DATA_POINTS)
        results = []
        for each in parameters["MetricDataQueries"]:
            if each.get("ReturnData") is False:
                continue
            result = self._result(each, parameters, newest_first=newest_first)
            most -= len(result["Values"])
            results.append(result)
        if most < 0:
            raise _invalid("The question has more datapoints than MaxDatapoints; ask for a shorter time or less often")
        return {"MetricDataResults": results, "Messages": []}

    def _result(self, each: Mapping[str, Any], parameters: Mapping[str, Any], *, newest_first: bool) -> dict[str, Any]:
        stat = each.get("MetricStat")
        if stat is None:
            raise _invalid(f"Expressions (query {each['Id']}) are not supported by this local runtime; use MetricStat")
        _check_statistic(stat["Stat"])
        points = self._points(stat["Metric"], stat["Period"], parameters)
        if newest_first:
            points.reverse()
        values = [(point.at, point.statistics.value(stat["Stat"])) for point in points]
        known = [(at, value) for at, value in values if value is not None]
        return {
            "Id": each["Id"],
            "Label": each.get("Label") or stat["Metric"].get("MetricName", ""),
            "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in known],
            "Values": [value for _, value in known],
            "StatusCode": "Complete",
        }

    def statistics(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The datapoints of one metric, in no order."""
        plain, extended = parameters.get("Statistics", []), parameters.get("ExtendedStatistics", [])
        if bool(plain) == bool(extended):
            raise ApiError(
                "InvalidParameterCombinationException",
                "Exactly one of the parameters Statistics and ExtendedStatistics is needed",
            )
        for statistic in (*plain, *extended):
            _check_statistic(statistic)
        metric, points = parameters["MetricName"], self._points(parameters, parameters["Period"], parameters)
        if len(points) > _MAX_STATISTICS_POINTS:
            raise ApiError(
                "InvalidParameterCombinationException",
                f"You have requested up to {len(points)} datapoints, which exceeds the limit of "
                f"{_MAX_STATISTICS_POINTS}.",
            )
        datapoints = []
        for point in points:
            shown: dict[str, Any] = {name: point.statistics.value(name) for name in plain}
            if extended:
                shown["ExtendedStatistics"] = {
                    name: value for name in extended if (value := point.statistics.value(name)) is not None
                }
            at = datetime.fromtimestamp(point.at, UTC)
            datapoints.append({"Timestamp": at, "Unit": UNITS.get(metric, "Count"), **shown})
        return {"Label": metric, "Datapoints": datapoints}

    def listed(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of what can be asked for."""
        if parameters.get("Namespace", query.NAMESPACE) != query.NAMESPACE:
            return {"Metrics": []}
        wanted = {each["Name"]: each.get("Value") for each in parameters.get("Dimensions", [])}
        found = [
            (name, dimensions)
            for name, dimensions in query.listed(self._source.keys())
            if parameters.get("MetricName", name) == name
            and all(key in dimensions and value in {None, dimensions[key]} for key, value in wanted.items())
        ]
        shown, following = page(found, parameters.get("NextToken"), None, _METRICS_PER_PAGE)
        metrics = [
            {
                "Namespace": query.NAMESPACE,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            }
            for name, dimensions in shown
        ]
        return {"Metrics": metrics, "NextToken": following}

    def _points(self, metric: Mapping[str, Any], period_s: int, parameters: Mapping[str, Any]) -> list[query.Point]:
        start, end = parameters["StartTime"].timestamp(), parameters["EndTime"].timestamp()
        if start >= end:
            raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
        problem = query.period_problem(period_s)
        if problem:
            raise _invalid(problem)
        if metric.get("Namespace") != query.NAMESPACE:
            return []
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
        return query.points(self._source, metric["MetricName"], dimensions, period_s, start, end)


def _check_statistic(statistic: str) -> None:
    if statistic not in _STATISTICS and percentile_rank(statistic) is None:
        known = ", ".join(_STATISTICS)
        raise _invalid(f"The statistic {statistic} is not one of {known} or a percentile such as p99")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)

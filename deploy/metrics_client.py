"""CloudWatch of one target, through boto3: metric buckets and alarm states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from deploy import aws
from deploy.ports import AlarmState, Point, Query
from deploy.targets import Target

NAMESPACE = "AWS/Lambda"


class MetricsClient:
    """MetricsApi over HTTP."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @cached_property
    def _api(self) -> Any:
        return aws.client(self._target, aws.session(self._target), "cloudwatch")

    def series(self, queries: Sequence[Query], start: datetime, end: datetime) -> Mapping[str, tuple[Point, ...]]:
        """Source: GetMetricData (times aligned to the period, `EndTime` exclusive)."""
        points: dict[str, list[Point]] = {query.id: [] for query in queries}
        with aws.calling(self._target, "GetMetricData", ", ".join(sorted({query.metric for query in queries}))):
            pages = self._api.get_paginator("get_metric_data").paginate(
                MetricDataQueries=[_query(query) for query in queries],
                StartTime=start,
                EndTime=end,
                ScanBy="TimestampAscending",
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    found = zip(result["Timestamps"], result["Values"], strict=True)
                    points[result["Id"]] += [Point(at.astimezone(UTC), float(value)) for at, value in found]
        return {name: tuple(sorted(found, key=lambda point: point.at)) for name, found in points.items()}

    def alarm_states(self, names: Sequence[str]) -> Mapping[str, AlarmState]:
        """Source: DescribeAlarms."""
        states: dict[str, AlarmState] = {}
        with aws.calling(self._target, "DescribeAlarms", ", ".join(names)):
            pages = self._api.get_paginator("describe_alarms").paginate(
                AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
            for page in pages:
                for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                    states[alarm["AlarmName"]] = AlarmState(alarm["StateValue"], alarm.get("StateReason", ""))
        return states


def _query(query: Query) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions.items()]
    metric = {"Namespace": NAMESPACE, "MetricName": query.metric, "Dimensions": dimensions}
    stat = {"Metric": metric, "Period": query.period_s, "Stat": query.statistic}
    return {"Id": query.id, "MetricStat": stat, "ReturnData": True}

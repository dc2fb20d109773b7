"""PutMetricData's rules, and the queries of GetMetricData."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.clock import VirtualClock
from runtime.api.errors import ApiError
from runtime.metrics.accept import accepted
from runtime.metrics.cloudwatch import metric_operations
from runtime.metrics.store import Metrics

NOW = datetime(2026, 3, 1, 12, 30, 30, tzinfo=UTC)


def put(**datum: Any) -> Any:
    """What PutMetricData makes of one datum."""
    (found,) = accepted({"Namespace": "Mine", "MetricData": [{"MetricName": "m", **datum}]}, NOW)
    return found


def test_every_form_of_a_datum_is_taken() -> None:
    assert put(Value=3).values == ((3.0, 1.0),)
    assert put(Values=[1, 2], Counts=[5, 6]).values == ((1.0, 5.0), (2.0, 6.0))
    assert put(Values=[1, 2]).values == ((1.0, 1.0), (2.0, 1.0))
    same = {"SampleCount": 4, "Sum": 8, "Minimum": 2, "Maximum": 2}
    assert put(StatisticValues=same).values == ((2.0, 4.0),)
    assert put(StatisticValues={**same, "Maximum": 3}).statistics == (4.0, 8.0, 2.0, 3.0)
    assert put(Value=1, Unit="Bytes", Dimensions=[{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]).key == (
        "Mine", "m", '[["a","1"],["b","2"]]', "Bytes",
    )  # fmt: skip


def test_a_standard_metric_has_the_minute_and_a_high_resolution_metric_the_second() -> None:
    assert put(Value=1).second == NOW.timestamp() - 30
    assert put(Value=1, StorageResolution=1).second == NOW.timestamp()


@pytest.mark.parametrize(
    ("datum", "code", "words"),
    [
        ({}, "MissingRequiredParameter", "is required"),
        ({"Value": 1, "Values": [1]}, "InvalidParameterCombination", "mutually exclusive"),
        ({"Value": 1, "StatisticValues": {}}, "InvalidParameterCombination", "mutually exclusive"),
        ({"Value": float("nan")}, "InvalidParameterValue", "The value nan"),
        ({"Value": float("inf")}, "InvalidParameterValue", "The value inf"),
        ({"Value": 2.0**361}, "InvalidParameterValue", "is invalid"),
        ({"Values": [1.0] * 151}, "InvalidParameterValue", "size greater than 150"),
        ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue", "same size"),
        ({"Values": [1], "Counts": [0]}, "InvalidParameterValue", "greater than 0"),
        ({"Value": 1, "StorageResolution": 5}, "InvalidParameterValue", "StorageResolution"),
        ({"Value": 1, "Timestamp": NOW - timedelta(days=15)}, "InvalidParameterValue", "two weeks"),
        ({"Value": 1, "Timestamp": NOW + timedelta(hours=3)}, "InvalidParameterValue", "two hours"),
        ({"Value": 1, "Dimensions": [{"Name": "a", "Value": "1"}] * 2}, "InvalidParameterValue", "unique"),
        (
            {"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}},
            "InvalidParameterValue",
            "Maximum",
        ),
    ],
)
def test_a_wrong_datum_is_refused(datum: Mapping[str, Any], code: str, words: str) -> None:
    with pytest.raises(ApiError, match=words) as error:
        put(**datum)
    assert error.value.code == f"{code}Exception"


def test_the_namespaces_of_aws_and_too_many_data_are_refused() -> None:
    with pytest.raises(ApiError, match="AWS/Lambda for parameter Namespace"):
        accepted({"Namespace": "AWS/Lambda", "MetricData": [{"MetricName": "m", "Value": 1}]}, NOW)
    with pytest.raises(ApiError, match="greater than 1000"):
        accepted({"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}] * 1001}, NOW)


@pytest.fixture
def operations(tmp_path: Path) -> Any:
    """CloudWatch's operations over a metric `m` with the values 1, 2, 3 in the last three minutes, and `n` with 10."""
    clock = VirtualClock(NOW)
    found = metric_operations(Metrics(tmp_path / "m.db", clock), clock)
    for minutes, value in enumerate((3, 2, 1)):
        at = NOW - timedelta(minutes=minutes)
        found["PutMetricData"](
            {"Namespace": "Mine", "MetricData": [{"MetricName": "m", "Value": value, "Timestamp": at}]}
        )
    found["PutMetricData"]({"Namespace": "Mine", "MetricData": [{"MetricName": "n", "Value": 10}]})
    return found


def stat(name: str, metric: str, period_s: int = 60, **more: Any) -> dict[str, Any]:
    """A query of a metric's sums."""
    given = {"Metric": {"Namespace": "Mine", "MetricName": metric}, "Period": period_s, "Stat": "Sum"}
    return {"Id": name, "MetricStat": given, **more}


def asked(operations: Any, *queries: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """GetMetricData over the last hour, oldest first."""
    span = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW + timedelta(minutes=1)}
    parameters = {"MetricDataQueries": queries, "ScanBy": "TimestampAscending", **span, **more}
    found: dict[str, Any] = operations["GetMetricData"](parameters)
    return found


def values(answer: Mapping[str, Any]) -> list[tuple[str, list[float]]]:
    """Label and values of every result."""
    return [(each["Label"], each["Values"]) for each in answer["MetricDataResults"]]


def test_expressions_are_answered_beside_metrics(operations: Any) -> None:
    hidden, shown = stat("a", "m", ReturnData=False), stat("b", "n", Label="others")
    answer = asked(operations, hidden, shown, {"Id": "e", "Expression": "a + b", "Label": "both"})
    assert values(answer) == [("others", [10.0]), ("both", [1.0, 2.0, 13.0])]
    assert values(asked(operations, hidden, shown, {"Id": "e", "Expression": "METRICS() * 2", "Label": "x"})) == [
        ("others", [10.0]), ("x m", [2.0, 4.0, 6.0]), ("x others", [20.0]),
    ]  # fmt: skip


def test_more_datapoints_than_asked_for_come_page_by_page(operations: Any) -> None:
    queries = stat("a", "m"), stat("b", "n")
    first = asked(operations, *queries, MaxDatapoints=2)
    assert values(first) == [("m", [1.0, 2.0])]
    assert first["MetricDataResults"][0]["StatusCode"] == "PartialData"
    second = asked(operations, *queries, MaxDatapoints=2, NextToken=first["NextToken"])
    assert values(second) == [("m", [3.0]), ("n", [10.0])]
    assert second["NextToken"] is None


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        ([{"Id": "A", "Expression": "1"}], "lowercase letter"),
        ([stat("a", "m"), stat("a", "n")], "not unique"),
        ([{"Id": "a"}], "Exactly one of"),
        ([{"Id": "e", "Expression": "x + 1"}], "Error in expression 'e': 'x' is no Id"),
        ([stat("a", "m"), stat("b", "n", 300), {"Id": "e", "Expression": "a + b"}], "different periods"),
        ([stat("a", "m", 7)], "Period must be"),
    ],
)
def test_wrong_queries_are_refused(operations: Any, queries: list[Any], words: str) -> None:
    with pytest.raises(ApiError, match=words):
        asked(operations, *queries)


def test_statistics_come_apart_by_unit(operations: Any) -> None:
    span = {"StartTime": NOW - timedelta(minutes=5), "EndTime": NOW + timedelta(minutes=1)}
    datum = {"MetricName": "n", "Value": 5, "Unit": "Bytes"}
    operations["PutMetricData"]({"Namespace": "Mine", "MetricData": [datum]})
    question = {"Namespace": "Mine", "MetricName": "n", "Period": 60, "Statistics": ["Sum"], **span}
    found = operations["GetMetricStatistics"](question)["Datapoints"]
    assert [(each["Unit"], each["Sum"]) for each in found] == [("Bytes", 5.0), ("None", 10.0)]
    found = operations["GetMetricStatistics"]({**question, "Unit": "Bytes"})["Datapoints"]
    assert [(each["Unit"], each["Sum"]) for each in found] == [("Bytes", 5.0)]


def test_metrics_are_listed_by_namespace_name_and_recent_activity(operations: Any) -> None:
    old = {"MetricName": "old", "Value": 1, "Timestamp": NOW - timedelta(hours=4)}
    operations["PutMetricData"]({"Namespace": "Mine", "MetricData": [old]})

    def listed(**question: Any) -> list[str]:
        return [each["MetricName"] for each in operations["ListMetrics"](question)["Metrics"]]

    assert listed() == listed(Namespace="Mine") == ["m", "n", "old"]
    assert listed(RecentlyActive="PT3H") == ["m", "n"]
    assert listed(MetricName="n") == ["n"]
    assert listed(Namespace="Other") == []

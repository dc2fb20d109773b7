"""CloudWatch's metrics through boto3, against the local runtime and moto alike."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.cloudwatch.conftest import Target
from tests.fakes.runtime_process import Connection

PLACE = [{"Name": "Queue", "Value": "a"}, {"Name": "Zone", "Value": "z"}]


def minute(ago: int = 0) -> datetime:
    """The beginning of a minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=ago)


def put(target: Target, namespace: str, *data: Mapping[str, Any]) -> None:
    """PutMetricData with these data of the metric Depth."""
    whole = [{"MetricName": "Depth", "Unit": "Count", **each} for each in data]
    target.cloudwatch.put_metric_data(Namespace=namespace, MetricData=whole)


def statistics(target: Target, namespace: str, **question: Any) -> list[Mapping[str, Any]]:
    """The datapoints of Depth in the last hour, oldest first."""
    plain = {"Statistics": ["SampleCount", "Sum", "Minimum", "Maximum", "Average"]}
    answer = target.cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName="Depth", Period=60, StartTime=minute(60), EndTime=minute(-1),
        **({} if "ExtendedStatistics" in question else plain), **question,
    )  # fmt: skip
    return sorted(answer["Datapoints"], key=lambda each: each["Timestamp"])


def values(target: Target, queries: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, list[float]]:
    """The values of every query, oldest first."""
    answer = target.cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=minute(60), EndTime=minute(-1), ScanBy="TimestampAscending", **more
    )
    return {each["Id"]: each["Values"] for each in answer["MetricDataResults"]}


def stat(name: str, namespace: str, statistic: str = "Sum", period_s: int = 60, **more: Any) -> dict[str, Any]:
    """A query of Depth."""
    metric = {"Namespace": namespace, "MetricName": "Depth"}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": period_s, "Stat": statistic}, **more}


def test_values_are_counted_by_the_minute(target: Target) -> None:
    space = target.new_name("space")
    put(target, space, *({"Value": value, "Timestamp": minute(ago)} for ago, value in ((2, 1.0), (1, 5.0), (1, 7.0))))
    first, second = statistics(target, space)
    assert (first["Timestamp"], first["Sum"]) == (minute(2), 1.0)
    found = {name: second[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum", "Average")}
    assert found == {"SampleCount": 2, "Sum": 12, "Minimum": 5, "Maximum": 7, "Average": 6}
    assert values(target, [stat("a", space)]) == {"a": [1.0, 12.0]}


def test_values_may_come_with_their_counts(target: Target) -> None:
    space = target.new_name("space")
    put(target, space, {"Values": [1.0, 4.0], "Counts": [3, 1], "Timestamp": minute(1)})
    (found,) = statistics(target, space)
    assert {name: found[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")} == {
        "SampleCount": 4, "Sum": 7, "Minimum": 1, "Maximum": 4,
    }  # fmt: skip


def test_statistic_sets_are_added_up(target: Target) -> None:
    space = target.new_name("space")
    given = {"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10}
    put(target, space, {"StatisticValues": given, "Timestamp": minute(1)})
    (found,) = statistics(target, space)
    assert {name: found[name] for name in given} == given


def test_a_metric_is_found_by_exactly_its_dimensions(target: Target) -> None:
    space = target.new_name("space")
    put(target, space, {"Value": 1.0, "Dimensions": PLACE}, {"Value": 2.0})
    found = [statistics(target, space, Dimensions=dimensions)[0]["Sum"] for dimensions in ([*reversed(PLACE)], PLACE)]
    assert found == [1.0, 1.0]
    listed = target.cloudwatch.list_metrics(Namespace=space, Dimensions=[{"Name": "Queue"}])["Metrics"]
    assert [sorted(each["Dimensions"], key=str) for each in listed] == [sorted(PLACE, key=str)]
    assert len(target.cloudwatch.list_metrics(Namespace=space)["Metrics"]) == 2


@pytest.mark.moto_differs("an unknown set of dimensions finds other metrics")
def test_other_dimensions_find_nothing(target: Target) -> None:
    space = target.new_name("space")
    put(target, space, {"Value": 1.0, "Dimensions": PLACE})
    assert statistics(target, space) == []
    assert statistics(target, space, Dimensions=PLACE[:1]) == []


@pytest.mark.moto_differs("knows no percentiles in statistics")
def test_percentiles(target: Target) -> None:
    space = target.new_name("space")
    put(target, space, {"Values": [float(value) for value in range(1, 101)], "Timestamp": minute(1)})
    (found,) = statistics(target, space, ExtendedStatistics=["p50", "p99", "p100"])
    assert found["ExtendedStatistics"] == {
        "p50": pytest.approx(50, rel=0.02), "p99": pytest.approx(99, rel=0.02), "p100": 100.0,
    }  # fmt: skip


@pytest.mark.moto_differs("knows no functions of metric math")
def test_expressions(target: Target) -> None:
    space = target.new_name("space")
    put(target, space, *({"Value": value, "Timestamp": minute(ago)} for ago, value in ((4, 1.0), (3, 2.0), (1, 4.0))))
    hidden = stat("m1", space, ReturnData=False)
    asked = {"rate": "RATE(m1) * 60", "share": "100 * m1 / SUM(m1)", "high": "IF(m1 >= 2, 1, 0)"}
    found = values(target, [hidden, *({"Id": name, "Expression": text} for name, text in asked.items())])
    assert found["rate"] == [1.0, 1.0]
    assert found["share"] == pytest.approx([100 / 7, 200 / 7, 400 / 7])
    assert found["high"] == [0.0, 1.0, 1.0]


@pytest.mark.moto_differs("answers nothing instead")
def test_a_wrong_expression_is_refused(target: Target) -> None:
    with pytest.raises(ClientError, match="Error in expression 'e'") as error:
        values(target, [stat("m1", "none"), {"Id": "e", "Expression": "m2 + 1"}])
    assert error.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({"Value": float("nan")}, "InvalidParameterValue"),
        ({"Value": 1.0, "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}},
         "InvalidParameterCombination"),
        ({"Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterValue"),
    ],
)  # fmt: skip
def test_wrong_data_are_refused(target: Target, datum: Mapping[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        put(target, target.new_name("space"), datum)
    assert error.value.response["Error"]["Code"] == code


@pytest.mark.moto_differs("takes them")
def test_the_namespaces_of_aws_are_refused(target: Target) -> None:
    with pytest.raises(ClientError, match="AWS/Lambda for parameter Namespace is invalid") as error:
        put(target, "AWS/Lambda", {"Value": 1.0})
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_many_data_come_compressed(runtime: Target) -> None:
    space = runtime.new_name("space")
    data = [{"Value": 1.0, "Dimensions": [{"Name": "n", "Value": str(number)}]} for number in range(400)]
    put(runtime, space, *data)
    pages = runtime.cloudwatch.get_paginator("list_metrics").paginate(Namespace=space)
    assert sum(len(page["Metrics"]) for page in pages) == 400


def test_a_body_that_is_not_gzip_is_refused(runtime: Target) -> None:
    connection = Connection(int(runtime.url.rpartition(":")[2]))
    headers = {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData",
        "Content-Encoding": "gzip",
    }  # fmt: skip
    good = json.dumps({"Namespace": "gz", "MetricData": [{"MetricName": "m", "Value": 1}]}).encode()
    assert connection.request("POST", "/", gzip.compress(good), headers)[0] == 200
    status, _, body = connection.request("POST", "/", b"plain", headers)
    assert (status, json.loads(body)["__type"]) == (400, "SerializationException")

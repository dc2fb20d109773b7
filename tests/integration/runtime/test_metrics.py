"""CloudWatch's answers about functions that ran, through boto3 and in each protocol."""

from __future__ import annotations

import re
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from tests.fakes.runtime_process import Connection, RuntimeProcess

SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture(scope="module")
def measured(server: RuntimeProcess) -> RuntimeProcess:
    """A server whose function `measured` was invoked 20 times through an alias: 5 of version 2, all failing."""
    server.create("measured", publish=True)
    server.update("measured", "def handler(event, context):\n    raise ValueError\n")
    lambda_ = server.client()
    lambda_.publish_version(FunctionName="measured")
    lambda_.create_alias(FunctionName="measured", Name="live", FunctionVersion="1")
    for _ in range(15):
        lambda_.invoke(FunctionName="measured:live", Payload=b"{}")
    lambda_.update_alias(FunctionName="measured", Name="live", FunctionVersion="2")
    for _ in range(5):
        lambda_.invoke(FunctionName="measured:live", Payload=b"{}")
    lambda_.invoke(FunctionName="measured", Payload=b"{}")
    return server


def dimensions(*values: str) -> list[dict[str, str]]:
    """The first dimensions of a Lambda metric."""
    names = ("FunctionName", "Resource", "ExecutedVersion")
    return [{"Name": name, "Value": value} for name, value in zip(names, values, strict=False)]


def span() -> dict[str, datetime]:
    """The last ten minutes."""
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(seconds=5)}


def summed(server: RuntimeProcess, metric: str, statistic: str, period_s: int, *values: str) -> float:
    """The sum of all values that GetMetricData answers."""
    query = {
        "Id": "a",
        "MetricStat": {
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions(*values)},
            "Period": period_s,
            "Stat": statistic,
        },
    }
    answer = server.client("cloudwatch").get_metric_data(MetricDataQueries=[query], **span())
    (result,) = answer["MetricDataResults"]
    assert result["StatusCode"] == "Complete"
    assert result["Timestamps"] == sorted(result["Timestamps"], reverse=True)
    return float(sum(result["Values"]))


@pytest.mark.parametrize("period_s", [1, 5, 10, 30, 60, 300])
def test_invocations_and_errors_add_up_for_every_set_of_dimensions_and_period(
    measured: RuntimeProcess, period_s: int
) -> None:
    asked = {
        ("measured",): (21, 6),
        ("measured", "measured:live"): (20, 5),
        ("measured", "measured:live", "1"): (15, 0),
        ("measured", "measured:live", "2"): (5, 5),
        ("measured", "measured"): (1, 1),
        ("absent",): (0, 0),
    }
    for values, expected in asked.items():
        found = tuple(summed(measured, metric, "Sum", period_s, *values) for metric in ("Invocations", "Errors"))
        assert found == expected


def test_durations_have_their_statistics(measured: RuntimeProcess) -> None:
    answer = measured.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=dimensions("measured"),
        Period=3600,
        Statistics=["Average", "Minimum", "Maximum", "Sum", "SampleCount"],
        **span(),
    )
    points = answer["Datapoints"]
    assert sum(point["SampleCount"] for point in points) == 21
    for point in points:
        assert 0 < point["Minimum"] <= point["Average"] <= point["Maximum"]
        assert point["Sum"] == pytest.approx(point["Average"] * point["SampleCount"])
        assert point["Unit"] == "Milliseconds"


def test_percentiles_lie_between_minimum_and_maximum(measured: RuntimeProcess) -> None:
    answer = measured.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=dimensions("measured"),
        Period=86400,
        ExtendedStatistics=["p0", "p50", "p99.9", "p100"],
        **span(),
    )
    for point in answer["Datapoints"]:
        values = [point["ExtendedStatistics"][name] for name in ("p0", "p50", "p99.9", "p100")]
        assert values == sorted(values)


def test_concurrency_is_a_maximum(measured: RuntimeProcess) -> None:
    answer = measured.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="ConcurrentExecutions",
        Dimensions=dimensions("measured"),
        Period=86400,
        Statistics=["Maximum"],
        **span(),
    )
    assert {point["Maximum"] for point in answer["Datapoints"]} == {1.0}


def test_metrics_are_listed_with_their_dimensions(measured: RuntimeProcess) -> None:
    pages = measured.client("cloudwatch").get_paginator("list_metrics")
    wanted = [{"Name": "FunctionName", "Value": "measured"}, {"Name": "ExecutedVersion"}]
    found = [m for page in pages.paginate(MetricName="Errors", Dimensions=wanted) for m in page["Metrics"]]
    assert [each["Dimensions"][2]["Value"] for each in found] == ["1", "2"]


def test_a_period_that_does_not_exist_is_refused(measured: RuntimeProcess) -> None:
    with pytest.raises(ClientError) as error:
        summed(measured, "Errors", "Sum", 7, "measured")
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_an_operation_that_is_not_served_is_named(measured: RuntimeProcess) -> None:
    with pytest.raises(ClientError) as error:
        measured.client("cloudwatch").put_dashboard(DashboardName="d", DashboardBody="{}")
    answer = error.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "PutDashboard is not implemented" in answer["Error"]["Message"]


def test_the_query_protocol_is_spoken(measured: RuntimeProcess) -> None:
    times = span()
    form = {
        "Action": "GetMetricStatistics",
        "Version": "2010-08-01",
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Period": "86400",
        "Statistics.member.1": "Sum",
        "Dimensions.member.1.Name": "FunctionName",
        "Dimensions.member.1.Value": "measured",
        "StartTime": times["StartTime"].isoformat(),
        "EndTime": times["EndTime"].isoformat(),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": SIGNED}
    body = urllib.parse.urlencode(form).encode()
    status, _, answer = Connection(measured.port).request("POST", "/", body, headers)
    assert status == 200
    assert sum(float(each) for each in re.findall(r"<Sum>([\d.]+)</Sum>", answer.decode())) == 21


def test_the_cbor_protocol_is_spoken(measured: RuntimeProcess, cloudwatch_model: ServiceModel) -> None:
    operation = cloudwatch_model.operation_model("GetMetricStatistics")
    parameters = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Period": 86400,
        "Statistics": ["Sum"],
        "Dimensions": dimensions("measured"),
        **span(),
    }
    request: Any = RpcV2CBORSerializer().serialize_to_request(parameters, operation)
    headers = {**request["headers"], "Authorization": SIGNED}
    status, sent, body = Connection(measured.port).request("POST", request["url_path"], request["body"], headers)
    assert status == 200
    response: Any = {"status_code": status, "headers": sent, "body": body}
    shape: Any = operation.output_shape
    answer = RpcV2CBORParser().parse(response, shape)
    assert sum(point["Sum"] for point in answer["Datapoints"]) == 21


@pytest.fixture(scope="module")
def cloudwatch_model(server: RuntimeProcess) -> ServiceModel:
    """Botocore's own model of CloudWatch."""
    model: ServiceModel = server.client("cloudwatch").meta.service_model
    return model

"""Logs of functions, read as files and through CloudWatch Logs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.fakes.runtime_process import RuntimeProcess, until

GROUP = "/aws/lambda/logged"


@pytest.fixture(scope="module")
def logged(server: RuntimeProcess) -> RuntimeProcess:
    """A server whose function `logged` was invoked once as $LATEST and once as version 1."""
    source = "def handler(event, context):\n    print('hello', event['name'])\n    raise ValueError('boom')\n"
    server.create("logged", source, publish=True)
    for name, payload in (("logged", b'{"name": "Ann"}'), ("logged:1", b'{"name": "Bob"}')):
        server.client().invoke(FunctionName=name, Payload=payload)
    return server


def messages(server: RuntimeProcess, **more: Any) -> list[str]:
    """The messages FilterLogEvents finds, through its paginator."""
    pages = server.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=GROUP, PaginationConfig={"PageSize": 3}, **more)
    return [event["message"] for page in found for event in page["events"]]


def test_each_version_has_streams_of_its_own_named_as_lambda_names_them(logged: RuntimeProcess) -> None:
    described = logged.client("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]
    names = sorted(each["logStreamName"] for each in described)
    assert len(names) == 2
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", names[0])
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[1\][0-9a-f]{32}", names[1])


def test_events_are_found_in_order_and_by_their_words(logged: RuntimeProcess) -> None:
    found = messages(logged)
    kinds = [message.split()[0] for message in found if not message.startswith("[WARN]")]
    assert kinds == ["INIT_START", "START", "hello", "[ERROR]", "END", "REPORT"] * 2
    assert messages(logged, filterPattern="hello") == ["hello Ann\n", "hello Bob\n"]
    assert messages(logged, filterPattern='"hello Bob"') == ["hello Bob\n"]


def test_an_event_of_several_lines_is_one_event(logged: RuntimeProcess) -> None:
    first = messages(logged, filterPattern="ERROR")[0]
    assert first.startswith("[ERROR] ValueError: boom\nTraceback (most recent call last):\n")


def test_one_stream_is_read_from_its_head_and_its_tail(logged: RuntimeProcess) -> None:
    logs = logged.client("logs")
    name = logs.describe_log_streams(logGroupName=GROUP)["logStreams"][0]["logStreamName"]
    every = logs.get_log_events(logGroupName=GROUP, logStreamName=name, startFromHead=True)["events"]
    head = logs.get_log_events(logGroupName=GROUP, logStreamName=name, limit=2, startFromHead=True)
    assert head["events"] == every[:2]
    assert head["events"][0]["message"].startswith("INIT_START")
    token = head["nextForwardToken"]
    following = logs.get_log_events(logGroupName=GROUP, logStreamName=name, limit=1, nextToken=token)
    assert following["events"] == every[2:3]
    tail = logs.get_log_events(logGroupName=GROUP, logStreamName=name, limit=1)
    assert tail["events"][0]["message"].startswith("REPORT")


def test_groups_are_described_and_an_absent_one_is_not_found(logged: RuntimeProcess) -> None:
    logs = logged.client("logs")
    assert GROUP in [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    with pytest.raises(ClientError) as error:
        logs.filter_log_events(logGroupName="/aws/lambda/absent")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_wrong_pattern_is_refused(logged: RuntimeProcess) -> None:
    with pytest.raises(ClientError) as error:
        messages(logged, filterPattern="{ $.level = 1")
    assert error.value.response["Error"]["Code"] == "InvalidParameterException"


def test_report_lines_can_be_taken_apart(logged: RuntimeProcess) -> None:
    found = messages(logged, filterPattern="[kind=REPORT, ...]")
    assert len(found) == 2
    assert all(message.startswith("REPORT RequestId: ") for message in found)


def test_the_files_hold_one_line_per_event_with_its_time(logged: RuntimeProcess) -> None:
    until(lambda: logged.log_text("logged").count("REPORT") == 2)
    for line in logged.log_text("logged").removesuffix("\n").split("\n"):
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S", line)


EMBEDDED = """
import json, time
def handler(event, context):
    print(json.dumps({
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
            "Namespace": "shop", "Dimensions": [["service"], []],
            "Metrics": [{"Name": "total", "Unit": "Count", "StorageResolution": 1}]}]},
        "service": "orders", "total": event["total"]}))
    print(json.dumps({"latency": event["total"], "path": "/pay"}))
"""


def values(server: RuntimeProcess, namespace: str, name: str, dimensions: list[dict[str, str]]) -> list[float]:
    """The sums of the last hour."""
    now = datetime.now(UTC)
    found = server.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, Dimensions=dimensions, Period=3600, Statistics=["Sum"],
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1),
    )  # fmt: skip
    return [point["Sum"] for point in found["Datapoints"]]


def test_json_lines_of_functions_become_metrics(server: RuntimeProcess) -> None:
    server.create("measuring", EMBEDDED)
    for total in (3, 4):
        server.client().invoke(FunctionName="measuring", Payload=json.dumps({"total": total}).encode())
    place = [{"Name": "service", "Value": "orders"}]
    until(lambda: values(server, "shop", "total", place) == [7.0])
    assert values(server, "shop", "total", []) == [7.0]


def test_metric_filters_count_what_matches(server: RuntimeProcess) -> None:
    group, logs = "/aws/lambda/filtered", server.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.put_metric_filter(
        logGroupName=group, filterName="slow", filterPattern="{ $.latency > 5 }",
        metricTransformations=[{
            "metricName": "Slow", "metricNamespace": "filters", "metricValue": "$.latency", "unit": "Seconds",
            "dimensions": {"path": "$.path"},
        }],
    )  # fmt: skip
    server.create("filtered", EMBEDDED)
    for total in (3, 9, 8):
        server.client().invoke(FunctionName="filtered", Payload=json.dumps({"total": total}).encode())
    place = [{"Name": "path", "Value": "/pay"}]
    until(lambda: values(server, "filters", "Slow", place) == [17.0])
    (found,) = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert (found["filterName"], found["filterPattern"]) == ("slow", "{ $.latency > 5 }")
    logs.delete_metric_filter(logGroupName=group, filterName="slow")
    server.client().invoke(FunctionName="filtered", Payload=b'{"total": 100}')
    until(lambda: "100" in server.log_text("filtered"))
    assert values(server, "filters", "Slow", place) == [17.0]


def test_a_live_tail_shows_events_as_they_come(server: RuntimeProcess) -> None:
    server.create("tailed", "def handler(event, context):\n    print('hello', event['name'])\n")
    server.client().invoke(FunctionName="tailed", Payload=b'{"name": "before"}')
    config = Config(inject_host_prefix=False)
    logs = boto3.client(
        "logs", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t",
        config=config,
    )  # fmt: skip
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/tailed"
    stream = logs.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="hello")["responseStream"]
    events = iter(stream)
    assert next(events)["sessionStart"]["logEventFilterPattern"] == "hello"
    server.client().invoke(FunctionName="tailed", Payload=b'{"name": "after"}')
    found: list[str] = []
    while not found:
        found += [each["message"] for each in next(events)["sessionUpdate"]["sessionResults"]]
    assert found == ["hello after\n"]
    stream.close()


def test_a_deleted_group_comes_back_with_the_next_event(server: RuntimeProcess) -> None:
    server.create("again", "def handler(event, context):\n    print('hello')\n")
    server.client().invoke(FunctionName="again", Payload=b"{}")
    logs = server.client("logs")
    logs.delete_log_group(logGroupName="/aws/lambda/again")
    assert server.log_text("again") == ""
    server.client().invoke(FunctionName="again", Payload=b"{}")
    until(lambda: server.log_text("again").count("hello") == 1)


def test_a_function_logs_into_the_group_it_names(server: RuntimeProcess) -> None:
    server.create(
        "elsewhere", "def handler(event, context):\n    print('hello')\n", LoggingConfig={"LogGroup": "shared/group"}
    )
    server.client().invoke(FunctionName="elsewhere", Payload=b"{}")
    found = server.client("logs").filter_log_events(logGroupName="shared/group", filterPattern="hello")["events"]
    assert [each["message"] for each in found] == ["hello\n"]
    assert "elsewhere[$LATEST]" in found[0]["logStreamName"]

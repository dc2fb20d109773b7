"""CloudWatch Logs through boto3, against the local runtime and moto alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.cloudwatch.conftest import Target


def now_ms() -> int:
    """The time."""
    return round(time.time() * 1000)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    """The error's code."""
    return str(error.value.response["Error"]["Code"])


@pytest.fixture
def group(target: Target) -> str:
    """A new group with a stream `s`."""
    name = f"/contract/{target.new_name()}"
    target.logs.create_log_group(logGroupName=name)
    target.logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def put(target: Target, group: str, messages: Sequence[str], stream: str = "s", ago_ms: int = 10_000) -> int:
    """Events a millisecond apart; the time of the first."""
    first = now_ms() - ago_ms
    events = [{"timestamp": first + index, "message": text} for index, text in enumerate(messages)]
    target.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    return first


def found(target: Target, group: str, **question: Any) -> list[str]:
    """The messages of FilterLogEvents' first page."""
    return [each["message"] for each in target.logs.filter_log_events(logGroupName=group, **question)["events"]]


def test_events_are_read_as_they_were_put(target: Target, group: str) -> None:
    put(target, group, ["one", "two", "three\nlines\n"])
    assert found(target, group) == ["one", "two", "three\nlines\n"]
    answer = target.logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True, limit=2)
    assert [each["message"] for each in answer["events"]] == ["one", "two"]
    answer = target.logs.get_log_events(logGroupName=group, logStreamName="s", nextToken=answer["nextForwardToken"])
    assert [each["message"] for each in answer["events"]] == ["three\nlines\n"]


def test_events_are_found_by_time_and_stream(target: Target, group: str) -> None:
    target.logs.create_log_stream(logGroupName=group, logStreamName="other")
    first = put(target, group, ["a", "b", "c"])
    put(target, group, ["x"], "other")
    assert found(target, group, logStreamNames=["other"]) == ["x"]
    assert found(target, group, logStreamNames=["s"], startTime=first + 1) == ["b", "c"]


@pytest.mark.moto_differs("ignores the prefix")
def test_events_are_found_by_the_beginning_of_their_streams_name(target: Target, group: str) -> None:
    target.logs.create_log_stream(logGroupName=group, logStreamName="other")
    put(target, group, ["a"])
    put(target, group, ["x"], "other")
    assert found(target, group, logStreamNamePrefix="o") == ["x"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ERROR", ["ERROR one", "ERROR two"]),
        ("ERROR two", ["ERROR two"]),
        ('"ERROR one"', ["ERROR one"]),
        ("ERROR -two", ["ERROR one"]),
        ("?one ?WARN", ["ERROR one", "WARN"]),
    ],
)
def test_terms(target: Target, group: str, pattern: str, expected: list[str]) -> None:
    if target.kind == "moto" and ("?" in pattern or "-" in pattern):
        pytest.skip("moto knows words and phrases only")
    put(target, group, ["ERROR one", "ERROR two", "WARN"])
    assert found(target, group, filterPattern=pattern) == expected


@pytest.mark.moto_differs("knows words and phrases only")
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{ $.level = ERROR && $.ms >= 20 }", ['{"level": "ERROR", "ms": 30}']),
        ("[level, ms > 5]", ["WARN 7"]),
        ("%^W%", ["WARN 7"]),
    ],
)
def test_structured_patterns(target: Target, group: str, pattern: str, expected: list[str]) -> None:
    put(target, group, ['{"level": "ERROR", "ms": 10}', '{"level": "ERROR", "ms": 30}', "WARN 7"])
    assert found(target, group, filterPattern=pattern) == expected


def test_groups_are_described(target: Target, group: str) -> None:
    (described,) = target.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["arn"] == f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    assert abs(described["creationTime"] - now_ms()) < 60_000
    assert "retentionInDays" not in described
    with pytest.raises(ClientError) as error:
        target.logs.create_log_group(logGroupName=group)
    assert code(error) == "ResourceAlreadyExistsException"


def test_retention_is_kept_and_given_up(target: Target, group: str) -> None:
    target.logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    (described,) = target.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["retentionInDays"] == 7
    target.logs.delete_retention_policy(logGroupName=group)
    (described,) = target.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert "retentionInDays" not in described


@pytest.mark.moto_differs("takes any number")
def test_a_retention_that_does_not_exist_is_refused(target: Target, group: str) -> None:
    with pytest.raises(ClientError) as error:
        target.logs.put_retention_policy(logGroupName=group, retentionInDays=8)
    assert code(error) == "InvalidParameterException"


def test_streams_are_described(target: Target, group: str) -> None:
    first = put(target, group, ["a", "b"])
    (described,) = target.logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert described["arn"] == f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:log-stream:s"
    assert (described["firstEventTimestamp"], described["lastEventTimestamp"]) == (first, first + 1)
    target.logs.create_log_stream(logGroupName=group, logStreamName="empty")
    names = [each["logStreamName"] for each in target.logs.describe_log_streams(logGroupName=group)["logStreams"]]
    assert names == ["empty", "s"]
    with pytest.raises(ClientError) as error:
        target.logs.create_log_stream(logGroupName=group, logStreamName="s")
    assert code(error) == "ResourceAlreadyExistsException"


def test_streams_and_groups_are_deleted(target: Target, group: str) -> None:
    put(target, group, ["a"])
    target.logs.delete_log_stream(logGroupName=group, logStreamName="s")
    assert target.logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    target.logs.delete_log_group(logGroupName=group)
    assert target.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
    with pytest.raises(ClientError) as error:
        found(target, group)
    assert code(error) == "ResourceNotFoundException"


def test_events_for_a_stream_that_does_not_exist_are_refused(target: Target, group: str) -> None:
    with pytest.raises(ClientError) as error:
        put(target, group, ["a"], "absent")
    assert code(error) == "ResourceNotFoundException"


def test_events_of_another_age_are_rejected(target: Target, group: str) -> None:
    old, new = now_ms() - 15 * 86_400_000, now_ms() + 3 * 3_600_000
    for at, member in ((old, "tooOldLogEventEndIndex"), (new, "tooNewLogEventStartIndex")):
        answer = target.logs.put_log_events(
            logGroupName=group, logStreamName="s", logEvents=[{"timestamp": at, "message": "m"}]
        )
        assert member in answer["rejectedLogEventsInfo"]
    assert found(target, group) == []


def test_tags(target: Target, group: str) -> None:
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    target.logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    target.logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert target.logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    target.logs.tag_log_group(logGroupName=group, tags={"c": "3"})
    assert target.logs.list_tags_log_group(logGroupName=group)["tags"] == {"b": "2", "c": "3"}


def test_metric_filters_are_kept(target: Target, group: str) -> None:
    change = {"metricName": "Errors", "metricNamespace": "logs", "metricValue": "1"}
    target.logs.put_metric_filter(
        logGroupName=group, filterName="errors", filterPattern="ERROR", metricTransformations=[change]
    )
    (kept,) = target.logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert (kept["filterName"], kept["filterPattern"]) == ("errors", "ERROR")
    assert kept["metricTransformations"] == [change]
    target.logs.delete_metric_filter(logGroupName=group, filterName="errors")
    assert target.logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []


@pytest.mark.moto_differs("has no TestMetricFilter")
def test_a_pattern_can_be_tried(target: Target) -> None:
    messages = ["127.0.0.1 200", "127.0.0.1 404", "{}"]
    answer = target.logs.test_metric_filter(filterPattern="[ip, status = 4*]", logEventMessages=messages)
    assert answer["matches"] == [
        {
            "eventNumber": 2,
            "eventMessage": "127.0.0.1 404",
            "extractedValues": {"$ip": "127.0.0.1", "$status": "404"},
        }
    ]

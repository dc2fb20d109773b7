"""Logs of functions, read as files and through CloudWatch Logs."""

from __future__ import annotations

import re
from typing import Any

import pytest
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


def test_a_pattern_of_another_kind_is_refused(logged: RuntimeProcess) -> None:
    with pytest.raises(ClientError) as error:
        messages(logged, filterPattern="{ $.level = 1 }")
    assert error.value.response["Error"]["Code"] == "InvalidParameterException"


def test_the_files_hold_one_line_per_event_with_its_time(logged: RuntimeProcess) -> None:
    until(lambda: logged.log_text("logged").count("REPORT") == 2)
    for line in logged.log_text("logged").removesuffix("\n").split("\n"):
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S", line)

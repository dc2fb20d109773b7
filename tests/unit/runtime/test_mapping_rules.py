"""What an event source mapping may say, and AWS's defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from runtime.api.errors import ApiError
from runtime.catalog.documents import EventSourceMapping
from runtime.control import mapping_rules as rules

QUEUE = "arn:aws:sqs:us-east-1:123456789012:jobs"
FIFO = QUEUE + ".fifo"
KINESIS = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
DYNAMODB = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"


def made(arn: str, **more: Any) -> rules.Settings:
    parameters = {"EventSourceArn": arn, "FunctionName": "f", **more}
    return rules.created(parameters, rules.source(parameters))


def test_a_source_is_told_by_its_arn() -> None:
    assert [rules.source({"EventSourceArn": arn}).kind for arn in (QUEUE, KINESIS, DYNAMODB)] == [
        "sqs",
        "kinesis",
        "dynamodb",
    ]
    assert rules.source({"EventSourceArn": FIFO}).fifo
    assert not rules.source({"EventSourceArn": QUEUE}).fifo
    assert rules.source({"EventSourceArn": QUEUE}).name == "jobs"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "EventSourceArn is required"),
        ({"EventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/c/1"}, "it polls Amazon SQS queues"),
        ({"SelfManagedEventSource": {"Endpoints": {}}, "Topics": ["t"]}, "SelfManagedEventSource is not supported"),
    ],
)
def test_what_is_not_polled_here_is_refused_by_name(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError) as error:
        rules.source(parameters)
    assert words in error.value.message


def test_defaults_are_aws_s() -> None:
    assert made(QUEUE) == {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []}
    stream = made(DYNAMODB, StartingPosition="LATEST")
    assert (stream["BatchSize"], stream["ParallelizationFactor"]) == (100, 1)
    assert (stream["MaximumRetryAttempts"], stream["MaximumRecordAgeInSeconds"]) == (-1, -1)
    assert stream["BisectBatchOnFunctionError"] is False


@pytest.mark.parametrize(
    ("arn", "more", "words"),
    [
        (QUEUE, {"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0"),
        (FIFO, {"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}, "FIFO queues must not be greater than 10"),
        (FIFO, {"MaximumBatchingWindowInSeconds": 1}, "Batching window is not supported for FIFO queues"),
        (QUEUE, {"StartingPosition": "LATEST"}, "StartingPosition is not supported for Amazon SQS"),
        (QUEUE, {"DestinationConfig": {"OnFailure": {"Destination": "arn:x"}}}, "DestinationConfig is not supported"),
        (
            KINESIS,
            {"StartingPosition": "LATEST", "TumblingWindowInSeconds": 5},
            "TumblingWindowInSeconds is not supported",
        ),
        (QUEUE, {"ProvisionedPollerConfig": {"MinimumPollers": 2}}, "ProvisionedPollerConfig is not supported"),
        (KINESIS, {}, "StartingPosition is required"),
        (KINESIS, {"StartingPosition": "AT_TIMESTAMP"}, "StartingPositionTimestamp is required"),
        (DYNAMODB, {"StartingPosition": "AT_TIMESTAMP"}, "Unsupported starting position"),
        (KINESIS, {"StartingPosition": "LATEST", "MaximumRecordAgeInSeconds": 59}, "MaximumRecordAgeInSeconds"),
        (KINESIS, {"StartingPosition": "LATEST", "ScalingConfig": {"MaximumConcurrency": 2}}, "ScalingConfig"),
        (
            KINESIS,
            {"StartingPosition": "LATEST", "DestinationConfig": {"OnSuccess": {"Destination": "arn:x"}}},
            "Unsupported DestinationConfig",
        ),
    ],
)
def test_what_does_not_suit_the_source_is_refused(arn: str, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError) as error:
        made(arn, **more)
    assert words in error.value.message
    assert error.value.code == "InvalidParameterValueException"


def test_large_batches_need_a_window_and_then_are_accepted() -> None:
    assert made(QUEUE, BatchSize=10_000, MaximumBatchingWindowInSeconds=1)["BatchSize"] == 10_000
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert made(KINESIS, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=at)


def test_an_update_keeps_what_it_does_not_name_and_takes_away_what_it_empties() -> None:
    source = rules.source({"EventSourceArn": QUEUE})
    filters = {"Filters": [{"Pattern": "{}"}]}
    before = made(QUEUE, FilterCriteria=filters, ScalingConfig={"MaximumConcurrency": 5}, BatchSize=3)
    assert rules.updated(before, {"BatchSize": 4}, source) == {**before, "BatchSize": 4}
    after = rules.updated(before, {"FilterCriteria": {}, "ScalingConfig": {}}, source)
    assert not {"FilterCriteria", "ScalingConfig"} & after.keys()


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [(True, True, "Updating"), (False, False, "Updating"), (True, False, "Disabling"), (False, True, "Enabling")],
)
def test_an_update_is_named_after_what_it_does(before: bool, after: bool, state: str) -> None:
    mapping = EventSourceMapping("u", "f", "", QUEUE, {}, before, "Enabled" if before else "Disabled", 0.0)
    changed = rules.changing(mapping, {"BatchSize": 1}, enabled=after)
    assert (changed.state, changed.enabled, changed.settings) == (state, after, {"BatchSize": 1})
    with pytest.raises(ApiError) as error:
        rules.check_not_in_use(changed, "update")
    assert error.value.code == "ResourceInUseException"
    rules.check_not_in_use(mapping, "update")

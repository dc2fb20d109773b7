"""Event source mappings, asked through plain boto3: what is accepted, what is shown, and how states move."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.refusals import refused
from tests.fakes.runtime_process import until

_names = count(1)


def queue(target: Target, **attributes: str) -> str:
    """The ARN of a new queue."""
    name = f"jobs-{next(_names)}" + (".fifo" if attributes.get("FifoQueue") else "")
    sqs = target.service("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def settled(target: Target, uuid: str, state: str) -> dict[str, Any]:
    """The mapping once it is in that state."""
    until(lambda: target.api.get_event_source_mapping(UUID=uuid)["State"] == state)
    found: dict[str, Any] = target.api.get_event_source_mapping(UUID=uuid)
    return found


def mapping(target: Target, **more: Any) -> dict[str, Any]:
    """A new mapping from a queue of its own."""
    arguments = {"FunctionName": target.new_function(), "EventSourceArn": queue(target), **more}
    made: dict[str, Any] = target.api.create_event_source_mapping(**arguments)
    return made


def test_a_mapping_is_made_and_shown(target: Target) -> None:
    name, arn = target.new_function(), queue(target)
    made = mapping(target, FunctionName=name, EventSourceArn=arn, BatchSize=5)
    shown = settled(target, made["UUID"], "Enabled")
    assert (shown["EventSourceArn"], shown["BatchSize"]) == (arn, 5)
    assert shown["FunctionArn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


@pytest.mark.moto_differs("a mapping is Enabled from the start, and has no ARN")
def test_a_new_mapping_is_creating_and_has_aws_s_defaults(target: Target) -> None:
    made = mapping(target)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (made["State"], made["StateTransitionReason"]) == ("Creating", "USER_INITIATED")
    assert (made["BatchSize"], made["MaximumBatchingWindowInSeconds"]) == (10, 0)
    assert made["EventSourceMappingArn"].endswith(":event-source-mapping:" + made["UUID"])
    assert "StartingPosition" not in made
    settled(target, made["UUID"], "Enabled")


@pytest.mark.moto_differs("a mapping is Enabled from the start")
def test_a_disabled_mapping_stays_disabled_until_it_is_enabled(target: Target) -> None:
    uuid = mapping(target, Enabled=False)["UUID"]
    settled(target, uuid, "Disabled")
    changed = target.api.update_event_source_mapping(UUID=uuid, Enabled=True)
    assert (changed["State"], changed["ResponseMetadata"]["HTTPStatusCode"]) == ("Enabling", 202)
    settled(target, uuid, "Enabled")
    assert target.api.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    settled(target, uuid, "Disabled")


@pytest.mark.moto_differs("an update is in effect at once")
def test_an_update_changes_what_it_names(target: Target) -> None:
    pattern = {"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]}
    uuid = mapping(target, FilterCriteria=pattern)["UUID"]
    settled(target, uuid, "Enabled")
    changed = target.api.update_event_source_mapping(UUID=uuid, BatchSize=3)
    assert changed["State"] == "Updating"
    shown = settled(target, uuid, "Enabled")
    assert (shown["BatchSize"], shown["FilterCriteria"]) == (3, pattern)
    target.api.update_event_source_mapping(UUID=uuid, FilterCriteria={})
    assert "FilterCriteria" not in settled(target, uuid, "Enabled")


def test_a_deleted_mapping_is_deleting_then_gone(target: Target) -> None:
    uuid = mapping(target)["UUID"]
    settled(target, uuid, "Enabled")
    gone = target.api.delete_event_source_mapping(UUID=uuid)
    assert (gone["State"], gone["ResponseMetadata"]["HTTPStatusCode"]) == ("Deleting", 202)

    def absent() -> bool:
        try:
            target.api.get_event_source_mapping(UUID=uuid)
        except ClientError as error:
            return error.response["Error"]["Code"] == "ResourceNotFoundException"
        return False

    until(absent)


@pytest.mark.moto_differs("a second mapping of the same is made")
def test_a_function_and_a_source_are_joined_once(target: Target) -> None:
    name, arn = target.new_function(), queue(target)
    first = mapping(target, FunctionName=name, EventSourceArn=arn)["UUID"]
    with pytest.raises(ClientError) as error:
        mapping(target, FunctionName=name, EventSourceArn=arn)
    assert refused(error) == ("ResourceConflictException", 409)
    assert first in error.value.response["Error"]["Message"]


def test_mappings_are_listed_by_function_and_by_source(target: Target) -> None:
    name, arn = target.new_function(), queue(target)
    first = mapping(target, FunctionName=name, EventSourceArn=arn)["UUID"]
    second = mapping(target, FunctionName=name)["UUID"]
    third = mapping(target, EventSourceArn=arn)["UUID"]

    def listed(**by: str) -> set[str]:
        return {each["UUID"] for each in target.api.list_event_source_mappings(**by)["EventSourceMappings"]}

    assert listed(FunctionName=name) == {first, second}
    assert listed(EventSourceArn=arn) == {first, third}
    assert listed(FunctionName=name, EventSourceArn=arn) == {first}
    assert {first, second, third} <= listed()


@pytest.mark.moto_differs("the alias is left out")
def test_a_mapping_may_invoke_an_alias(target: Target) -> None:
    name = target.new_function(Publish=True)
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    made = mapping(target, FunctionName=f"{name}:live")
    assert made["FunctionArn"].endswith(f":function:{name}:live")


@pytest.mark.moto_differs("the source is not asked for its visibility timeout")
def test_a_queue_must_hide_messages_as_long_as_the_function_may_run(target: Target) -> None:
    name = target.new_function(Timeout=60)
    with pytest.raises(ClientError) as error:
        mapping(target, FunctionName=name, EventSourceArn=queue(target, VisibilityTimeout="30"))
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert error.value.response["Error"]["Message"] == (
        "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    )


def test_an_absent_queue_is_refused_in_sqs_s_words(runtime: Target) -> None:
    with pytest.raises(ClientError) as error:
        mapping(runtime, EventSourceArn="arn:aws:sqs:us-east-1:123456789012:absent")
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert "Error occurred while ReceiveMessage. SQS Error Code:" in error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:kinesis:us-east-1:123456789012:stream/absent",
        "arn:aws:dynamodb:us-east-1:123456789012:table/absent/stream/2026-01-01T00:00:00.000",
    ],
)
def test_an_absent_stream_is_refused(runtime: Target, arn: str) -> None:
    with pytest.raises(ClientError) as error:
        mapping(runtime, EventSourceArn=arn, StartingPosition="LATEST")
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert error.value.response["Error"]["Message"] == f"Stream not found: {arn}"


@pytest.mark.parametrize(
    "more",
    [
        {"BatchSize": 11},
        {"StartingPosition": "LATEST"},
        {"FilterCriteria": {"Filters": [{"Pattern": "no pattern"}]}},
        {"SourceAccessConfigurations": [{"Type": "VPC_SUBNET", "URI": "x"}]},
    ],
)
def test_what_does_not_suit_a_queue_is_refused(runtime: Target, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        mapping(runtime, **more)
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_streams_have_their_own_settings(runtime: Target) -> None:
    kinesis = runtime.service("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    until(lambda: kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]["StreamStatus"])
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
    made = mapping(runtime, EventSourceArn=arn, StartingPosition="TRIM_HORIZON", BisectBatchOnFunctionError=True)
    assert (made["BatchSize"], made["ParallelizationFactor"], made["MaximumRetryAttempts"]) == (100, 1, -1)
    assert (made["StartingPosition"], made["BisectBatchOnFunctionError"]) == ("TRIM_HORIZON", True)
    assert made["LastProcessingResult"] == "No records processed"
    settled(runtime, made["UUID"], "Enabled")
    runtime.api.delete_event_source_mapping(UUID=made["UUID"])


def test_a_mapping_has_tags(runtime: Target) -> None:
    made = mapping(runtime, Tags={"team": "water"})
    arn = made["EventSourceMappingArn"]
    runtime.api.tag_resource(Resource=arn, Tags={"stage": "test"})
    assert runtime.api.list_tags(Resource=arn)["Tags"] == {"team": "water", "stage": "test"}
    runtime.api.untag_resource(Resource=arn, TagKeys=["team"])
    assert runtime.api.list_tags(Resource=arn)["Tags"] == {"stage": "test"}


def test_a_mapping_outlives_its_function(runtime: Target) -> None:
    name = runtime.new_function()
    uuid = mapping(runtime, FunctionName=name)["UUID"]
    settled(runtime, uuid, "Enabled")
    runtime.api.delete_function(FunctionName=name)
    assert runtime.api.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
    runtime.api.delete_event_source_mapping(UUID=uuid)

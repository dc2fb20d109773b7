"""How asynchronous events are to be handled, asked through plain boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.refusals import refused

QUEUE = "arn:aws:sqs:us-east-1:123456789012:failed"
TOPIC = "arn:aws:sns:us-east-1:123456789012:done"
TO_BOTH = {"OnSuccess": {"Destination": TOPIC}, "OnFailure": {"Destination": QUEUE}}


def test_a_configuration_is_put_and_shown(target: Target) -> None:
    name = target.new_function()
    put = target.api.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60, DestinationConfig=TO_BOTH
    )
    got = target.api.get_function_event_invoke_config(FunctionName=name)
    for shown in (put, got):
        assert (shown["MaximumRetryAttempts"], shown["MaximumEventAgeInSeconds"]) == (1, 60)
        assert shown["DestinationConfig"] == TO_BOTH
        assert shown["FunctionArn"].startswith(f"arn:aws:lambda:us-east-1:123456789012:function:{name}")


@pytest.mark.moto_differs("the ARN has no qualifier")
def test_the_unqualified_function_is_shown_as_latest(target: Target) -> None:
    name = target.new_function()
    put = target.api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    assert put["FunctionArn"].endswith(f":function:{name}:$LATEST")


def test_put_replaces_and_update_merges(runtime: Target) -> None:
    name = runtime.new_function()
    api = runtime.api
    api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1, DestinationConfig=TO_BOTH)
    merged = api.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=70)
    assert (merged["MaximumRetryAttempts"], merged["MaximumEventAgeInSeconds"]) == (1, 70)
    assert merged["DestinationConfig"] == TO_BOTH
    without = api.update_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {}})
    assert without["DestinationConfig"] == {"OnSuccess": {"Destination": TOPIC}, "OnFailure": {}}
    replaced = api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    assert "MaximumEventAgeInSeconds" not in replaced
    assert replaced["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}


def test_function_version_and_alias_have_one_each(runtime: Target) -> None:
    name = runtime.new_function(Publish=True)
    runtime.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for attempts, qualifier in enumerate(("$LATEST", "1", "live")):
        runtime.api.put_function_event_invoke_config(
            FunctionName=name, Qualifier=qualifier, MaximumRetryAttempts=attempts
        )
    listed = runtime.api.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    shown = {each["FunctionArn"].rpartition(":")[2]: each["MaximumRetryAttempts"] for each in listed}
    assert shown == {"$LATEST": 0, "1": 1, "live": 2}
    runtime.api.delete_function_event_invoke_config(FunctionName=name, Qualifier="live")
    with pytest.raises(ClientError) as error:
        runtime.api.get_function_event_invoke_config(FunctionName=name, Qualifier="live")
    assert refused(error) == ("ResourceNotFoundException", 404)


@pytest.mark.moto_differs("deleting or updating what is not there is no error")
def test_without_one_there_is_none_to_get_or_update_or_delete(target: Target) -> None:
    name = target.new_function()
    for act in ("get", "update", "delete"):
        more = {"MaximumRetryAttempts": 1} if act == "update" else {}
        with pytest.raises(ClientError) as error:
            getattr(target.api, f"{act}_function_event_invoke_config")(FunctionName=name, **more)
        assert refused(error) == ("ResourceNotFoundException", 404)


def test_more_than_two_retries_are_outside_the_model(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=3)
    assert refused(error) == ("ValidationException", 400)


@pytest.mark.moto_differs("anything is accepted")
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:s3:::b"}}},
        {"DestinationConfig": {"OnFailure": {"Destination": QUEUE + ".fifo"}}},
    ],
)
def test_what_cannot_be_is_refused(target: Target, more: dict[str, Any]) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.put_function_event_invoke_config(FunctionName=name, **more)
    assert refused(error) == ("InvalidParameterValueException", 400)


@pytest.mark.moto_differs("a function may be its own destination")
def test_a_function_is_not_its_own_destination(target: Target) -> None:
    name = target.new_function()
    arn = target.api.get_function_configuration(FunctionName=name)["FunctionArn"]
    with pytest.raises(ClientError) as error:
        target.api.put_function_event_invoke_config(
            FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}}
        )
    assert refused(error) == ("InvalidParameterValueException", 400)

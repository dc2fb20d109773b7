"""Reserved and provisioned concurrency, and the account's limits, asked through plain boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.refusals import refused
from tests.fakes.runtime_process import until


def test_reserved_concurrency_is_put_shown_and_deleted(target: Target) -> None:
    name = target.new_function()
    assert "ReservedConcurrentExecutions" not in target.api.get_function_concurrency(FunctionName=name)
    put = target.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
    assert put["ReservedConcurrentExecutions"] == 7
    assert target.api.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 7
    assert target.api.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 7}
    target.api.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in target.api.get_function_concurrency(FunctionName=name)
    assert "Concurrency" not in target.api.get_function(FunctionName=name)


def test_a_deletion_of_reserved_concurrency_is_answered_with_204(runtime: Target) -> None:
    name = runtime.new_function()
    answer = runtime.api.delete_function_concurrency(FunctionName=name)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.moto_differs("any number is accepted")
def test_a_hundred_stay_unreserved(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=901)
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert error.value.response["Error"]["Message"] == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        "below its minimum value of [100]."
    )


@pytest.mark.moto_differs("GetAccountSettings is not implemented")
def test_the_account_shows_what_is_left(target: Target) -> None:
    name = target.new_function()
    before = target.api.get_account_settings()
    assert before["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert before["AccountLimit"]["CodeSizeUnzipped"] == 262_144_000
    target.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
    after = target.api.get_account_settings()
    left = "UnreservedConcurrentExecutions"
    assert after["AccountLimit"][left] == before["AccountLimit"][left] - 7
    target.new_function()
    assert (
        target.api.get_account_settings()["AccountUsage"]["FunctionCount"]
        == before["AccountUsage"]["FunctionCount"] + 1
    )


def test_a_function_that_may_not_run_says_why_and_when_to_come_back(runtime: Target) -> None:
    name = runtime.new_function()
    runtime.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as error:
        runtime.api.invoke(FunctionName=name)
    assert refused(error) == ("TooManyRequestsException", 429)
    answer: Any = error.value.response
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    runtime.api.delete_function_concurrency(FunctionName=name)
    assert runtime.api.invoke(FunctionName=name)["StatusCode"] == 200


# provisioned --------------------------------------------------------------------------------------------------------


def invoke(target: Target, name: str, qualifier: str) -> Any:
    """The function's result."""
    answer = target.api.invoke(FunctionName=name, Qualifier=qualifier, Payload=b"{}")
    return json.loads(answer["Payload"].read())


SHOWS = """import os
def handler(event, context):
    return [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], context.function_version]
"""


def ready(target: Target, name: str, qualifier: str) -> bool:
    """Whether everything asked for is there."""
    shown = target.api.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
    return bool(shown["Status"] == "READY")


@pytest.mark.moto_differs("provisioned concurrency is not implemented")
def test_provisioned_concurrency_is_asked_for_becomes_ready_and_is_used(target: Target) -> None:
    name = target.new_function(SHOWS, Publish=True)
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    asked = target.api.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=2
    )
    assert asked["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert asked["RequestedProvisionedConcurrentExecutions"] == 2
    assert asked["Status"] == "IN_PROGRESS"
    until(lambda: ready(target, name, "live"))
    shown = target.api.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert shown["AvailableProvisionedConcurrentExecutions"] == 2
    assert shown["AllocatedProvisionedConcurrentExecutions"] == 2
    assert invoke(target, name, "live") == ["provisioned-concurrency", "1"]
    listed = target.api.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert [each["FunctionArn"].rpartition(":")[2] for each in listed] == ["live"]
    target.api.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    with pytest.raises(ClientError) as error:
        target.api.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert refused(error) == ("ProvisionedConcurrencyConfigNotFoundException", 404)


def test_it_follows_the_alias(runtime: Target) -> None:
    name = runtime.new_function(SHOWS, Publish=True)
    runtime.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    runtime.api.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    until(lambda: ready(runtime, name, "live"))
    runtime.update(name, SHOWS + "\n")
    runtime.api.publish_version(FunctionName=name)
    runtime.api.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    until(lambda: ready(runtime, name, "live"))
    assert invoke(runtime, name, "live") == ["provisioned-concurrency", "2"]


def test_a_function_whose_init_fails_is_never_ready_and_says_why(runtime: Target) -> None:
    name = runtime.new_function("raise RuntimeError('broken')\n", Publish=True)
    runtime.api.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)

    def shown() -> Any:
        return runtime.api.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")

    until(lambda: shown()["Status"] == "FAILED")
    assert shown()["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert shown()["AvailableProvisionedConcurrentExecutions"] == 0


@pytest.mark.moto_differs("provisioned concurrency is not implemented")
@pytest.mark.parametrize("qualifier", ["$LATEST", "dev"])
def test_what_is_not_published_is_not_provisioned(target: Target, qualifier: str) -> None:
    name = target.new_function()
    target.api.create_alias(FunctionName=name, Name="dev", FunctionVersion="$LATEST")
    with pytest.raises(ClientError) as error:
        target.api.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=1
        )
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_snapshots_and_provisioned_concurrency_exclude_each_other(runtime: Target) -> None:
    snap_start = {"ApplyOn": "PublishedVersions"}
    name = runtime.new_function(Runtime="python3.12", SnapStart=snap_start, Publish=True)
    with pytest.raises(ClientError) as error:
        runtime.api.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1
        )
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert "SnapStart" in error.value.response["Error"]["Message"]


def test_provisioned_stays_within_reserved_and_reserved_above_it(runtime: Target) -> None:
    name = runtime.new_function(Publish=True)
    runtime.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    with pytest.raises(ClientError) as error:
        runtime.api.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=3
        )
    assert refused(error) == ("InvalidParameterValueException", 400)
    runtime.api.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2)
    with pytest.raises(ClientError) as error:
        runtime.api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_a_version_is_provisioned_through_one_name_only(runtime: Target) -> None:
    name = runtime.new_function(Publish=True)
    runtime.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    runtime.api.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    with pytest.raises(ClientError) as error:
        runtime.api.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1
        )
    assert refused(error) == ("ResourceConflictException", 409)


def test_environments_that_are_not_asked_for_any_more_end(runtime: Target) -> None:
    source = "import os\ndef handler(event, context):\n    return os.getpid()\n"
    name = runtime.new_function(source, Publish=True)
    runtime.api.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    until(lambda: ready(runtime, name, "1"))
    streams = runtime.service("logs")
    group = f"/aws/lambda/{name}"
    until(lambda: _streams(streams, group) == 1)
    invoke(runtime, name, "1")
    assert _streams(streams, group) == 1, "the environment that was ready took it"
    runtime.api.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    invoke(runtime, name, "1")
    until(lambda: _streams(streams, group) == 2)


def _streams(logs: Any, group: str) -> int:
    """How many environments there have been."""
    try:
        return len(logs.describe_log_streams(logGroupName=group)["logStreams"])
    except ClientError:
        return 0

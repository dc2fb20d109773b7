"""Recursion, runtime management, code signing, and what is not answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.refusals import refused


def test_loops_are_ended_unless_they_are_allowed(runtime: Target) -> None:
    name = runtime.new_function()
    assert runtime.api.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    runtime.api.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert runtime.api.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"


def test_a_runtime_follows_what_is_installed(runtime: Target) -> None:
    name = runtime.new_function()
    assert runtime.api.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    runtime.api.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Auto")
    with pytest.raises(ClientError) as error:
        runtime.api.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_there_is_no_code_signing(runtime: Target) -> None:
    name = runtime.new_function()
    found = runtime.api.get_function_code_signing_config(FunctionName=name)
    assert found["FunctionName"] == name
    assert not found.get("CodeSigningConfigArn")
    assert runtime.api.list_code_signing_configs()["CodeSigningConfigs"] == []


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        (
            "create_code_signing_config",
            {"AllowedPublishers": {"SigningProfileVersionArns": ["arn:aws:signer:::/p/x/1"]}},
        ),
        ("list_capacity_providers", {}),
        ("invoke_async", {"FunctionName": "f", "InvokeArgs": b"{}"}),
    ],
)
def test_what_is_not_answered_is_named(runtime: Target, operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        getattr(runtime.api, operation)(**parameters)
    assert refused(error) == ("NotImplementedException", 501)
    assert error.value.operation_name in json.dumps(error.value.response["Error"])


@pytest.mark.parametrize(
    "more",
    [
        {"FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-01234567890123456", "LocalMountPath": "/mnt/x"}]},  # noqa: E501  (one value)
        {"CodeSigningConfigArn": "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-01234567890123456"},
        {"Runtime": "java21"},
        {"Runtime": "python3.6"},
    ],
)  # fmt: skip
def test_what_a_function_cannot_have_here_is_refused_by_name(runtime: Target, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        runtime.new_function(**more)
    assert refused(error) == ("InvalidParameterValueException", 400)
    name, value = next(iter(more.items()))
    assert (name if name != "Runtime" else value) in error.value.response["Error"]["Message"]


def test_tags_belong_to_functions_not_to_versions(runtime: Target) -> None:
    name = runtime.new_function(Publish=True)
    arn = runtime.api.get_function_configuration(FunctionName=name)["FunctionArn"]
    with pytest.raises(ClientError) as error:
        runtime.api.tag_resource(Resource=f"{arn}:1", Tags={"a": "b"})
    assert refused(error)[1] == 400
    runtime.api.tag_resource(Resource=arn, Tags={f"k{number}": "v" for number in range(50)})
    with pytest.raises(ClientError) as error:
        runtime.api.tag_resource(Resource=arn, Tags={"one-more": "v"})
    assert refused(error) == ("InvalidParameterValueException", 400)


@pytest.mark.parametrize(
    "tags",
    [{f"k{number}": "" for number in range(51)}, {"aws:stack": "x"}],
    ids=["too many", "reserved"],
)
def test_tags_that_cannot_be_are_refused_from_the_start(runtime: Target, tags: dict[str, str]) -> None:
    with pytest.raises(ClientError) as error:
        runtime.new_function(Tags=tags)
    assert refused(error) == ("InvalidParameterValueException", 400)
    arn = runtime.api.get_function_configuration(FunctionName=runtime.new_function())["FunctionArn"]
    with pytest.raises(ClientError) as error:
        runtime.api.tag_resource(Resource=arn, Tags=tags)
    assert refused(error) == ("InvalidParameterValueException", 400)

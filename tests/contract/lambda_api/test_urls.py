"""The configuration of function URLs, asked through plain boto3."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.refusals import refused

CORS = {"AllowOrigins": ["https://example.com"], "AllowMethods": ["GET"], "MaxAge": 60, "AllowCredentials": True}


def test_a_url_is_made_shown_and_deleted(target: Target) -> None:
    name = target.new_function()
    made = target.api.create_function_url_config(FunctionName=name, AuthType="AWS_IAM", Cors=CORS)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    got = target.api.get_function_url_config(FunctionName=name)
    for shown in (made, got):
        assert (shown["AuthType"], shown["Cors"]) == ("AWS_IAM", CORS)
        assert shown["FunctionArn"].endswith(f":function:{name}")
        assert re.match(r"https?://[a-z0-9]{32}\.lambda-url\.us-east-1\.", shown["FunctionUrl"])
    target.api.delete_function_url_config(FunctionName=name)
    with pytest.raises(ClientError) as error:
        target.api.get_function_url_config(FunctionName=name)
    assert refused(error) == ("ResourceNotFoundException", 404)


@pytest.mark.moto_differs("what an update does not name is lost")
def test_an_update_keeps_what_it_does_not_name(target: Target) -> None:
    name = target.new_function()
    made = target.api.create_function_url_config(FunctionName=name, AuthType="AWS_IAM", Cors=CORS)
    assert made["InvokeMode"] == "BUFFERED"
    target.api.update_function_url_config(FunctionName=name, InvokeMode="RESPONSE_STREAM")
    shown = target.api.update_function_url_config(FunctionName=name, AuthType="NONE", Cors={"MaxAge": 1})
    assert (shown["AuthType"], shown["Cors"], shown["InvokeMode"]) == ("NONE", {"MaxAge": 1}, "RESPONSE_STREAM")
    assert shown["FunctionUrl"] == made["FunctionUrl"]


@pytest.mark.moto_differs("a second URL takes the first one's place")
def test_a_function_has_one_url(target: Target) -> None:
    name = target.new_function()
    target.api.create_function_url_config(FunctionName=name, AuthType="NONE")
    with pytest.raises(ClientError) as error:
        target.api.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert refused(error) == ("ResourceConflictException", 409)


@pytest.mark.moto_differs("an alias has no URL of its own")
def test_function_and_aliases_have_a_url_each(target: Target) -> None:
    name = target.new_function(Publish=True)
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    urls = {
        target.api.create_function_url_config(FunctionName=name, AuthType="NONE", **more)["FunctionUrl"]
        for more in ({}, {"Qualifier": "live"})
    }
    listed: list[Any] = target.api.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert len(urls) == 2
    assert {each["FunctionUrl"] for each in listed} == urls
    assert {each["FunctionArn"].rpartition(":")[2] for each in listed} == {name, "live"}


def test_a_version_has_no_url(runtime: Target) -> None:
    name = runtime.new_function(Publish=True)
    for qualifier in ("1", "$LATEST"):
        with pytest.raises(ClientError) as error:
            runtime.api.create_function_url_config(FunctionName=name, Qualifier=qualifier, AuthType="NONE")
        assert refused(error) == ("ValidationException", 400)

"""Functions and versions, asked through plain boto3."""

from __future__ import annotations

import base64
import hashlib
import io
import urllib.request
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.fakes.runtime_process import ROLE, package


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    """The code and the HTTP status of an error."""
    answer: Any = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_created_function_is_shown_with_what_was_asked_and_aws_s_defaults(target: Target) -> None:
    name = target.new_function(Description="d", MemorySize=256, Environment={"Variables": {"COLOUR": "blue"}})
    shown = target.api.get_function_configuration(FunctionName=name)
    assert shown["FunctionArn"] == f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert shown["Version"] == "$LATEST"
    assert shown["Role"] == ROLE
    assert (shown["Timeout"], shown["MemorySize"], shown["Description"]) == (3, 256, "d")
    assert shown["Environment"] == {"Variables": {"COLOUR": "blue"}}
    assert shown["CodeSha256"] == base64.b64encode(hashlib.sha256(package()).digest()).decode()
    assert shown["CodeSize"] == len(package())
    assert shown["PackageType"] == "Zip"
    assert shown["State"] == "Active"
    assert shown["LastUpdateStatus"] == "Successful"


def test_creating_the_same_function_twice_is_a_conflict(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.create_function(
            FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Code={"ZipFile": package()}
        )
    assert refused(error) == ("ResourceConflictException", 409)


def test_an_absent_function_is_not_found(target: Target) -> None:
    with pytest.raises(ClientError) as error:
        target.api.get_function(FunctionName="absent")
    assert refused(error) == ("ResourceNotFoundException", 404)
    assert error.value.response["Error"]["Message"].startswith("Function not found: arn:aws:lambda:us-east-1:")


@pytest.mark.moto_differs("a partial ARN is answered with 500")
def test_a_function_is_found_by_name_partial_arn_and_arn(target: Target) -> None:
    name = target.new_function()
    for form in (name, f"123456789012:function:{name}", f"arn:aws:lambda:us-east-1:123456789012:function:{name}"):
        assert target.api.get_function(FunctionName=form)["Configuration"]["FunctionName"] == name


@pytest.mark.moto_differs("Code.Location is an address that does not exist")
def test_the_code_can_be_downloaded_from_its_location(target: Target) -> None:
    name = target.new_function()
    location = target.api.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=5) as answer:
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    assert archive.namelist() == ["app.py"]


def test_new_code_changes_the_digest_of_latest(target: Target) -> None:
    name = target.new_function()
    before = target.api.get_function_configuration(FunctionName=name)
    target.update(name, "def handler(event, context):\n    return 1\n")
    after = target.api.get_function_configuration(FunctionName=name)
    assert after["CodeSha256"] != before["CodeSha256"]


@pytest.mark.moto_differs("a function has no RevisionId")
def test_every_change_changes_the_revision(target: Target) -> None:
    name = target.new_function()
    before = target.api.get_function_configuration(FunctionName=name)
    target.update(name, "def handler(event, context):\n    return 1\n")
    after = target.api.get_function_configuration(FunctionName=name)
    assert after["RevisionId"] != before["RevisionId"]


@pytest.mark.moto_differs("a dry run changes the code")
def test_a_dry_run_shows_the_new_digest_and_changes_nothing(target: Target) -> None:
    name = target.new_function()
    before = target.api.get_function_configuration(FunctionName=name)
    other = package("def handler(event, context):\n    return 3\n")
    shown = target.api.update_function_code(FunctionName=name, ZipFile=other, DryRun=True)
    assert shown["CodeSha256"] == base64.b64encode(hashlib.sha256(other).digest()).decode()
    after = target.api.get_function_configuration(FunctionName=name)
    assert (after["CodeSha256"], after["RevisionId"]) == (before["CodeSha256"], before["RevisionId"])


@pytest.mark.moto_differs("RevisionId is not compared")
def test_an_update_on_an_old_revision_is_refused(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.update_function_code(FunctionName=name, ZipFile=package("x = 1\n"), RevisionId="old")
    assert refused(error) == ("PreconditionFailedException", 412)


def test_code_that_is_no_zip_is_refused(runtime: Target) -> None:
    name = runtime.new_function()
    with pytest.raises(ClientError) as error:
        runtime.api.update_function_code(FunctionName=name, ZipFile=b"not a zip")
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert "Could not unzip uploaded file" in error.value.response["Error"]["Message"]


def test_the_environment_is_replaced_as_a_whole(target: Target) -> None:
    name = target.new_function(Environment={"Variables": {"AA": "1", "BB": "2"}})
    target.api.update_function_configuration(FunctionName=name, Environment={"Variables": {"CC": "3"}}, Timeout=9)
    target.settled(name)
    shown = target.api.get_function_configuration(FunctionName=name)
    assert shown["Environment"] == {"Variables": {"CC": "3"}}
    assert shown["Timeout"] == 9


@pytest.mark.moto_differs("reserved keys are accepted")
def test_a_reserved_variable_is_refused(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.update_function_configuration(FunctionName=name, Environment={"Variables": {"AWS_REGION": "x"}})
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert "Reserved keys used in this request: AWS_REGION" in error.value.response["Error"]["Message"]


@pytest.mark.moto_differs("any runtime is accepted")
def test_an_unknown_runtime_is_refused(target: Target) -> None:
    with pytest.raises(ClientError) as error:
        target.new_function(Runtime="python9.9")
    assert refused(error) == ("InvalidParameterValueException", 400)
    assert "Value python9.9 at 'runtime' failed to satisfy constraint" in error.value.response["Error"]["Message"]


@pytest.mark.moto_differs("limits of the model are not checked")
def test_a_value_outside_the_model_s_limits_is_a_validation_error(target: Target) -> None:
    with pytest.raises(ClientError) as error:
        target.new_function(Description="d" * 257)
    assert refused(error) == ("ValidationException", 400)
    message = error.value.response["Error"]["Message"]
    assert message.startswith("1 validation error detected: Value 'ddd")
    assert message.endswith(
        "at 'description' failed to satisfy constraint: Member must have length less than or equal to 256"
    )


def test_a_deleted_function_is_gone(target: Target) -> None:
    name = target.new_function()
    target.api.delete_function(FunctionName=name)
    with pytest.raises(ClientError) as error:
        target.api.get_function(FunctionName=name)
    assert refused(error) == ("ResourceNotFoundException", 404)


@pytest.mark.moto_differs("MaxItems and Marker are ignored")
def test_functions_are_listed_in_pages(target: Target) -> None:
    names = {target.new_function() for _ in range(3)}
    pages = list(target.api.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["Functions"]) <= 2 for page in pages)
    listed = [each["FunctionName"] for page in pages for each in page["Functions"]]
    assert names <= set(listed)
    assert len(listed) == len(set(listed))


def test_publishing_numbers_versions_from_one_and_keeps_them(target: Target) -> None:
    name = target.two_versions()
    versions = target.api.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in versions] == ["$LATEST", "1", "2"]
    first = target.api.get_function_configuration(FunctionName=name, Qualifier="1")
    second = target.api.get_function_configuration(FunctionName=name, Qualifier="2")
    assert first["CodeSha256"] != second["CodeSha256"]
    assert first["FunctionArn"].endswith(f":{name}:1")


def test_publishing_again_without_a_change_returns_the_last_version(target: Target) -> None:
    name = target.new_function()
    first = target.api.publish_version(FunctionName=name)
    again = target.api.publish_version(FunctionName=name)
    assert (first["Version"], again["Version"]) == ("1", "1")


def test_a_changed_configuration_makes_a_new_version(target: Target) -> None:
    name = target.new_function()
    target.api.publish_version(FunctionName=name)
    target.api.update_function_configuration(FunctionName=name, MemorySize=512)
    target.settled(name)
    assert target.api.publish_version(FunctionName=name)["Version"] == "2"
    assert target.api.get_function_configuration(FunctionName=name, Qualifier="1")["MemorySize"] == 128


@pytest.mark.moto_differs("CodeSha256 is not compared")
def test_publishing_other_code_than_expected_is_refused(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.publish_version(FunctionName=name, CodeSha256="AAAA")
    assert refused(error) == ("InvalidParameterValueException", 400)


@pytest.mark.moto_differs("RevisionId is not compared")
def test_publishing_on_an_old_revision_is_refused(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.publish_version(FunctionName=name, RevisionId="old")
    assert refused(error) == ("PreconditionFailedException", 412)


def test_updating_code_can_publish_at_once(target: Target) -> None:
    name = target.new_function(Publish=True)
    shown = target.api.update_function_code(FunctionName=name, ZipFile=package("x = 1\n"), Publish=True)
    assert shown["Version"] == "2"


@pytest.mark.moto_differs("numbers of deleted versions are used again")
def test_a_version_number_is_never_used_twice(target: Target) -> None:
    name = target.two_versions()
    target.api.delete_function(FunctionName=name, Qualifier="2")
    target.update(name, "def handler(event, context):\n    return 3\n")
    assert target.api.publish_version(FunctionName=name)["Version"] == "3"


@pytest.mark.moto_differs("a version that an alias uses can be deleted")
def test_a_version_that_an_alias_uses_cannot_be_deleted(target: Target) -> None:
    name = target.two_versions()
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)
    for version in ("1", "2"):
        with pytest.raises(ClientError) as error:
            target.api.delete_function(FunctionName=name, Qualifier=version)
        assert refused(error) == ("ResourceConflictException", 409)


def test_tags_are_kept_added_and_removed(target: Target) -> None:
    name = target.new_function(Tags={"team": "water"})
    arn = target.api.get_function_configuration(FunctionName=name)["FunctionArn"]
    target.api.tag_resource(Resource=arn, Tags={"stage": "test"})
    assert target.api.list_tags(Resource=arn)["Tags"] == {"team": "water", "stage": "test"}
    target.api.untag_resource(Resource=arn, TagKeys=["team"])
    assert target.api.get_function(FunctionName=name)["Tags"] == {"stage": "test"}

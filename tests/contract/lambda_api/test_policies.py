"""Resource-based policies, asked through plain boto3."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.refusals import refused

BUCKET = {
    "StatementId": "bucket",
    "Action": "lambda:InvokeFunction",
    "Principal": "s3.amazonaws.com",
    "SourceArn": "arn:aws:s3:::photos",
    "SourceAccount": "123456789012",
}
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


def test_a_permission_is_shown_as_lambda_writes_it(target: Target) -> None:
    name = target.new_function()
    shown = target.api.add_permission(FunctionName=name, **BUCKET)["Statement"]
    assert json.loads(shown) == {
        "Sid": "bucket",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN + name,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"},
        },
    }


def test_a_policy_has_every_statement_that_was_added(target: Target) -> None:
    name = target.new_function()
    for sid in ("one", "two"):
        target.api.add_permission(FunctionName=name, **{**BUCKET, "StatementId": sid})
    answer = target.api.get_policy(FunctionName=name)
    policy = json.loads(answer["Policy"])
    assert (policy["Version"], policy["Id"]) == ("2012-10-17", "default")
    assert [statement["Sid"] for statement in policy["Statement"]] == ["one", "two"]
    assert answer["RevisionId"]


def test_a_removed_statement_is_gone(target: Target) -> None:
    name = target.new_function()
    for sid in ("one", "two"):
        target.api.add_permission(FunctionName=name, **{**BUCKET, "StatementId": sid})
    answer = target.api.remove_permission(FunctionName=name, StatementId="one")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    policy = json.loads(target.api.get_policy(FunctionName=name)["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["two"]


def test_with_the_last_statement_the_policy_is_gone(target: Target) -> None:
    name = target.new_function()
    target.api.add_permission(FunctionName=name, **BUCKET)
    target.api.remove_permission(FunctionName=name, StatementId="bucket")
    with pytest.raises(ClientError) as error:
        target.api.get_policy(FunctionName=name)
    assert refused(error) == ("ResourceNotFoundException", 404)


def test_a_function_without_a_policy_has_none(target: Target) -> None:
    with pytest.raises(ClientError) as error:
        target.api.get_policy(FunctionName=target.new_function())
    assert refused(error) == ("ResourceNotFoundException", 404)


@pytest.mark.moto_differs("the same statement id is taken twice")
def test_a_statement_id_is_used_once(target: Target) -> None:
    name = target.new_function()
    target.api.add_permission(FunctionName=name, **BUCKET)
    with pytest.raises(ClientError) as error:
        target.api.add_permission(FunctionName=name, **BUCKET)
    assert refused(error) == ("ResourceConflictException", 409)


def test_an_absent_statement_cannot_be_removed(target: Target) -> None:
    name = target.new_function()
    target.api.add_permission(FunctionName=name, **BUCKET)
    with pytest.raises(ClientError) as error:
        target.api.remove_permission(FunctionName=name, StatementId="other")
    assert refused(error) == ("ResourceNotFoundException", 404)


@pytest.mark.moto_differs("version and alias share the function's policy")
def test_function_version_and_alias_have_a_policy_each(target: Target) -> None:
    name = target.new_function(Publish=True)
    target.api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ("1", "live"):
        target.api.add_permission(FunctionName=name, Qualifier=qualifier, **{**BUCKET, "StatementId": f"q{qualifier}"})
    for qualifier in ("1", "live"):
        policy = json.loads(target.api.get_policy(FunctionName=name, Qualifier=qualifier)["Policy"])
        assert [each["Resource"] for each in policy["Statement"]] == [f"{ARN}{name}:{qualifier}"]
    with pytest.raises(ClientError) as error:
        target.api.get_policy(FunctionName=name)
    assert refused(error) == ("ResourceNotFoundException", 404)


@pytest.mark.moto_differs("$LATEST is given a policy")
def test_latest_gets_no_policy(target: Target) -> None:
    name = target.new_function()
    with pytest.raises(ClientError) as error:
        target.api.add_permission(FunctionName=name, Qualifier="$LATEST", **BUCKET)
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_a_policy_that_changed_since_is_not_touched(target: Target) -> None:
    name = target.new_function()
    target.api.add_permission(FunctionName=name, **BUCKET)
    seen = target.api.get_policy(FunctionName=name)["RevisionId"]
    target.api.add_permission(FunctionName=name, RevisionId=seen, **{**BUCKET, "StatementId": "two"})
    with pytest.raises(ClientError) as error:
        target.api.add_permission(FunctionName=name, RevisionId=seen, **{**BUCKET, "StatementId": "three"})
    assert refused(error) == ("PreconditionFailedException", 412)
    with pytest.raises(ClientError) as error:
        target.api.remove_permission(FunctionName=name, RevisionId=seen, StatementId="two")
    assert refused(error) == ("PreconditionFailedException", 412)


def test_a_policy_ends_at_20_kb(runtime: Target) -> None:
    name = runtime.new_function()

    def fill() -> None:
        for number in range(200):
            runtime.api.add_permission(FunctionName=name, **{**BUCKET, "StatementId": f"{number}{'x' * 90}"})

    with pytest.raises(ClientError) as error:
        fill()
    assert refused(error) == ("PolicyLengthExceededException", 400)
    assert len(runtime.api.get_policy(FunctionName=name)["Policy"]) <= 20_480


def test_a_policy_can_be_put_read_and_deleted_as_a_whole(runtime: Target) -> None:
    name = runtime.new_function()
    runtime.api.add_permission(FunctionName=name, **BUCKET)
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "lambda:*",
        "Resource": ARN + name,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    put = runtime.api.put_resource_policy(ResourceArn=ARN + name, Policy=document)
    assert json.loads(put["Policy"]) == json.loads(document)
    assert runtime.api.get_policy(FunctionName=name)["RevisionId"] == put["RevisionId"]
    with pytest.raises(ClientError) as error:
        runtime.api.delete_resource_policy(ResourceArn=ARN + name, RevisionId="00000000-0000-0000-0000-000000000000")
    assert refused(error) == ("PreconditionFailedException", 412)
    runtime.api.delete_resource_policy(ResourceArn=ARN + name, RevisionId=put["RevisionId"])
    with pytest.raises(ClientError) as error:
        runtime.api.get_resource_policy(ResourceArn=ARN + name)
    assert refused(error) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("document", ["nonsense", "{}", '{"Version": "2012-10-17", "Statement": [{"Effect": "Yes"}]}'])
def test_what_is_no_policy_is_not_put(runtime: Target, document: str) -> None:
    with pytest.raises(ClientError) as error:
        runtime.api.put_resource_policy(ResourceArn=ARN + runtime.new_function(), Policy=document)
    assert refused(error) == ("InvalidParameterValueException", 400)


def test_a_deleted_function_leaves_no_policy_to_the_next_of_its_name(target: Target) -> None:
    name = target.new_function()
    target.api.add_permission(FunctionName=name, **BUCKET)
    target.api.delete_function(FunctionName=name)
    target.new_function(FunctionName=name)
    with pytest.raises(ClientError) as error:
        target.api.get_policy(FunctionName=name)
    assert refused(error) == ("ResourceNotFoundException", 404)

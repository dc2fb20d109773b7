"""Statements of resource-based policies, as Lambda writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.api.errors import ApiError
from runtime.control import statements

ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"
ASKED = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}


@pytest.mark.parametrize(
    ("more", "principal", "condition"),
    [
        ({}, {"Service": "s3.amazonaws.com"}, None),
        (
            {"SourceArn": "arn:aws:s3:::photos"},
            {"Service": "s3.amazonaws.com"},
            {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"}},
        ),
        (
            {"SourceArn": "arn:aws:s3:::photos", "SourceAccount": "111122223333"},
            {"Service": "s3.amazonaws.com"},
            {
                "StringEquals": {"AWS:SourceAccount": "111122223333"},
                "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"},
            },
        ),
        ({"Principal": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:root"}, None),
        ({"Principal": "arn:aws:iam::111122223333:role/r"}, {"AWS": "arn:aws:iam::111122223333:role/r"}, None),
        (
            {"Principal": "*", "PrincipalOrgID": "o-a1b2c3d4e5"},
            "*",
            {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        ),
        (
            {"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "amzn1.ask"},
            {"Service": "alexa-appkit.amazon.com"},
            {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask"}},
        ),
        (
            {"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
            "*",
            {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        ),
        (
            {"Principal": "*", "InvokedViaFunctionUrl": True},
            "*",
            {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
    ],
)
def test_a_permission_is_written_as_lambda_writes_it(more: dict[str, Any], principal: Any, condition: Any) -> None:
    asked = {**ASKED, **more}
    written = statements.of_function(asked, ARN)
    expected = {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": principal,
        "Action": asked["Action"],
        "Resource": ARN,
    }
    assert written == (expected if condition is None else {**expected, "Condition": condition})
    assert list(written)[:5] == ["Sid", "Effect", "Principal", "Action", "Resource"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Principal": "somebody"}, "The provided principal was invalid"),
        ({"Principal": "arn:aws:s3:::photos"}, "The provided principal was invalid"),
        ({"FunctionUrlAuthType": "NONE"}, "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl"),
        (
            {"Action": "lambda:InvokeFunctionUrl", "InvokedViaFunctionUrl": True},
            "InvokedViaFunctionUrl is only supported for lambda:InvokeFunction",
        ),
    ],
)
def test_a_permission_that_means_nothing_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ApiError, match=words) as error:
        statements.of_function({**ASKED, **more}, ARN)
    assert error.value.code == "InvalidParameterValueException"


def test_a_layer_is_given_to_an_account_to_everyone_or_to_an_organisation() -> None:
    asked = {"StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "111122223333"}
    assert statements.of_layer(asked, "arn:l:1")["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    everyone = {**asked, "Principal": "*", "OrganizationId": "o-a1b2c3d4e5"}
    assert statements.of_layer(everyone, "arn:l:1")["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}
    }
    with pytest.raises(ApiError, match="OrganizationId"):
        statements.of_layer({**asked, "OrganizationId": "o-a1b2c3d4e5"}, "arn:l:1")


def test_a_statement_id_is_used_once() -> None:
    first = statements.of_function(ASKED, ARN)
    with pytest.raises(ApiError, match="statement id") as error:
        statements.added((first,), first)
    assert error.value.code == "ResourceConflictException"


def test_a_policy_ends_at_20_kb() -> None:
    policy = tuple(statements.of_function({**ASKED, "StatementId": f"s{number}"}, ARN) for number in range(108))
    room = statements.MAX_POLICY_BYTES - len(statements.document(policy))
    short = len(statements.compact(statements.of_function({**ASKED, "StatementId": ""}, ARN))) + len(",")
    fits = statements.of_function({**ASKED, "StatementId": "x" * (room - short)}, ARN)
    assert len(statements.document(statements.added(policy, fits))) == 20_480
    with pytest.raises(ApiError) as error:
        statements.added(policy, {**fits, "Sid": fits["Sid"] + "x"})
    assert error.value.code == "PolicyLengthExceededException"


def test_a_statement_is_taken_out_by_its_id() -> None:
    first = statements.of_function(ASKED, ARN)
    second = statements.of_function({**ASKED, "StatementId": "t"}, ARN)
    assert statements.without((first, second), "s") == (second,)
    with pytest.raises(ApiError) as error:
        statements.without((first,), "t")
    assert error.value.code == "ResourceNotFoundException"


def test_a_document_names_itself() -> None:
    first = statements.of_function(ASKED, ARN)
    assert json.loads(statements.document((first,))) == {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [first],
    }
    assert "Id" not in json.loads(statements.document((first,), ""))

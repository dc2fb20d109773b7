"""The example policies of AWS's own documentation say here what the documentation says they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from runtime.policy.callers import Account, Anonymous, Caller, Role, Service, User
from runtime.policy.documents import Policy, read_policy
from runtime.policy.evaluate import Policies, Question, decide
from runtime.policy.patterns import Context

HOME, OTHER = "111122223333", "444455556666"
SHIRLEY = User(f"arn:aws:iam::{HOME}:user/ShirleyRodriguez")
CARLOS = User(f"arn:aws:iam::{HOME}:user/carlos")
AUDITOR = Role(f"arn:aws:iam::{OTHER}:role/cross-account-read-only-role", "cross-account-audit-app")
FUNCTION = f"arn:aws:lambda:us-east-1:{HOME}:function"


def policy(*statements: Mapping[str, Any]) -> Policy:
    return read_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def allowed(caller: Caller, action: str, resource: str, context: Context | None = None, /, **kinds: Any) -> bool:
    identity = kinds.pop("identity", None)
    own = (identity,) if identity is not None else ()
    return decide(Question(caller, action, resource, HOME, context or {}), Policies(own, **kinds)).allowed


BUT_IAM = policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
"""IAM user guide, "NotAction with Allow"."""
NEEDS_MFA = policy(
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {
        "Sid": "DenyAllUsersNotUsingMFA", "Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    },
)  # fmt: skip
"""IAM user guide, "NotAction with Deny"."""
TWO_REGIONS = policy(
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {
        "Sid": "DenyAllOutsideRequestedRegions", "Effect": "Deny",
        "NotAction": ["cloudfront:*", "iam:*", "route53:*", "support:*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
    },
)  # fmt: skip
"""IAM user guide, "Denies access to AWS based on the requested Region"."""
HOME_DIRECTORY = policy(
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket",
     "Condition": {"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}},
    {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::bucket/home/${aws:username}",
                                                       "arn:aws:s3:::bucket/home/${aws:username}/*"]},
)  # fmt: skip
"""IAM user guide, "Amazon S3: Allows IAM users access to their S3 home directory"."""
JULY = policy(
    {
        "Effect": "Allow", "Action": "service-prefix:action-name", "Resource": "*",
        "Condition": {
            "DateGreaterThan": {"aws:CurrentTime": "2020-07-01T00:00:00Z"},
            "DateLessThan": {"aws:CurrentTime": "2020-07-31T23:59:59Z"},
        },
    }
)  # fmt: skip
"""IAM user guide, "Allows access based on date and time"."""
TWO_NETWORKS = policy(
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {
            "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
            "Bool": {"aws:ViaAWSService": "false"},
        },
    },
)  # fmt: skip
"""IAM user guide, "Denies access to AWS based on the source IP"."""
READER = policy(
    {"Effect": "Allow", "Action": ["lambda:GetFunction", "lambda:InvokeFunction"], "Resource": f"{FUNCTION}:test-*"},
)
"""Lambda guide, "Identity-based policies": functions whose names begin with test-."""
EVENTS = policy(
    {
        "Effect": "Allow", "Action": ["lambda:CreateEventSourceMapping"], "Resource": "*",
        "Condition": {"ArnLike": {"lambda:FunctionArn": f"{FUNCTION}:test-*"}},
    }
)  # fmt: skip
"""Lambda guide, "Fine-tuning the Resources and Conditions sections of policies"."""


@pytest.mark.parametrize(
    ("identity", "action", "resource", "context", "expected"),
    [
        (BUT_IAM, "s3:GetObject", "*", {}, True),
        (BUT_IAM, "iam:CreateUser", "*", {}, False),
        (NEEDS_MFA, "s3:GetObject", "*", {"aws:multifactorauthpresent": "true"}, True),
        (NEEDS_MFA, "s3:GetObject", "*", {"aws:multifactorauthpresent": "false"}, False),
        (NEEDS_MFA, "s3:GetObject", "*", {}, False),
        (NEEDS_MFA, "iam:ChangePassword", "*", {"aws:multifactorauthpresent": "false"}, True),
        (TWO_REGIONS, "lambda:GetFunction", "*", {"aws:requestedregion": "eu-west-1"}, True),
        (TWO_REGIONS, "lambda:GetFunction", "*", {"aws:requestedregion": "us-east-1"}, False),
        (TWO_REGIONS, "iam:GetRole", "*", {"aws:requestedregion": "us-east-1"}, True),
        (HOME_DIRECTORY, "s3:GetObject", "arn:aws:s3:::bucket/home/carlos/a", {"aws:username": "carlos"}, True),
        (HOME_DIRECTORY, "s3:GetObject", "arn:aws:s3:::bucket/home/shirley/a", {"aws:username": "carlos"}, False),
        (HOME_DIRECTORY, "s3:GetObject", "arn:aws:s3:::bucket/home/x/a", {}, False),
        (HOME_DIRECTORY, "s3:ListBucket", "arn:aws:s3:::bucket", {"s3:prefix": "home/"}, True),
        (
            HOME_DIRECTORY,
            "s3:ListBucket",
            "arn:aws:s3:::bucket",
            {"s3:prefix": "home/carlos/in", "aws:username": "carlos"},
            True,
        ),
        (
            HOME_DIRECTORY,
            "s3:ListBucket",
            "arn:aws:s3:::bucket",
            {"s3:prefix": "home/shirley/", "aws:username": "carlos"},
            False,
        ),
        (JULY, "service-prefix:action-name", "*", {"aws:currenttime": "2020-07-15T12:00:00Z"}, True),
        (JULY, "service-prefix:action-name", "*", {"aws:currenttime": "2020-08-01T00:00:00Z"}, False),
        (TWO_NETWORKS, "s3:GetObject", "*", {"aws:sourceip": "203.0.113.9", "aws:viaawsservice": "false"}, True),
        (TWO_NETWORKS, "s3:GetObject", "*", {"aws:sourceip": "198.51.100.9", "aws:viaawsservice": "false"}, False),
        (TWO_NETWORKS, "s3:GetObject", "*", {"aws:sourceip": "198.51.100.9", "aws:viaawsservice": "true"}, True),
        (READER, "lambda:InvokeFunction", f"{FUNCTION}:test-orders", {}, True),
        (READER, "lambda:InvokeFunction", f"{FUNCTION}:test-orders:live", {}, True),
        (READER, "lambda:InvokeFunction", f"{FUNCTION}:orders", {}, False),
        (EVENTS, "lambda:CreateEventSourceMapping", "*", {"lambda:functionarn": f"{FUNCTION}:test-a"}, True),
        (EVENTS, "lambda:CreateEventSourceMapping", "*", {"lambda:functionarn": f"{FUNCTION}:a"}, False),
    ],
)
def test_identity_policies(identity: Policy, action: str, resource: str, context: Context, expected: bool) -> None:
    assert allowed(CARLOS, action, resource, context, identity=identity) is expected


BOUNDARY = policy({"Effect": "Allow", "Action": ["s3:*", "cloudwatch:*", "ec2:*"], "Resource": "*"})


@pytest.mark.parametrize(
    ("action", "own", "expected"),
    [
        ("iam:CreateUser", "iam:CreateUser", False),
        ("s3:GetObject", "iam:CreateUser", False),
        ("s3:GetObject", "s3:*", True),
    ],
)
def test_a_boundary_permits_nothing_and_limits_everything(action: str, own: str, expected: bool) -> None:
    """IAM user guide, "Permissions boundaries": Shirley may do what both her policy and her boundary allow."""
    identity = policy({"Effect": "Allow", "Action": own, "Resource": "*"})

    assert allowed(SHIRLEY, action, "*", identity=identity, boundary=BOUNDARY) is expected


S3_NOTIFICATION = {
    "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
    "Resource": f"{FUNCTION}:my-function",
    "Condition": {
        "StringEquals": {"AWS:SourceAccount": HOME},
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::amzn-s3-demo-bucket"},
    },
}  # fmt: skip
"""Lambda guide, "Granting Lambda function access to AWS services"."""
CROSS_ACCOUNT = {
    "Sid": "xaccount", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
    "Action": "lambda:InvokeFunction", "Resource": f"{FUNCTION}:my-function:prod",
}  # fmt: skip
"""Lambda guide, "Granting Lambda function access to other accounts"."""
ORGANIZATION = {
    "Sid": "PrincipalOrgIDExample", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction",
    "Resource": f"{FUNCTION}:my-function", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5f"}},
}  # fmt: skip
"""Lambda guide, "Granting Lambda function access to an organization"."""
PUBLIC_URL = {
    "Sid": "FunctionURLAllowPublicAccess", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl",
    "Resource": f"{FUNCTION}:my-function", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
}  # fmt: skip
"""Lambda guide, "Control access to Lambda function URLs"."""
ALL_BUT_ONE = {
    "Effect": "Deny", "Action": "lambda:*", "Resource": f"{FUNCTION}:my-function",
    "NotPrincipal": {
        "AWS": [
            f"arn:aws:sts::{OTHER}:assumed-role/cross-account-read-only-role/cross-account-audit-app",
            f"arn:aws:iam::{OTHER}:role/cross-account-read-only-role",
            f"arn:aws:iam::{OTHER}:root",
        ]
    },
}  # fmt: skip
"""IAM user guide, "NotPrincipal": a role's session with its role and its account."""
INVOKE, MINE = "lambda:InvokeFunction", f"{FUNCTION}:my-function"
BUCKET = {"aws:sourceaccount": HOME, "aws:sourcearn": "arn:aws:s3:::amzn-s3-demo-bucket"}
S3 = Service("s3.amazonaws.com")


@pytest.mark.parametrize(
    ("statement", "caller", "action", "resource", "context", "expected"),
    [
        (S3_NOTIFICATION, S3, INVOKE, MINE, BUCKET, True),
        (S3_NOTIFICATION, S3, INVOKE, MINE, {**BUCKET, "aws:sourceaccount": OTHER}, False),
        (S3_NOTIFICATION, Service("sns.amazonaws.com"), INVOKE, MINE, BUCKET, False),
        (CROSS_ACCOUNT, Account(OTHER), INVOKE, f"{MINE}:prod", {}, True),
        (CROSS_ACCOUNT, Account(OTHER), INVOKE, MINE, {}, False),
        (CROSS_ACCOUNT, Account("777788889999"), INVOKE, f"{MINE}:prod", {}, False),
        (ORGANIZATION, Account(OTHER), INVOKE, MINE, {"aws:principalorgid": "o-a1b2c3d4e5f"}, True),
        (ORGANIZATION, Account(OTHER), INVOKE, MINE, {"aws:principalorgid": "o-other"}, False),
        (ORGANIZATION, Account(OTHER), INVOKE, MINE, {}, False),
        (PUBLIC_URL, Anonymous(), "lambda:InvokeFunctionUrl", MINE, {"lambda:functionurlauthtype": "NONE"}, True),
        (PUBLIC_URL, Anonymous(), "lambda:InvokeFunctionUrl", MINE, {"lambda:functionurlauthtype": "AWS_IAM"}, False),
        (PUBLIC_URL, Anonymous(), INVOKE, MINE, {"lambda:functionurlauthtype": "NONE"}, False),
    ],
)
def test_resource_policies(
    statement: Mapping[str, Any], caller: Caller, action: str, resource: str, context: Context, expected: bool
) -> None:
    assert allowed(caller, action, resource, context, resource=policy(statement)) is expected


def test_not_principal_with_deny() -> None:
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "lambda:*", "Resource": MINE}
    own = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    guarded = policy(everybody, ALL_BUT_ONE)

    assert allowed(AUDITOR, INVOKE, MINE, identity=own, resource=guarded)
    other = Role(AUDITOR.arn, "another-session")
    assert not allowed(other, INVOKE, MINE, identity=own, resource=guarded)
    assert not allowed(CARLOS, INVOKE, MINE, identity=own, resource=guarded)

"""What policies come to, case by case, after the IAM user guide's evaluation logic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from runtime.policy.callers import Account, Anonymous, Caller, Role, Root, Service, User
from runtime.policy.documents import Policy, read_policy
from runtime.policy.evaluate import Decision, Policies, Question, decide

HOME, OTHER = "111122223333", "444455556666"
FUNCTION = f"arn:aws:lambda:us-east-1:{HOME}:function:orders"
ROLE = Role(f"arn:aws:iam::{HOME}:role/team/worker", "session")
STRANGER = Role(f"arn:aws:iam::{OTHER}:role/worker", "session")
USER = User(f"arn:aws:iam::{HOME}:user/Bob")
BUCKET = Service("s3.amazonaws.com", "arn:aws:s3:::uploads", HOME)
INVOKE = "lambda:InvokeFunction"
EVERYONE: tuple[Caller, ...] = (Root(), ROLE, STRANGER, USER, BUCKET, Account(OTHER), Anonymous())


def policy(*statements: Mapping[str, Any], version: str = "2012-10-17") -> Policy:
    return read_policy(json.dumps({"Version": version, "Statement": list(statements)}))


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": INVOKE, "Resource": "*", **more}


def deny(**more: Any) -> dict[str, Any]:
    return {**allow(**more), "Effect": "Deny"}


def asked(caller: Caller, context: Mapping[str, Any] | None = None, /, **policies: Any) -> Decision:
    """`identity` is one policy; the rest as `Policies`. Nothing given: a caller with no policy at all."""
    identity = policies.pop("identity", policy())
    question = Question(caller, INVOKE, FUNCTION, HOME, context or {})
    return decide(question, Policies(identity=None if identity is None else (identity,), **policies))


@pytest.mark.parametrize("caller", EVERYONE)
def test_nobody_but_root_may_do_anything_without_a_policy(caller: Caller) -> None:
    assert asked(caller).allowed is isinstance(caller, Root)


@pytest.mark.parametrize("caller", EVERYONE)
@pytest.mark.parametrize("kind", ["identity", "boundary", "session", "resource"])
def test_an_explicit_deny_wins_over_every_allow(caller: Caller, kind: str) -> None:
    open_to_all = policy(allow(Principal="*"))
    closed = policy(allow(Principal="*"), deny(Principal="*", Sid="No"))
    kinds: dict[str, Any] = dict.fromkeys(("identity", "boundary", "session", "resource"), open_to_all) | {kind: closed}

    decision = asked(caller, **kinds)

    assert not decision.allowed
    assert "statement No" in decision.reason
    assert decision.message.endswith(
        {
            "identity": "with an explicit deny in an identity-based policy",
            "boundary": "with an explicit deny in a permissions boundary",
            "session": "with an explicit deny in a session policy",
            "resource": "with an explicit deny in a resource-based policy",
        }[kind]
    )
    assert asked(caller, **{**kinds, kind: open_to_all}).allowed


@pytest.mark.parametrize(
    ("caller", "identity", "resource", "allowed"),
    [
        # same account: one of the two is enough
        (ROLE, policy(allow()), None, True),
        (ROLE, policy(), policy(allow(Principal={"AWS": ROLE.arn})), True),
        (ROLE, policy(), policy(allow(Principal={"AWS": ROLE.session_arn})), True),
        (ROLE, policy(), policy(allow(Principal={"AWS": "*"})), True),
        (USER, policy(), policy(allow(Principal={"AWS": [USER.arn]})), True),
        (ROLE, policy(), policy(allow(Principal={"AWS": USER.arn})), False),
        # naming the account only lets the account decide
        (ROLE, policy(), policy(allow(Principal={"AWS": HOME})), False),
        (ROLE, policy(), policy(allow(Principal={"AWS": f"arn:aws:iam::{HOME}:root"})), False),
        (ROLE, policy(allow()), policy(allow(Principal={"AWS": HOME})), True),
        # across accounts: both are needed
        (STRANGER, policy(allow()), None, False),
        (STRANGER, policy(), policy(allow(Principal={"AWS": STRANGER.arn})), False),
        (STRANGER, policy(allow()), policy(allow(Principal={"AWS": STRANGER.arn})), True),
        (STRANGER, policy(allow()), policy(allow(Principal={"AWS": OTHER})), True),
        (STRANGER, policy(allow()), policy(allow(Principal={"AWS": HOME})), False),
        (Account(OTHER), policy(), policy(allow(Principal={"AWS": OTHER})), True),
        (Account(OTHER), policy(), policy(allow(Principal={"AWS": f"arn:aws:iam::{OTHER}:root"})), True),
        (Account(OTHER), policy(), policy(allow(Principal={"AWS": HOME})), False),
        (Account(HOME), policy(), None, True),
        # services and strangers: the resource's policy alone
        (BUCKET, policy(), policy(allow(Principal={"Service": "s3.amazonaws.com"})), True),
        (BUCKET, policy(), policy(allow(Principal={"Service": "sns.amazonaws.com"})), False),
        (BUCKET, policy(allow()), None, False),
        (BUCKET, policy(), policy(allow(Principal={"AWS": HOME})), False),
        (Anonymous(), policy(), policy(allow(Principal="*")), True),
        (Anonymous(), policy(), policy(allow(Principal={"AWS": HOME})), False),
    ],
)
def test_who_needs_which_policy(caller: Caller, identity: Policy, resource: Policy | None, allowed: bool) -> None:
    assert asked(caller, identity=identity, resource=resource).allowed is allowed


def test_a_caller_whose_policies_are_unknown_is_not_restricted_by_them() -> None:
    assert asked(ROLE, identity=None).allowed
    assert not asked(STRANGER, identity=None).allowed
    assert asked(STRANGER, identity=None, resource=policy(allow(Principal={"AWS": OTHER}))).allowed


@pytest.mark.parametrize("kind", ["boundary", "session"])
@pytest.mark.parametrize(
    ("caller", "principal", "allowed"),
    [(ROLE, ROLE.arn, False), (ROLE, ROLE.session_arn, True), (USER, USER.arn, True), (ROLE, "*", False)],
)
def test_a_limit_binds_roles_named_by_a_resource_but_not_users_and_sessions(
    kind: str, caller: Caller, principal: str, allowed: bool
) -> None:
    limit: dict[str, Any] = {kind: policy(allow(Action="s3:GetObject"))}

    assert not asked(caller, identity=policy(allow()), **limit).allowed
    assert asked(caller, resource=policy(allow(Principal={"AWS": principal})), **limit).allowed is allowed


@pytest.mark.parametrize(
    ("excepted", "denied"),
    [
        ([ROLE.arn, ROLE.session_arn, HOME], False),
        ([ROLE.arn, ROLE.session_arn], True),
        ([ROLE.session_arn, HOME], True),
        ([USER.arn, HOME], True),
    ],
)
def test_not_principal_excepts_those_named_with_all_they_belong_to(excepted: list[str], denied: bool) -> None:
    statement = deny(NotPrincipal={"AWS": excepted})

    assert asked(ROLE, identity=policy(allow()), resource=policy(statement)).allowed is not denied


@pytest.mark.parametrize(
    ("statement", "fits"),
    [
        ({"Action": "lambda:*"}, True),
        ({"Action": "LAMBDA:invokefunction"}, True),
        ({"Action": "lambda:Invoke?unction"}, True),
        ({"Action": ["s3:GetObject", "*"]}, True),
        ({"Action": "lambda:Invoke"}, False),
        ({"Action": []}, False),
        ({"Resource": FUNCTION}, True),
        ({"Resource": f"{FUNCTION}:*"}, False),
        ({"Resource": f"{FUNCTION}*"}, True),
        ({"Resource": "arn:aws:lambda:*:*:function:order?"}, True),
        ({"Resource": FUNCTION.upper()}, False),
        ({"Resource": [f"{FUNCTION}:live", FUNCTION]}, True),
    ],
)
def test_actions_and_resources_with_wildcards(statement: dict[str, Any], fits: bool) -> None:
    assert asked(ROLE, identity=policy(allow(**statement))).allowed is fits


def test_not_action_and_not_resource_are_everything_else() -> None:
    but_s3 = {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}
    but_lambda = {"Effect": "Allow", "NotAction": ["s3:*", "lambda:*"], "Resource": "*"}
    but_this = {"Effect": "Allow", "Action": "*", "NotResource": f"{FUNCTION}*"}
    but_others = {"Effect": "Allow", "Action": "*", "NotResource": f"{FUNCTION}:*"}

    assert [asked(ROLE, identity=policy(each)).allowed for each in (but_s3, but_lambda, but_this, but_others)] == [
        True,
        False,
        False,
        True,
    ]


def test_every_condition_of_a_statement_must_hold() -> None:
    condition = {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::up*"}, "StringEquals": {"AWS:SourceAccount": HOME}}
    resource = policy(allow(Principal={"Service": "s3.amazonaws.com"}, Condition=condition))

    def answered(**context: str) -> bool:
        return asked(BUCKET, {f"aws:{name}": value for name, value in context.items()}, resource=resource).allowed

    assert answered(sourcearn="arn:aws:s3:::uploads", sourceaccount=HOME)
    assert not answered(sourcearn="arn:aws:s3:::uploads", sourceaccount=OTHER)
    assert not answered(sourcearn="arn:aws:s3:::downloads", sourceaccount=HOME)
    assert not answered(sourceaccount=HOME)


def test_an_unknown_resource_is_covered_by_every_allow_and_by_a_deny_of_everything_only() -> None:
    def answered(*statements: Mapping[str, Any]) -> bool:
        question = Question(ROLE, INVOKE, None, HOME)
        return decide(question, Policies(identity=(policy(*statements),))).allowed

    assert answered(allow(Resource=FUNCTION))
    assert answered(allow(), deny(Resource=FUNCTION))
    assert not answered(allow(), deny())
    assert not answered(allow(Action="s3:*"))


@pytest.mark.parametrize(
    ("caller", "message"),
    [
        (
            ROLE,
            (
                f"User: arn:aws:sts::{HOME}:assumed-role/worker/session is not authorized to perform: "
                f"lambda:InvokeFunction on resource: {FUNCTION} because no identity-based policy allows the "
                "lambda:InvokeFunction action"
            ),
        ),
        (
            Account(OTHER),
            (
                f"User: arn:aws:iam::{OTHER}:root is not authorized to perform: lambda:InvokeFunction on resource: "
                f"{FUNCTION} because no resource-based policy allows the lambda:InvokeFunction action"
            ),
        ),
    ],
)
def test_a_refusal_is_worded_as_aws_words_it(caller: Caller, message: str) -> None:
    assert asked(caller).message == message

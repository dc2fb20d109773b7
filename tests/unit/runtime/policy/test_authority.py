"""Decisions on the policies that the catalog keeps: per ARN, and as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.clock import VirtualClock
from runtime.catalog.documents import LayerPolicy, Policy
from runtime.catalog.store import Catalog
from runtime.names import Scope
from runtime.policy.authority import Authority, Identity
from runtime.policy.callers import Account, Role, Root, Service, User
from runtime.policy.documents import policy_of
from runtime.policy.mistakes import BadPolicy

HOME, OTHER = "123456789012", "999999999999"
FUNCTION = f"arn:aws:lambda:us-east-1:{HOME}:function:orders"
LAYER = f"arn:aws:lambda:us-east-1:{HOME}:layer:tools"
ROLE = Role(f"arn:aws:iam::{HOME}:role/worker", "s")
INVOKE = "lambda:InvokeFunction"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Known:
    """Identities that are what they are told to be."""

    def __init__(self) -> None:
        self.identity: Identity | BadPolicy = Identity()

    def of(self, caller: Role | User) -> Identity:
        if isinstance(self.identity, BadPolicy):
            raise self.identity
        return self.identity


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = Catalog(tmp_path / "catalog.db")
    yield made
    made.close()


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def authority(catalog: Catalog, known: Known) -> Authority:
    return Authority(catalog, Scope(HOME, "us-east-1"), VirtualClock(NOW), known)


def statement(arn: str, principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "lambda:*", "Resource": arn, **more}


def test_a_policy_covers_its_own_qualifier_and_may_change(catalog: Catalog, authority: Authority) -> None:
    stranger = Account(OTHER)
    catalog.put(Policy("orders", "live", (statement(f"{FUNCTION}:live", {"AWS": OTHER}),), "1"))

    assert authority.authorise(stranger, INVOKE, f"{FUNCTION}:live").allowed
    assert not authority.authorise(stranger, INVOKE, FUNCTION).allowed
    assert not authority.authorise(stranger, INVOKE, f"{FUNCTION}:2").allowed

    catalog.put(Policy("orders", "live", (statement(f"{FUNCTION}:live", {"AWS": HOME}),), "2"))
    assert not authority.authorise(stranger, INVOKE, f"{FUNCTION}:live").allowed
    catalog.remove(Policy, "orders", "live")
    assert not authority.authorise(stranger, INVOKE, f"{FUNCTION}:live").allowed


def test_a_layer_version_has_a_policy_of_its_own(catalog: Catalog, authority: Authority) -> None:
    catalog.put(LayerPolicy("tools", 2, (statement(f"{LAYER}:2", "*"),), "1"))

    assert authority.authorise(Account(OTHER), "lambda:GetLayerVersion", f"{LAYER}:2").allowed
    assert not authority.authorise(Account(OTHER), "lambda:GetLayerVersion", f"{LAYER}:1").allowed


def test_root_is_free_until_a_policy_denies_something(catalog: Catalog, authority: Authority) -> None:
    assert authority.root_is_free
    catalog.put(Policy("orders", "", (statement(FUNCTION, "*", Effect="Deny"),), "1"))

    assert not authority.root_is_free
    assert not authority.authorise(Root(), INVOKE, FUNCTION).allowed
    assert authority.authorise(Root(), INVOKE, f"{FUNCTION}:live").allowed


@pytest.mark.parametrize(
    ("source", "account", "allowed"),
    [
        ("arn:aws:s3:::uploads", HOME, True),
        ("arn:aws:s3:::uploads", OTHER, False),
        ("arn:aws:s3:::uploads", "", False),
        ("arn:aws:s3:::other", HOME, False),
    ],
)
def test_a_service_speaks_for_its_source(
    catalog: Catalog, authority: Authority, source: str, account: str, allowed: bool
) -> None:
    condition = {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::up*"}, "StringEquals": {"AWS:SourceAccount": HOME}}
    one = statement(FUNCTION, {"Service": "s3.amazonaws.com"}, Condition=condition)
    catalog.put(Policy("orders", "", (one,), "1"))

    assert authority.authorise(Service("s3.amazonaws.com", source, account), INVOKE, FUNCTION).allowed is allowed


def test_a_source_that_names_its_account_need_not_say_it_twice(catalog: Catalog, authority: Authority) -> None:
    condition = {"StringEquals": {"AWS:SourceAccount": HOME}}
    one = statement(FUNCTION, {"Service": "sns.amazonaws.com"}, Condition=condition)
    catalog.put(Policy("orders", "", (one,), "1"))

    assert authority.authorise(
        Service("sns.amazonaws.com", f"arn:aws:sns:us-east-1:{HOME}:t"), INVOKE, FUNCTION
    ).allowed


def test_what_is_known_of_a_role_restricts_it(authority: Authority, known: Known) -> None:
    assert authority.authorise(ROLE, INVOKE, FUNCTION).allowed
    assert not authority.restricts(ROLE)

    known.identity = Identity((policy_of([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]),))
    assert authority.restricts(ROLE)
    assert not authority.authorise(ROLE, INVOKE, FUNCTION).allowed
    assert authority.elsewhere(ROLE, "s3:GetObject", "arn:aws:s3:::a/b").allowed


def test_a_policy_that_cannot_be_read_allows_nothing(authority: Authority, known: Known) -> None:
    known.identity = BadPolicy("not JSON")

    decision = authority.authorise(ROLE, INVOKE, FUNCTION)

    assert not decision.allowed
    assert "cannot be read: not JSON" in decision.reason


def test_conditions_see_the_moment_the_place_and_the_caller(authority: Authority, known: Known) -> None:
    condition = {
        "DateGreaterThan": {"aws:CurrentTime": "2026-11-23T11:59:59Z"},
        "StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:PrincipalAccount": HOME},
        "ArnEquals": {"aws:PrincipalArn": ROLE.arn},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    one = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    known.identity = Identity((policy_of([one]),))

    assert authority.authorise(ROLE, INVOKE, FUNCTION).allowed
    other = Role(f"arn:aws:iam::{HOME}:role/other", "s")
    assert not authority.authorise(other, INVOKE, FUNCTION).allowed

"""The credentials of environments: one set per version and role, and always known whose."""

from __future__ import annotations

from runtime.policy.callers import Role
from runtime.policy.sessions import Sessions
from tests.unit.runtime.records import ROLE, version

ORDERS = "arn:aws:lambda:us-east-1:123456789012:function:orders"


def test_a_version_keeps_its_credentials_and_others_have_others() -> None:
    sessions = Sessions()
    first = sessions.credentials_for(version("1"))

    assert sessions.credentials_for(version("1")) == first
    others = [version("2"), version("1", name="bills"), version("1", Role=f"{ROLE}2")]
    assert len({first.access_key_id, *(sessions.credentials_for(each).access_key_id for each in others)}) == 4


def test_credentials_say_whose_they_are() -> None:
    sessions = Sessions()
    key = sessions.credentials_for(version("1")).access_key_id

    owner = sessions.owner(key)

    assert owner == Role(ROLE, "orders", "orders:1")
    assert owner is not None
    assert owner.session_arn == "arn:aws:sts::123456789012:assumed-role/r/orders"
    assert sessions.owner("testing") is None


def test_a_function_is_known_by_its_arn_once_it_runs() -> None:
    sessions = Sessions()
    assert sessions.of_function(f"{ORDERS}:1") is None
    sessions.credentials_for(version("1"))

    assert sessions.of_function(f"{ORDERS}:1") == Role(ROLE, "orders", "orders:1")
    assert sessions.of_function(f"{ORDERS}:2") is None

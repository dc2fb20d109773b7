"""How the account's concurrency is divided."""

from __future__ import annotations

import pytest

from runtime.api.errors import ApiError
from runtime.catalog.documents import ProvisionedConcurrency
from runtime.catalog.records import Alias
from runtime.control.concurrency_rules import Shares, check_provision, check_reserve, wanted_environments


def test_what_is_reserved_or_provisioned_is_not_shared() -> None:
    assert Shares(1000, {}, {}).unreserved == 1000
    assert Shares(1000, {"a": 300}, {"b": 50}).unreserved == 650
    assert Shares(1000, {"a": 300}, {"a": 50}).unreserved == 700, "provisioned is part of what the function reserved"


@pytest.mark.parametrize(("wanted", "fits"), [(900, True), (901, False), (0, True)])
def test_a_hundred_stay_unreserved(wanted: int, fits: bool) -> None:
    shares = Shares(1000, {}, {})
    if fits:
        check_reserve(shares, "a", wanted)
    else:
        with pytest.raises(ApiError, match=r"below its minimum value of \[100\]"):
            check_reserve(shares, "a", wanted)


def test_reserving_again_counts_from_what_was_reserved() -> None:
    shares = Shares(1000, {"a": 800}, {})
    check_reserve(shares, "a", 900)
    with pytest.raises(ApiError):
        check_reserve(shares, "b", 101)
    with pytest.raises(ApiError, match="less than the function's provisioned concurrency"):
        check_reserve(Shares(1000, {"a": 10}, {"a": 5}), "a", 4)


def test_reserving_less_is_always_possible_even_in_a_small_account() -> None:
    check_reserve(Shares(50, {"a": 20}, {}), "a", 10)
    check_reserve(Shares(50, {}, {}), "a", 0)


def test_provisioned_stays_within_what_is_reserved_or_leaves_a_hundred() -> None:
    check_provision(Shares(1000, {"a": 10}, {"a": 6}), "a", 8, 4)
    with pytest.raises(ApiError, match="greater than function's reserved concurrency"):
        check_provision(Shares(1000, {"a": 10}, {"a": 6}), "a", 9, 4)
    check_provision(Shares(1000, {}, {"a": 500}), "a", 900, 500)
    with pytest.raises(ApiError, match=r"below its minimum value of \[100\]"):
        check_provision(Shares(1000, {}, {"a": 500}), "a", 901, 500)


def test_environments_follow_the_alias_and_are_shared_by_weight_while_it_routes() -> None:
    asked = [ProvisionedConcurrency("f", "live", 10, ""), ProvisionedConcurrency("f", "3", 2, "")]
    plain = Alias("f", "live", "1", "", "r")
    assert wanted_environments(asked, {("f", "live"): plain}) == {("f", "1"): 10, ("f", "3"): 2}
    routed = Alias("f", "live", "1", "", "r", {"2": 0.25})
    assert wanted_environments(asked, {("f", "live"): routed}) == {("f", "1"): 7, ("f", "2"): 3, ("f", "3"): 2}
    moved = Alias("f", "live", "3", "", "r", {"2": 0.0})
    assert wanted_environments(asked, {("f", "live"): moved}) == {("f", "3"): 12}

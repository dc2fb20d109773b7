"""Concurrency as it is enforced: the account's, what functions reserved, what is provisioned, and the rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.api.errors import ApiError
from runtime.catalog.documents import ProvisionedConcurrency, ReservedConcurrency
from runtime.catalog.records import Alias
from runtime.catalog.store import Catalog
from runtime.invoke.slots import Slot, Slots


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """An empty one."""
    return Catalog(tmp_path / "c.db")


def take(slots: Slots, function: str, count: int = 1, *, version: str = "1") -> list[Slot]:
    """`count` slots, at a moment of no account."""
    return [slots.take(function, version, 0, paced=False) for _ in range(count)]


def reason(slots: Slots, function: str, *, version: str = "1", second: int = 0, paced: bool = False) -> str:
    """Why one more invocation is refused."""
    with pytest.raises(ApiError) as error:
        slots.take(function, version, second, paced=paced)
    assert error.value.code == "TooManyRequestsException"
    assert error.value.members["retryAfterSeconds"] == "1"
    return error.value.members["Reason"]


def test_all_functions_share_the_account_s_concurrency(catalog: Catalog) -> None:
    slots = Slots(catalog, 3)
    assert take(slots, "a", 2) + take(slots, "b") == [Slot.SHARED] * 3
    assert reason(slots, "c") == "ConcurrentInvocationLimitExceeded"
    assert (slots.total, slots.running("a"), slots.running("c")) == (3, 2, 0)
    slots.give_back("a", "1", Slot.SHARED)
    assert take(slots, "c") == [Slot.SHARED]


def test_what_a_function_reserved_is_its_own_and_its_limit(catalog: Catalog) -> None:
    catalog.put(ReservedConcurrency("a", 2))
    slots = Slots(catalog, 3)
    take(slots, "b")
    assert reason(slots, "b") == "ConcurrentInvocationLimitExceeded", "two of the three are a's"
    assert take(slots, "a", 2) == [Slot.RESERVED] * 2
    assert reason(slots, "a") == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_function_that_reserved_nothing_at_all_never_runs(catalog: Catalog) -> None:
    catalog.put(ReservedConcurrency("a", 0))
    assert reason(Slots(catalog, 3), "a", paced=True) == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_changed_reservation_counts_at_once_and_what_runs_goes_on(catalog: Catalog) -> None:
    slots = Slots(catalog, 10)
    take(slots, "a", 3)
    catalog.put(ReservedConcurrency("a", 2))
    assert reason(slots, "a") == "ReservedFunctionConcurrentInvocationLimitExceeded"
    for _ in range(3):
        slots.give_back("a", "1", Slot.SHARED)
    assert take(slots, "a") == [Slot.RESERVED]
    catalog.remove(ReservedConcurrency, "a")
    slots.give_back("a", "1", Slot.RESERVED)
    assert take(slots, "b", 10) == [Slot.SHARED] * 10


def test_provisioned_concurrency_is_used_first_and_spills_over_into_what_is_shared(catalog: Catalog) -> None:
    catalog.save_alias(Alias("a", "live", "1", "", "r"))
    catalog.put(ProvisionedConcurrency("a", "live", 2, "t"))
    slots = Slots(catalog, 3)
    assert take(slots, "a", version="2") == [Slot.SHARED], "another version has none"
    assert take(slots, "a", 2) == [Slot.PROVISIONED] * 2
    assert reason(slots, "a") == "ConcurrentInvocationLimitExceeded"
    slots.give_back("a", "1", Slot.PROVISIONED)
    assert take(slots, "a") == [Slot.PROVISIONED]


def test_ten_times_the_concurrency_may_begin_in_a_second(catalog: Catalog) -> None:
    catalog.put(ReservedConcurrency("a", 1))
    slots = Slots(catalog, 101)
    for _ in range(10):
        slots.give_back("a", "1", slots.take("a", "1", 7, paced=True))
    assert reason(slots, "a", second=7, paced=True) == "ReservedFunctionInvocationRateLimitExceeded"
    slots.give_back("a", "1", slots.take("a", "1", 7, paced=False))
    slots.give_back("a", "1", slots.take("a", "1", 8, paced=True))
    for _ in range(1010):
        slots.give_back("b", "1", slots.take("b", "1", 8, paced=True))
    assert reason(slots, "c", second=8, paced=True) == "FunctionInvocationRateLimitExceeded"

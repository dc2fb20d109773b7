"""How many invocations may run at once, and how many may begin in a second: of the account, and of each function.

Source: reference §9; "10 x concurrency per second" of §8 for synchronous invocations.
"""

from __future__ import annotations

from enum import Enum

from runtime.api.errors import ApiError
from runtime.catalog.store import Catalog
from runtime.control.concurrency import ready_ahead, shares

_PER_SECOND = 10


class Slot(Enum):
    """Out of what an invocation's concurrency is taken."""

    SHARED = "shared"
    """What no function has for itself."""
    RESERVED = "reserved"
    PROVISIONED = "provisioned"


class Slots:
    """`limit` is the account's concurrency."""

    def __init__(self, catalog: Catalog, limit: int) -> None:
        self._catalog = catalog
        self._limit = limit
        self.total = 0
        """Running now, of all functions."""
        self._running: dict[str, int] = {}
        self._shared = 0
        self._provisioned_running: dict[tuple[str, str], int] = {}
        self._second = 0
        self._begun: dict[str, int] = {}
        self._generation = -1
        self._reserved: dict[str, int] = {}
        self._provisioned: dict[tuple[str, str], int] = {}
        self._unreserved = limit

    def take(self, function: str, version: str, second: int, *, paced: bool) -> Slot:
        """The slot one more invocation of that version gets; `paced`: it also counts for the rate per second.

        Raises:
            ApiError: TooManyRequestsException; its Reason says which limit is reached.
        """
        if self._generation != self._catalog.generation:
            self._divide()
        reserved = self._reserved.get(function)
        running = self._running.get(function, 0)
        if reserved is not None:
            if running >= reserved:
                raise throttle("ReservedFunctionConcurrentInvocationLimitExceeded")
            slot = Slot.RESERVED
        elif self._has_provisioned(function, version):
            slot = Slot.PROVISIONED
        elif self._shared < self._unreserved:
            slot = Slot.SHARED
        else:
            raise throttle("ConcurrentInvocationLimitExceeded")
        if paced:
            self._pace(function, reserved, second)
        if slot is Slot.SHARED:
            self._shared += 1
        elif slot is Slot.PROVISIONED:
            busy = self._provisioned_running.get((function, version), 0)
            self._provisioned_running[function, version] = busy + 1
        self.total += 1
        self._running[function] = running + 1
        return slot

    def give_back(self, function: str, version: str, slot: Slot) -> None:
        """The invocation that got `slot` ended."""
        self.total -= 1
        left = self._running[function] - 1
        if left:
            self._running[function] = left
        else:
            del self._running[function]
        if slot is Slot.SHARED:
            self._shared -= 1
        elif slot is Slot.PROVISIONED:
            self._provisioned_running[function, version] -= 1

    def running(self, function: str) -> int:
        """How many invocations of the function run now."""
        return self._running.get(function, 0)

    @property
    def shared(self) -> int:
        """How many run on what no function has for itself."""
        return self._shared

    def ready(self, function: str, version: str) -> tuple[int, int]:
        """How many of the version's provisioned environments are at work, and how many there are."""
        if not self._provisioned:
            return 0, 0
        place = (function, version)
        return self._provisioned_running.get(place, 0), self._provisioned.get(place, 0)

    def _has_provisioned(self, function: str, version: str) -> bool:
        if not self._provisioned:
            return False
        place = (function, version)
        return self._provisioned_running.get(place, 0) < self._provisioned.get(place, 0)

    def _pace(self, function: str, reserved: int | None, second: int) -> None:
        if second != self._second:
            self._second = second
            self._begun.clear()
        place, limit = ("", self._limit) if reserved is None else (function, reserved)
        begun = self._begun.get(place, 0)
        if begun >= limit * _PER_SECOND:
            raise throttle(
                "FunctionInvocationRateLimitExceeded"
                if reserved is None
                else "ReservedFunctionInvocationRateLimitExceeded"
            )
        self._begun[place] = begun + 1

    def _divide(self) -> None:
        self._generation = self._catalog.generation
        now = shares(self._catalog, self._limit)
        self._reserved = dict(now.reserved)
        self._unreserved = now.unreserved
        self._provisioned = ready_ahead(self._catalog)


def throttle(reason: str) -> ApiError:
    """An invocation is refused for now. Source: reference §9, "Throttle"."""
    members = {"Reason": reason, "retryAfterSeconds": "1"}
    return ApiError("TooManyRequestsException", "Rate Exceeded.", members=members)

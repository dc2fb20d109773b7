"""Which environment runs an invocation, when there is a new one, and who has to go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from runtime.catalog.records import FunctionVersion
from runtime.environment.environment import Environment
from runtime.environment.fleet import Fleet
from runtime.environment.lifecycle import Phase
from runtime.invoke.invocation import Invocation
from runtime.invoke.results import Result
from tests.unit.runtime.records import version


class FakeEnvironment:
    """An environment whose phases tests declare."""

    def __init__(self, of: FunctionVersion, available: Callable[[Any], None], provisioned: bool) -> None:
        self.version = of
        self.available = available
        self.provisioned = provisioned
        self.phase = Phase.INIT
        self.idle_since = 0.0
        self.has_served = self.was_ready = self.has_extensions = False
        self.invocation: Invocation | None = None

    def start(self) -> None:
        assert self.phase is Phase.INIT

    def ready(self) -> None:
        self.phase, self.was_ready = Phase.IDLE, True
        self.available(self)

    def assign(self, invocation: Invocation) -> None:
        assert self.phase in {Phase.IDLE, Phase.RESET}
        self.phase, self.invocation = Phase.BUSY, invocation

    def finish(self) -> None:
        invocation, self.invocation = self.invocation, None
        assert invocation is not None
        self.phase, self.has_served = Phase.IDLE, True
        self.available(self)
        invocation.done(Result(b"{}"))

    def break_init(self) -> None:
        self.phase = Phase.RESET
        self.available(self)

    def retire(self) -> None:
        if self.phase is not Phase.BUSY:
            self.phase = Phase.RETIRED

    stop = retire


class Machine:
    """A fleet and what it made."""

    def __init__(self, limit: int = 4) -> None:
        self.made: list[FakeEnvironment] = []
        self.done: list[tuple[str, Result]] = []
        self.is_broken = False
        self.fleet = Fleet(self._make, limit, 300.0)

    def _make(self, of: FunctionVersion, available: Callable[[Environment], None], *, provisioned: bool) -> Environment:
        if self.is_broken:
            raise OSError("no room")
        made = FakeEnvironment(of, available, provisioned)
        self.made.append(made)
        return cast(Environment, made)

    def submit(self, name: str, of: FunctionVersion) -> None:
        self.fleet.submit(of, Invocation(name, "arn", b"{}", lambda result: self.done.append((name, result))))

    def on(self, name: str) -> FakeEnvironment | None:
        """Where that invocation runs."""
        return next((each for each in self.made if each.invocation and each.invocation.request_id == name), None)


def in_loop(test: Callable[[], None]) -> None:
    async def run() -> None:
        test()

    asyncio.run(run())


ONE, TWO = version(name="one", code="A"), version(name="two", code="B")


def test_the_environment_used_last_is_taken_first() -> None:
    def test() -> None:
        machine = Machine()
        for name in ("a", "b"):
            machine.submit(name, ONE)
        first, second = machine.made
        first.ready()
        second.ready()
        first.finish()
        second.finish()
        machine.submit("c", ONE)
        assert machine.on("c") is second
        assert len(machine.made) == 2

    in_loop(test)


def test_a_version_without_any_environment_gets_the_next_one_that_a_busy_version_frees() -> None:
    def test() -> None:
        machine = Machine(limit=1)
        for name in ("a", "b"):
            machine.submit(name, ONE)
        machine.submit("c", TWO)
        first = machine.made[0]
        first.ready()
        assert machine.on("a") is first
        first.finish()
        assert first.phase is Phase.RETIRED
        second = machine.made[1]
        assert second.version is TWO
        second.ready()
        assert machine.on("c") is second
        second.finish()
        machine.made[2].ready()
        assert machine.on("b") is machine.made[2]

    in_loop(test)


def test_provisioned_environments_come_first_and_what_is_above_them_is_on_demand() -> None:
    def test() -> None:
        machine = Machine()
        machine.fleet.provision(ONE, 2)
        assert [each.provisioned for each in machine.made] == [True, True]
        assert (machine.fleet.provisioned("one", "$LATEST").allocated, len(machine.made)) == (2, 2)
        machine.submit("a", ONE)
        assert machine.made[2].provisioned is False
        for each in machine.made:
            each.ready()
        assert machine.fleet.provisioned("one", "$LATEST").available == 2
        for name in ("b", "c", "d"):
            machine.submit(name, ONE)
        used = [machine.on(name) for name in ("a", "b", "c", "d")]
        assert [each.provisioned for each in used if each] == [True, True, False]
        assert used[3] is None

    in_loop(test)


def test_an_init_that_fails_is_told_and_not_tried_for_ever() -> None:
    def test() -> None:
        machine = Machine()
        machine.fleet.provision(ONE, 2)
        machine.made[0].break_init()
        machine.made[1].ready()
        told = machine.fleet.provisioned("one", "$LATEST")
        assert (told.allocated, told.available, told.failure) == (1, 1, "FUNCTION_ERROR_INIT_FAILURE")
        assert len(machine.made) == 2
        machine.fleet.provision(ONE, 2)
        assert machine.fleet.provisioned("one", "$LATEST").failure == ""
        assert len(machine.made) == 3

    in_loop(test)


def test_what_is_not_wanted_any_more_goes_idle_ones_first() -> None:
    def test() -> None:
        machine = Machine()
        machine.fleet.provision(ONE, 2)
        for each in machine.made:
            each.ready()
        machine.submit("a", ONE)
        busy = machine.on("a")
        machine.fleet.provision(ONE, 1)
        assert [each.phase for each in machine.made if each is not busy] == [Phase.RETIRED]
        machine.fleet.provision(ONE, 0)
        assert busy is not None
        assert busy.phase is Phase.BUSY
        assert machine.fleet.provisioned("one", "$LATEST").allocated == 0

    in_loop(test)


def test_when_no_environment_can_be_made_those_who_wait_are_told() -> None:
    def test() -> None:
        machine = Machine()
        machine.is_broken = True
        machine.submit("a", ONE)
        ((name, result),) = machine.done
        assert (name, result.error_type) == ("a", "Sandbox.Failure")
        machine.fleet.provision(ONE, 1)
        assert machine.fleet.provisioned("one", "$LATEST").failure == "no room"

    in_loop(test)

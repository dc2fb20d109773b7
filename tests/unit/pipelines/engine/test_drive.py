"""The loop that advances one execution: who is performed when, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.errors import LeaseLost
from pipelines.engine.drive import Drive, advance
from pipelines.engine.settle import Settled
from store.records import ActionRecord, ActionStatus
from tests.fakes.clocks import START


def attempt(name: str) -> ActionRecord:
    """A running attempt."""
    return ActionRecord(name, "e", "S1", name, 1, ActionStatus.IN_PROGRESS, START, START)


def settled(*names: str, begun: tuple[str, ...] = ()) -> Settled:
    """That these need performing."""
    execution: Any = None
    return Settled(execution, tuple(attempt(name) for name in names), frozenset(begun), None)


class Script:
    """What settling says, one after the other; nothing to do afterwards."""

    def __init__(self, *answers: Settled) -> None:
        self.answers = list(answers)
        self.parked = 0
        self.gone = ""
        self.performed: list[tuple[str, bool]] = []
        self.results: dict[str, Callable[[], Awaitable[Settled | None]]] = {}

    async def settle(self) -> Settled:
        """The next answer."""
        return self.answers.pop(0) if self.answers else settled()

    async def park(self) -> bool:
        """Nothing is left once the answers are used up."""
        self.parked += 1
        return not self.answers

    async def hand(self, _drive: Drive, record: ActionRecord, begun: bool) -> Settled | None:
        """Note who was performed, and do what `results` says."""
        self.performed.append((record.action, begun))
        result = self.results.get(record.action)
        return await result() if result else None

    def run(self, then: Callable[[Drive], Awaitable[None]] | None = None) -> None:
        """Advance until it ends, with `then` at the same time."""

        async def both() -> None:
            async def never(_record: ActionRecord, _begun: bool) -> Any:
                raise AssertionError("the hand performs")

            drive = Drive("e", "orders/1", self.settle, never, self.park, lambda: self.gone, lambda: START)
            other = asyncio.ensure_future(then(drive)) if then else None
            await asyncio.wait_for(advance(drive, self.hand), 5)
            if other is not None:
                await other

        asyncio.run(both())


def test_what_an_end_made_possible_is_performed_next_without_asking_again() -> None:
    script = Script(settled("A", begun=("A",)))

    async def next_one() -> Settled:
        return settled("B", begun=("B",))

    script.results["A"] = next_one
    script.run()
    assert script.performed == [("A", True), ("B", True)]
    assert script.parked == 1


def test_an_attempt_from_before_a_crash_is_not_taken_for_one_begun_now() -> None:
    script = Script(settled("A"))
    script.run()
    assert script.performed == [("A", False)]


def test_parallel_attempts_are_performed_at_the_same_time_and_each_once() -> None:
    script = Script(settled("A", "B", begun=("A", "B")))
    together = asyncio.Barrier(2)

    async def meet() -> None:
        await asyncio.wait_for(together.wait(), 5)

    script.results = {"A": meet, "B": meet}
    script.run()
    assert sorted(script.performed) == [("A", True), ("B", True)]


def test_a_change_is_looked_at_while_work_goes_on() -> None:
    script = Script(settled("A"), settled("A", "B", begun=("B",)))
    free = asyncio.Event()

    async def wait() -> None:
        await free.wait()

    async def let_go() -> None:
        free.set()

    script.results = {"A": wait, "B": let_go}

    async def change(drive: Drive) -> None:
        while not script.performed:
            await asyncio.sleep(0)
        drive.changed.set()

    script.run(change)
    assert script.performed == [("A", False), ("B", True)]


def test_what_cannot_be_parked_is_looked_at_again() -> None:
    script = Script(settled(), settled("A"))
    script.run()
    assert script.performed == [("A", False)]
    assert script.parked == 2


def test_a_drive_that_lost_its_execution_ends_without_parking_it() -> None:
    script = Script(settled("A"))

    async def lose() -> None:
        script.gone = "somebody else has it"

    script.results["A"] = lose
    script.run()
    assert script.parked == 0


def test_what_kept_an_action_from_being_performed_ends_the_drive_after_the_others() -> None:
    script = Script(settled("A", "B"))
    ended = []

    async def lost() -> None:
        raise LeaseLost("gone")

    async def slow() -> None:
        await asyncio.sleep(0.02)
        ended.append("B")

    script.results = {"A": lost, "B": slow}
    with pytest.raises(LeaseLost):
        script.run()
    assert ended == ["B"]

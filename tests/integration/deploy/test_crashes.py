"""A releasing process may die at any point; the next one ends the release as if nothing had happened."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.outcome import Failed, Outcome, Succeeded
from deploy.analysis.alarms import MetricAlarm
from deploy.request import ReleaseRequest
from deploy.traffic import strategy
from deploy.traffic.weights import Routing
from tests.fakes.releasing import Crash, World, a_function, a_request

STEPS = strategy.parse(["10%", "wait 2s", "50%", "wait 1s", "100%"])
ALARM = MetricAlarm("errors", "ErrorRate", threshold=5, period_s=1)


def good(world: World) -> ReleaseRequest:
    """Succeeds: hooks, three steps, an alarm that stays quiet."""
    world.functions.handlers.update(before=lambda _payload: None, after=lambda _payload: None)
    return a_request(world, "v2", steps=STEPS, alarms=(ALARM,), before_hook="before", after_hook="after")


def bad(world: World) -> ReleaseRequest:
    """Fails by its alarm and rolls back."""
    world.traffic("orders:live", per_second=50, failing=("2",))
    return a_request(world, "v2", steps=STEPS, alarms=(ALARM,))


def half_bad(world: World) -> ReleaseRequest:
    """Two functions: the second one's hook fails, so that the first goes back, too."""

    def smoke(_payload: bytes) -> object:
        return {"status": "Failed"} if world.routing("orders") == Routing("2") else None

    world.functions.handlers["smoke"] = smoke
    functions = (a_function(world, "v2"), a_function(world, "v2", "bills", "Bills"))
    return a_request(world, "v2", functions=functions, before_hook="smoke")


SCENARIOS = [(good, Succeeded, "2"), (bad, Failed, "1"), (half_bad, Failed, "1")]


def live(world: World, request: ReleaseRequest) -> None:
    """Version 1 of every function is live."""
    first = replace(request, action_execution_id="first", alarms=(), before_hook="", after_hook="")
    functions = tuple(replace(item, directory=world.code("v1")) for item in request.functions)
    assert isinstance(world.run(replace(first, functions=functions)).outcome, Succeeded)


def run_until_it_ends(
    world: World, request: ReleaseRequest, dies: Callable[[int], bool], lives: int
) -> tuple[Outcome, int]:
    """The outcome, and how many processes died on the way; after `lives` deaths the next process is immortal."""
    deaths = 0
    while deaths < lives:
        with world.mortal(dies) as process:
            try:
                return process.run(request, holder=f"host/boot/{deaths + 10}/1").outcome, deaths
            except Crash:
                deaths += 1
    return world.run(request, holder="host/boot/99/1").outcome, deaths


def assert_whole(world: World, request: ReleaseRequest, outcome: Outcome, kind: type, version: str) -> None:
    """The release ended as it would have without a crash, once, and says so."""
    assert isinstance(outcome, kind), outcome
    for item in request.functions:
        assert world.routing(item.function) == Routing(version)
        assert len(world.functions.versions(item.function)) == 2
    assert all(record.ended_at is not None for record in world.deployments())
    created = [event.facts["deployment"] for event in world.events("DeploymentCreated")]
    assert len(created) == len(set(created)) == 2 * len(request.functions)
    rolled_back = [state for state in world.states() if state.rollback_of]
    moved = [state for state in world.states() if state.touched and state.old_version and not state.rollback_of]
    assert len(rolled_back) == (0 if kind is Succeeded else len(moved))
    assert len(world.events("RolledBack")) == len(rolled_back)
    with world.database.snapshot() as snapshot:
        assert snapshot.verify().ok
        assert snapshot.lease("release:local/orders/live") is None


@pytest.mark.parametrize(("scenario", "kind", "version"), SCENARIOS)
@pytest.mark.parametrize("start", range(1, 5))
def test_a_process_may_die_once_at_any_point(
    new_world: Callable[[], World],
    scenario: Callable[[World], ReleaseRequest],
    kind: type,
    version: str,
    start: int,
) -> None:
    number, deaths = start, 1
    while deaths:
        world = new_world()
        request = scenario(world)
        live(world, request)
        outcome, deaths = run_until_it_ends(world, request, number.__eq__, lives=1)
        assert_whole(world, request, outcome, kind, version)
        number += 4
    assert number > 20, "the scenario has many points to die at"


@pytest.mark.parametrize(("scenario", "kind", "version"), SCENARIOS)
@pytest.mark.parametrize("seed", range(8))
def test_processes_may_die_again_and_again(
    new_world: Callable[[], World],
    scenario: Callable[[World], ReleaseRequest],
    kind: type,
    version: str,
    seed: int,
) -> None:
    rng = random.Random(seed)
    world = new_world()
    request = scenario(world)
    live(world, request)

    outcome, deaths = run_until_it_ends(world, request, lambda _point: rng.random() < 0.12, lives=15)

    assert_whole(world, request, outcome, kind, version)
    assert deaths > 0


def test_the_release_after_one_that_nobody_resumed_rolls_it_back_first(new_world: Callable[[], World]) -> None:
    world = new_world()
    request = good(world)
    live(world, request)
    with pytest.raises(Crash), world.mortal(lambda _point: (world.routing() or Routing("1")).split) as process:
        process.run(request, holder="host/boot/10/1")
    assert (world.routing() or Routing("1")).split

    outcome = world.run(a_request(world, "v3")).outcome

    assert isinstance(outcome, Succeeded)
    assert world.routing() == Routing("3")
    abandoned, rollback = world.states()[1:3]
    assert (abandoned.status, rollback.rollback_of) == ("Stopped", abandoned.deployment_id)
    assert "its driver ended before it did" in abandoned.why


def test_a_rollback_by_hand_takes_over_what_nobody_resumed(new_world: Callable[[], World]) -> None:
    world = new_world()
    request = good(world)
    live(world, request)
    with pytest.raises(Crash), world.mortal(lambda _point: (world.routing() or Routing("1")).split) as process:
        process.run(request, holder="host/boot/10/1")

    world.release().roll_back(request.target, "orders", "live", by="anna")

    assert world.routing() == Routing("1")
    assert all(record.ended_at is not None for record in world.deployments())

"""`kill -9` at a random moment of a canary release, again and again: what must hold every time."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from scripts.workshop import Workshop
from store.records import Event
from tests.e2e import given, then, when

VICTIMS = ("engine", "runner-1", "runtime", "prefect", "supervisor", "all")
RELEASE_S = 4.5
ONE_EACH = ("app.processes.supervisor", "app.processes.engine", "app.processes.runner", "prefect_server")
FINE = "COUPONS.get(coupon, 0)"
WRONG = "(COUPONS[coupon] if coupon else 0)"


def begin(workshop: Workshop) -> None:
    """Servers up, version 1 live, and waits that leave time to kill."""
    given.waits(workshop, 2, 1.5)
    given.servers(workshop)
    given.a_first_version(workshop)


def round_of(workshop: Workshop, number: int, victim: str, chance: random.Random, *, wrong: bool = False) -> str:
    """One release under load in which `victim` is killed at some moment; the execution's status.

    A `wrong` version raises on some of the orders. What must hold is asserted.
    """
    before, _ = workshop.alias()
    _write(workshop, number, wrong=wrong)
    workshop.commit(f"Round {number}")
    with when.customers_order(workshop, when.KNOWN_COUPON, when.UNKNOWN_COUPON):
        execution_id = when.the_pipeline_is_started(workshop)
        _released(workshop, execution_id)
        time.sleep(chance.uniform(0, RELEASE_S))
        names = set(when.processes(workshop)) if victim == "all" else {victim}
        assert when.killed(workshop, *names)
        workshop.up()
        status = then.it_ends(workshop, execution_id, timeout_s=90)
    assert status in ("Succeeded", "Failed")
    version, split = workshop.alias()
    assert dict(split) == {}, f"the alias is split: {version} {split}"
    if status == "Succeeded":
        assert version != before, f"succeeded, and the alias is still on {before}"
    else:
        assert version == before, f"failed, and the alias is on {version}, not on {before}"
    one_driver(then.events(workshop, execution_id))
    running = then.processes_of(workshop)
    assert all(sum(name in line for line in running) <= 1 for name in ONE_EACH), running
    return status


def one_driver(story: list[Event]) -> None:
    """The ledger shows one driver: shifts only go forward, one end, and no more resuming than there was dying."""
    shifts = [event for event in story if event.kind == "TrafficShifted"]
    for deployment in {event.facts["deployment"] for event in shifts}:
        weights = [event.facts["weight_pct"] for event in shifts if event.facts["deployment"] == deployment]
        assert all(earlier < later for earlier, later in pairwise(weights)), (deployment, weights)
    counts = Counter(event.kind for event in story)
    for kind in ("ExecutionStarted", "ExecutionSucceeded", "ExecutionFailed"):
        assert counts[kind] <= 1, counts
    assert counts["ActionResumed"] <= 1, counts


def _write(workshop: Workshop, number: int, *, wrong: bool) -> None:
    """The code of this round: right whatever the round before was, or wrong for coupons nobody knows."""
    (workshop.folder / "src/orders/round.py").write_text(f'"""Round {number}."""\n')
    file = workshop.folder / "src/orders/pricing.py"
    text = file.read_text().replace(WRONG, FINE)
    assert FINE in text
    file.write_text(text.replace(FINE, WRONG) if wrong else text)


def _released(workshop: Workshop, execution_id: str) -> None:
    """The release has begun to shift."""
    shifted: Callable[[], bool] = lambda: any(  # noqa: E731
        event.kind == "DeploymentCreated" for event in then.events(workshop, execution_id)
    )
    then.eventually("the release begins", shifted, timeout_s=60)

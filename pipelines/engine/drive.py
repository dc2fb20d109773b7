"""Advancing one execution, as a loop that knows nothing of Prefect: settle, perform, look again, park."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.engine.perform import Performed
from pipelines.engine.settle import Settled
from store.records import ActionRecord

_LONGEST_WAIT_S = 5.0
_Working = dict[str, asyncio.Future[Settled | None]]


@dataclass(slots=True)
class Drive:
    """One execution being advanced. `settle`, `perform` and `park` are the engine's, run in threads.

    `changed` is set when something about the execution may have changed. `result` is set at the end, with None or
    the exception that ended the drive.
    """

    execution_id: str
    label: str
    settle: Callable[[], Awaitable[Settled]]
    perform: Callable[[ActionRecord, bool], Awaitable[Performed]]
    park: Callable[[], Awaitable[bool]]
    gone: Callable[[], str]
    now: Callable[[], datetime]
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    result: asyncio.Future[None] = field(default_factory=asyncio.Future)


Hand = Callable[["Drive", ActionRecord, bool], Awaitable[Settled | None]]


async def advance(drive: Drive, hand: Hand) -> None:
    """Settle, let `hand` perform what needs it, look again when something ends or changes; park when nothing is left.

    `hand(drive, attempt, begun)` gives what the attempt's end made possible (None: the records have to be asked).

    Raises:
        LeaseLost: somebody else drives the execution now, or it was let go of. Work under way has been told.
    """
    working: _Working = {}
    begun: set[str] = set()  # started for this drive, and not yet worked on
    settled: Settled | None = None
    try:
        while not drive.gone():
            if settled is None or drive.changed.is_set():
                drive.changed.clear()
                settled = await drive.settle()
                begun |= settled.begun
            for record in settled.work:
                if record.id not in working:
                    working[record.id] = asyncio.ensure_future(hand(drive, record, record.id in begun))
                    begun.discard(record.id)
            if not working:
                if await drive.park():
                    return
                settled = None
                continue
            await _something(drive, working, settled.wake_at)
            results = _ended(working)
            begun.update(*(result.begun for result in results))
            settled = results[0] if len(results) == 1 else None
    finally:
        if working:
            await asyncio.wait(working.values())


def _ended(working: _Working) -> list[Settled]:
    """What the work that has ended made possible, each; that work is taken out of `working`."""
    done = [working.pop(action_id) for action_id in [known for known, work in working.items() if work.done()]]
    return [result for work in done if (result := work.result()) is not None]


async def _something(drive: Drive, working: _Working, wake_at: datetime | None) -> None:
    """Return when some work has ended, the execution may have changed, or it is time."""
    limit_s = _LONGEST_WAIT_S
    if wake_at is not None:
        limit_s = min(limit_s, max(0.0, (wake_at - drive.now()).total_seconds()))
    changed = asyncio.create_task(drive.changed.wait())
    waits: list[asyncio.Future[Any]] = [changed, *working.values()]
    try:
        await asyncio.wait(waits, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        changed.cancel()

"""Following an execution while it goes on."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from pathlib import Path
from typing import Any

from app.api.follow import Follower, Tail, stream
from app.api.watch import Watch
from store.records import ActionStatus
from tests.fakes.serviced import Bench


def test_a_change_is_told_within_thirty_milliseconds(bench: Bench) -> None:
    """From the commit to the line, in the median of ten."""
    execution = bench.settle(bench.start())
    delays = asyncio.run(_delays(bench, execution.id, 10))
    assert sorted(delays)[5] < 0.03


async def _delays(bench: Bench, execution_id: str, count: int) -> list[float]:
    watch = Watch(bench.database.changed)
    lines = stream(Follower(bench.service, execution_id, with_logs=False), watch)
    await anext(lines)
    found = []
    for number in range(count):
        coming = asyncio.create_task(_next(lines))
        await asyncio.sleep(0.03)
        began = time.monotonic()
        _summary(bench, execution_id, f"{number} %")
        await coming
        found.append(time.monotonic() - began)
    watch.close()
    return found


def test_the_stream_follows_to_the_end(bench: Bench) -> None:
    """One tree per change, none without, and `end` when nothing more can come."""
    execution = bench.settle(bench.start())
    bench.service.stop(execution.id)

    async def followed() -> list[dict[str, Any]]:
        watch = Watch(bench.database.changed, interval_s=0.001)
        lines = stream(Follower(bench.service, execution.id, with_logs=False), watch)
        found = _read(await anext(lines))
        bench.finish(execution, "Checkout", ActionStatus.SUCCEEDED)
        async for chunk in lines:
            found += _read(chunk)
        watch.close()
        return found

    items = asyncio.run(followed())
    trees = [item["execution"] for item in items if item["type"] == "execution"]
    assert trees[0]["status"] == "Stopping"
    assert trees[-1]["status"] == "Stopped"
    assert all(before != after for before, after in itertools.pairwise(trees))
    sequence = [item["event"]["seq"] for item in items if item["type"] == "event"]
    assert sequence == sorted(set(sequence))
    assert items[-1] == {"type": "end", "status": "Stopped"}


def test_a_tail_gives_whole_lines_only(tmp_path: Path) -> None:
    """Until the last call, which also gives what has no end."""
    path = tmp_path / "log"
    tail = Tail(path, {})
    assert tail.lines(last=False) == []
    path.write_bytes(b"one\ntw")
    assert tail.lines(last=False) == ["one"]
    with path.open("ab") as file:
        file.write(b"o\nthree")
    assert tail.lines(last=False) == ["two"]
    assert tail.lines(last=False) == []
    assert tail.lines(last=True) == ["three"]
    assert tail.lines(last=True) == []


def test_nobody_looks_when_nobody_follows() -> None:
    """The watch rests between followers, and wakes them at a change."""
    looks = 0
    version = 0

    def changed(_: int | None) -> int:
        nonlocal looks
        looks += 1
        return version

    async def scenario() -> None:
        nonlocal version
        watch = Watch(changed, interval_s=0.001)
        assert looks == 0
        async with watch.following() as event:
            await asyncio.sleep(0.02)
            event.clear()
            await asyncio.sleep(0.02)
            assert not event.is_set()
            version = 1
            await asyncio.wait_for(event.wait(), 2)
        await asyncio.sleep(0.02)
        rested = looks
        await asyncio.sleep(0.02)
        assert looks == rested
        async with watch.following() as event:
            event.clear()  # read before the watch has looked for the first time
            version = 2
            await asyncio.wait_for(event.wait(), 2)
        watch.close()

    asyncio.run(scenario())


async def _next(lines: Any) -> bytes:
    chunk: bytes = await anext(lines)
    return chunk


def _read(chunk: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in chunk.splitlines()]


def _summary(bench: Bench, execution_id: str, text: str) -> None:
    with bench.database.transaction() as transaction:
        (action,) = transaction.actions(execution_id)
        transaction.update_action(action, summary=text)

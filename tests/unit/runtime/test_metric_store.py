"""Metrics in memory and on disk."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from core.clock import VirtualClock
from runtime.invoke.route import Route
from runtime.metrics.buckets import Bucket
from runtime.metrics.keys import Key
from runtime.metrics.store import Metrics

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
NOW = int(START.timestamp())
LIVE = Route("f", "f:live", "1", by_alias=True)
PLAIN = Route("f", "f", "$LATEST")


def counted(metrics: Metrics, key: Key, start: int = 0, end: int = 1 << 62) -> dict[int, tuple[int, int]]:
    """Invocations and errors by second."""
    return {at: (each.invocations, each.errors) for at, each in metrics.between(key, start, end)}


def everything(metrics: Metrics) -> dict[Key, dict[int, Bucket]]:
    """All that is kept."""
    keys = metrics.keys()
    return {key: dict(metrics.between(key, 0, 1 << 62)) for key in keys}


def stopped(metrics: Metrics) -> None:
    """Write and close, having run as long as an orderly server does at least."""

    async def run() -> None:
        metrics.start()
        await metrics.stop()

    asyncio.run(run())


def test_only_invocations_through_an_alias_have_an_executed_version(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "m.db", VirtualClock(START))
    metrics.ended(LIVE, "1", NOW, 1.0, failed=False)
    metrics.ended(PLAIN, "$LATEST", NOW, 1.0, failed=True)
    assert metrics.keys() == [Key("f", "f:live", "1"), Key("f", "f")]


def test_what_was_counted_is_there_after_a_restart_and_goes_on(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    metrics = Metrics(tmp_path / "m.db", clock)
    metrics.ended(LIVE, "1", NOW, 5.0, failed=True)
    metrics.ended(LIVE, "1", NOW - 4000, 5.0, failed=False)
    metrics.throttled(PLAIN, NOW)
    metrics.started(LIVE, NOW, 3, 7)
    before = everything(metrics)
    stopped(metrics)
    again = Metrics(tmp_path / "m.db", clock)
    assert everything(again) == before
    again.ended(LIVE, "1", NOW, 5.0, failed=False)
    stopped(again)
    third = Metrics(tmp_path / "m.db", clock)
    assert counted(third, Key("f", "f:live", "1")) == {NOW: (2, 1), NOW - 4000: (1, 0)}
    stopped(third)


def test_seconds_become_minutes_after_three_hours_and_nothing_after_fifteen_days(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    metrics = Metrics(tmp_path / "m.db", clock)
    minute = NOW - NOW % 60
    for second in (minute, minute + 1, minute + 59, minute + 60):
        metrics.ended(PLAIN, "$LATEST", second, 1.0, failed=False)
    key = Key("f", "f")
    metrics.compact(NOW + 3 * 3600 + 200)
    assert counted(metrics, key) == {minute: (3, 0), minute + 60: (1, 0)}
    metrics.compact(NOW + 16 * 86400)
    assert counted(metrics, key) == {}
    stopped(metrics)


def test_a_range_is_answered_from_its_start_to_before_its_end(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "m.db", VirtualClock(START))
    for second in range(NOW, NOW + 10):
        metrics.ended(PLAIN, "$LATEST", second, 1.0, failed=False)
    assert sorted(counted(metrics, Key("f", "f"), NOW + 2, NOW + 5)) == [NOW + 2, NOW + 3, NOW + 4]
    assert sorted(counted(metrics, Key("f", "f"), 0, NOW + 2)) == [NOW, NOW + 1]
    stopped(metrics)

"""Metrics in memory and on disk."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from core.clock import VirtualClock
from runtime.invoke.results import Result
from runtime.invoke.route import Route
from runtime.metrics.buckets import Bucket
from runtime.metrics.keys import Key
from runtime.metrics.series import series
from runtime.metrics.store import Metrics
from tests.unit.runtime.records import version

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
NOW = int(START.timestamp())
LIVE = Route("f", "f:live", "1", by_alias=True)
PLAIN = Route("f", "f", "$LATEST")


def result(duration_ms: float, *, failed: bool) -> Result:
    """An invocation of this duration."""
    return Result(b"", "ValueError" if failed else "", duration_ms=duration_ms)


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
    metrics.ended(LIVE, version("1"), NOW, result(1.0, failed=False))
    metrics.ended(PLAIN, version("$LATEST"), NOW, result(1.0, failed=True))
    assert metrics.keys() == [Key("f", "f:live", "1"), Key("f", "f")]


def test_what_was_counted_is_there_after_a_restart_and_goes_on(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    metrics = Metrics(tmp_path / "m.db", clock)
    metrics.ended(LIVE, version("1"), NOW, result(5.0, failed=True))
    metrics.ended(LIVE, version("1"), NOW - 4000, result(5.0, failed=False))
    metrics.throttled(PLAIN, NOW)
    metrics.started(LIVE, NOW, 3, 7)
    before = everything(metrics)
    stopped(metrics)
    again = Metrics(tmp_path / "m.db", clock)
    assert everything(again) == before
    again.ended(LIVE, version("1"), NOW, result(5.0, failed=False))
    stopped(again)
    third = Metrics(tmp_path / "m.db", clock)
    assert counted(third, Key("f", "f:live", "1")) == {NOW: (2, 1), NOW - 4000: (1, 0)}
    stopped(third)


def test_seconds_become_minutes_after_three_hours_and_nothing_after_fifteen_days(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    metrics = Metrics(tmp_path / "m.db", clock)
    minute = NOW - NOW % 60
    for second in (minute, minute + 1, minute + 59, minute + 60):
        metrics.ended(PLAIN, version("$LATEST"), second, result(1.0, failed=False))
    key = Key("f", "f")
    metrics.compact(NOW + 3 * 3600 + 200)
    assert counted(metrics, key) == {minute: (3, 0), minute + 60: (1, 0)}
    metrics.compact(NOW + 16 * 86400)
    assert counted(metrics, key) == {}
    stopped(metrics)


def test_a_range_is_answered_from_its_start_to_before_its_end(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "m.db", VirtualClock(START))
    for second in range(NOW, NOW + 10):
        metrics.ended(PLAIN, version("$LATEST"), second, result(1.0, failed=False))
    assert sorted(counted(metrics, Key("f", "f"), NOW + 2, NOW + 5)) == [NOW + 2, NOW + 3, NOW + 4]
    assert sorted(counted(metrics, Key("f", "f"), 0, NOW + 2)) == [NOW, NOW + 1]
    stopped(metrics)


def test_any_metric_is_kept_apart_by_its_dimensions_and_unit_whatever_their_order(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    metrics = Metrics(tmp_path / "m.db", clock)
    for at, place in ((NOW, {"a": "1", "b": "2"}), (NOW - 9000, {"b": "2", "a": "1"})):
        metrics.put("Depth", place, 3.0, at, namespace="Mine", unit="Bytes")
    metrics.put("Depth", {}, 4.0, NOW, namespace="Mine", unit="None", count=2)
    key = series("Mine", "Depth", {"a": "1", "b": "2"}, "Bytes")
    other = series("Mine", "Depth", {}, "None")
    assert {at: each.total for at, each in metrics.samples(key, 0, 1 << 62)} == {NOW: 3.0, NOW - 9000: 3.0}
    stopped(metrics)
    again = Metrics(tmp_path / "m.db", clock)
    again.put("Depth", {"a": "1", "b": "2"}, 5.0, NOW - 9000, namespace="Mine", unit="Bytes")
    assert {at: each.total for at, each in again.samples(key, 0, 1 << 62)} == {NOW: 3.0, NOW - 9000: 8.0}
    assert [each.count for _, each in again.samples(other, 0, 1 << 62)] == [2.0]
    assert key.dimensions == {"a": "1", "b": "2"}
    stopped(again)


def test_a_metric_of_lambda_is_published_under_every_set_of_its_dimensions(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "m.db", VirtualClock(START))
    metrics.put_lambda("AsyncEventAge", "f", 12.0, NOW, resource="f:live", version="3", unit="Milliseconds")
    assert [list(each.dimensions.values()) for each in metrics.series()] == [
        [], ["f"], ["f", "f:live"], ["3", "f", "f:live"],
    ]  # fmt: skip
    stopped(metrics)


def test_what_invocations_run_on_becomes_metrics(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "m.db", VirtualClock(START))
    metrics.unreserved(NOW, 3)
    metrics.unreserved(NOW, 4)
    metrics.provisioned_busy(LIVE, "1", NOW, 1, 4, spilled=False)
    metrics.provisioned_busy(LIVE, "1", NOW, 4, 4, spilled=True)
    used = Result(b"", duration_ms=1.0, provisioned=True, extensions_ms=7.5)
    metrics.ended(LIVE, version("1"), NOW, used)

    def high(name: str, unit: str = "Count", **place: str) -> float:
        key = series("AWS/Lambda", name, place, unit)
        return max(each.high for _, each in metrics.samples(key, 0, 1 << 62))

    whole = {"FunctionName": "f", "Resource": "f:live", "ExecutedVersion": "1"}
    assert high("UnreservedConcurrentExecutions") == 4
    assert high("ProvisionedConcurrentExecutions", **whole) == 4
    assert high("ProvisionedConcurrencyUtilization", FunctionName="f") == 1.0
    spilled = series("AWS/Lambda", "ProvisionedConcurrencySpilloverInvocations", {"FunctionName": "f"}, "Count")
    assert [each.count for _, each in metrics.samples(spilled, 0, 1 << 62)] == [1]
    assert high("ProvisionedConcurrencyInvocations", **whole) == 1
    assert high("PostRuntimeExtensionsDuration", "Milliseconds", FunctionName="f") == 7.5
    stopped(metrics)

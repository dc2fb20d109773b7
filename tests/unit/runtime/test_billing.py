"""Prices, the cost report, and what is counted for it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import VirtualClock
from runtime.billing import prices
from runtime.billing.provisioned import ProvisionedMeter
from runtime.billing.report import document, rows
from runtime.billing.service import PATH, CostService
from runtime.billing.usage import ON_DEMAND, PROVISIONED, Usage, Use, use_of
from runtime.catalog.documents import ProvisionedConcurrency
from runtime.catalog.store import Catalog
from runtime.http import Request
from runtime.invoke.results import Result, exited, timed_out
from runtime.invoke.route import Route
from runtime.metrics.store import Metrics
from tests.unit.runtime.records import version

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
NOW = int(START.timestamp())
ROUTE = Route("orders", "orders:live", "1", by_alias=True)


def use(name: str = "f", memory: int = 1024, kind: str = ON_DEMAND, **more: str) -> Use:
    """A key."""
    return Use(name, "1", more.get("architecture", "x86_64"), str(memory), more.get("temporary", "512"), kind)


# prices ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("architecture", "gb_s", "dollars"),
    [
        ("x86_64", 1e6, 16.6667),
        ("x86_64", 6e9, 100_000.2),
        ("x86_64", 7e9, 100_000.2 + 15_000),
        ("x86_64", 16e9, 100_000.2 + 135_000 + 13_333.4),
        ("arm64", 1e6, 13.3334),
        ("arm64", 7.5e9 + 11.25e9 + 1e9, 100_000.5 + 135_001.125 + 10_666.7),
    ],
)
def test_duration_is_priced_in_tiers(architecture: str, gb_s: float, dollars: float) -> None:
    assert prices.duration(architecture, gb_s) == pytest.approx(dollars)


@given(st.floats(0, 1e11), st.floats(0, 1e11), st.sampled_from(["x86_64", "arm64"]))
def test_what_is_bought_in_parts_costs_the_same(first: float, second: float, architecture: str) -> None:
    parts = prices.duration(architecture, first) + prices.duration(architecture, second, before=first)
    assert parts == pytest.approx(prices.duration(architecture, first + second))


def test_requests_and_temporary_files_have_their_price() -> None:
    assert pytest.approx(0.20) == prices.REQUEST * 1_000_000
    assert prices.gb_seconds(1769, 1000) == pytest.approx(1.7275390625)
    assert prices.temporary(512, 1e9) == 0
    assert prices.temporary(10_240, 1000) == pytest.approx(9.5 * 0.0000000309)


# counting ----------------------------------------------------------------------------------------------------------


def test_billed_time_is_duration_and_init_rounded_up_together() -> None:
    assert [Result(b"", duration_ms=d, init_ms=i).billed_ms for d, i in ((1.2, None), (1.2, 100.9), (3.0, 0.0))] == [
        2, 103, 3,
    ]  # fmt: skip


def test_usage_tells_what_failed_and_what_was_init() -> None:
    usage = Usage()
    usage.ended(Result(b"", duration_ms=10.0, init_ms=90.5, used_mb=40))
    usage.ended(Result(b"", "ValueError", duration_ms=20.0, used_mb=50))
    usage.ended(Result(exited("id", 1).payload, "Runtime.ExitError", "error", duration_ms=5.5, used_mb=45))
    late = timed_out("id", 3)
    usage.ended(Result(late.payload, late.error_type, late.status, duration_ms=3000.0, used_mb=30))
    assert (usage.requests, usage.billed_ms, usage.init_ms) == (4, 101 + 20 + 6 + 3000, 90.5)
    assert (usage.errors, usage.error_ms, usage.timeouts, usage.timeout_ms) == (3, 3026, 1, 3000)
    assert usage.used_mb == 50
    twice = Usage()
    twice.add(usage)
    twice.add(usage)
    assert (twice.requests, twice.used_mb, twice.error_ms) == (8, 50, 6052)


def test_usage_is_kept_by_function_version_architecture_and_size(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    metrics = Metrics(tmp_path / "m.db", clock)
    one = version("1", MemorySize=256, Architectures=["arm64"], EphemeralStorage={"Size": 1024})
    metrics.ended(ROUTE, one, NOW, Result(b"", duration_ms=10.0))
    metrics.ended(ROUTE, one, NOW - 7200, Result(b"", duration_ms=10.0))
    metrics.ended(ROUTE, version("2"), NOW, Result(b"", duration_ms=10.0, provisioned=True))
    first, second = metrics.used(NOW - 60, NOW + 60)
    assert first[0] == use_of(one, ON_DEMAND) == Use("orders", "1", "arm64", "256", "1024", "on-demand")
    assert (first[1].requests, second[0].kind, second[0].version) == (1, PROVISIONED, "2")
    assert metrics.used(NOW - 7300, NOW + 60)[0][1].requests == 2
    assert metrics.used(NOW - 9000, NOW - 7260) == []


# the report --------------------------------------------------------------------------------------------------------


def test_the_report_prices_each_version_and_shows_what_was_for_nothing() -> None:
    usage = Usage(requests=1000, billed_ms=1_000_000, init_ms=250_000.0, errors=100, error_ms=400_000, used_mb=100)
    (row,) = rows([(use(), usage)])
    assert row.gb_s == 1000
    assert row.cost.duration == pytest.approx(1000 * 0.0000166667)
    assert row.cost.requests == pytest.approx(0.0002)
    assert row.init_share == 0.25
    assert row.wasted == pytest.approx(0.4 * row.cost.duration + 100 * 0.0000002)
    assert row.suggested_mb == 192


@pytest.mark.parametrize(
    ("used", "size", "suggested"),
    [(0, 1024, None), (60, 128, None), (60, 256, 128), (500, 1024, 704), (900, 1024, None)],
)
def test_a_smaller_memory_is_suggested_where_it_would_do(used: int, size: int, suggested: int | None) -> None:
    (row,) = rows([(use(memory=size), Usage(requests=1, billed_ms=1, used_mb=used))])
    assert row.suggested_mb == suggested


def test_provisioned_concurrency_costs_while_it_is_there_and_less_when_it_runs() -> None:
    found = rows(
        [
            (use(kind=PROVISIONED), Usage(requests=1, billed_ms=1000, provisioned_s=300.0)),
            (use(), Usage(requests=1, billed_ms=1000)),
            (use("dear", temporary="10240"), Usage(requests=1, billed_ms=60_000_000)),
        ]
    )
    assert [row.function for row in found] == ["dear", "f"]
    both = found[1]
    assert both.usage.requests == 2
    assert both.cost.provisioned == pytest.approx(300 * 0.0000041667)
    assert both.cost.duration == pytest.approx(0.0000097222 + 0.0000166667)
    assert found[0].cost.temporary == pytest.approx(9.5 * 60_000 * 0.0000000309)


def test_the_document_adds_up() -> None:
    found = rows([(use(name), Usage(requests=3, billed_ms=5000, errors=1, error_ms=1000)) for name in ("a", "b")])
    told = document(found, 0.0, 60.0)
    assert told["total"]["requests"] == 6
    assert told["total"]["cost"] == pytest.approx(sum(each["cost"] for each in told["functions"]))
    assert told["total"]["cost"] == pytest.approx(sum(told["total"]["costOf"].values()))
    assert told["total"]["gbSeconds"] == 10


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 10**9), st.integers(128, 10240)), max_size=6))
def test_the_whole_costs_what_the_prices_say(uses: list[tuple[str, int, int]]) -> None:
    found = rows([(use(name, memory), Usage(requests=1, billed_ms=ms)) for name, ms, memory in uses])
    gb_s = sum(prices.gb_seconds(memory, ms) for _, ms, memory in uses)
    assert sum(row.cost.duration for row in found) == pytest.approx(prices.duration("x86_64", gb_s))


# asking ------------------------------------------------------------------------------------------------------------


def test_the_report_is_asked_for_by_time_and_function(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    metrics = Metrics(tmp_path / "m.db", clock)
    metrics.ended(ROUTE, version("1"), NOW - 100_000, Result(b"", duration_ms=10.0))
    metrics.ended(ROUTE, version("1"), NOW - 10, Result(b"", duration_ms=10.0))
    service = CostService(metrics, clock)

    def asked(query: str, method: str = "GET") -> tuple[int, bytes]:
        request = Request(method, PATH, query, {}, b"")
        assert service.matches(request, "")
        answer = service.handle(request)
        return answer.status, answer.body

    assert b'"requests": 1' in asked("")[1]
    assert b'"requests": 2' in asked(f"from={NOW - 200_000}&to={NOW}")[1]
    assert b'"functions": []' in asked("function=other")[1]
    for query in ("from=x", "from=5&to=5", "from=nan", "from=1&to=inf"):
        assert asked(query)[0] == 400
    assert asked("", "POST")[0] == 405
    assert not service.matches(Request("GET", "/", "", {}, b""), "")


def test_provisioned_concurrency_is_metered_by_five_minutes(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    metrics, catalog = Metrics(tmp_path / "m.db", clock), Catalog(tmp_path / "c.db")
    catalog.save(version("$LATEST"), version("1"))
    meter = ProvisionedMeter(catalog, metrics, clock)
    meter.look()

    def seconds() -> float:
        return sum(usage.provisioned_s for _, usage in metrics.used(NOW - 60, NOW + 7200))

    assert seconds() == 0
    catalog.put(ProvisionedConcurrency("orders", "1", 2, "now"))
    for passed, expected in ((0, 600), (299, 600), (2, 1200), (600, 2400)):
        clock.advance(passed)
        meter.look()
        assert seconds() == expected
    catalog.remove(ProvisionedConcurrency, "orders", "1")
    clock.advance(600)
    meter.look()
    assert seconds() == 2400

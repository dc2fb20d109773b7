"""The cost report: what was used, what it would have cost on AWS, and what of it was for nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.billing import prices
from runtime.billing.usage import PROVISIONED, Usage, Use

_ROOM = 1.3
"""A suggested memory size leaves that much room above what was ever used."""
_STEP_MB, _LEAST_MB = 64, 128


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars."""

    duration: float = 0.0
    requests: float = 0.0
    temporary: float = 0.0
    provisioned: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.duration + self.requests + self.temporary + self.provisioned

    def plus(self, other: Cost) -> Cost:
        """Both."""
        return Cost(
            self.duration + other.duration,
            self.requests + other.requests,
            self.temporary + other.temporary,
            self.provisioned + other.provisioned,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One function's version."""

    function: str
    version: str
    architecture: str
    memory_mb: int
    usage: Usage = field(default_factory=Usage)
    gb_s: float = 0.0
    cost: Cost = field(default_factory=Cost)

    @property
    def init_share(self) -> float:
        """The share of the billed time that was initialisation, from 0 to 1."""
        return self.usage.init_ms / self.usage.billed_ms if self.usage.billed_ms else 0.0

    @property
    def wasted(self) -> float:
        """US dollars for invocations that failed or timed out: their time and their requests."""
        usage = self.usage
        share = usage.error_ms / usage.billed_ms if usage.billed_ms else 0.0
        return (self.cost.duration + self.cost.temporary) * share + usage.errors * prices.REQUEST

    @property
    def suggested_mb(self) -> int | None:
        """A smaller memory size that would still hold what was ever used, with room; None when there is none."""
        if not self.usage.used_mb:
            return None
        steps = -(-self.usage.used_mb * _ROOM // _STEP_MB)
        found = max(_LEAST_MB, int(steps) * _STEP_MB)
        return found if found < self.memory_mb else None


def rows(found: Iterable[tuple[Use, Usage]]) -> list[Row]:
    """One row for each function, version, architecture and memory size; the dearest first.

    The price of on-demand time falls with its amount; what all functions of an architecture used is taken as one
    month's, and every one of them pays the same for a GB-second.
    """
    used = [(use, usage) for use, usage in found if use.architecture in prices.RATES]
    average = _average_prices(used)
    joined: dict[tuple[str, str, str, int], Row] = {}
    for use, usage in used:
        key = (use.function, use.version, use.architecture, use.memory_mb)
        before = joined.get(key) or Row(*key)
        whole = Usage()
        whole.add(before.usage)
        whole.add(usage)
        gb_s = prices.gb_seconds(use.memory_mb, usage.billed_ms)
        cost = _cost(use, usage, gb_s, average)
        joined[key] = Row(*key, whole, before.gb_s + gb_s, before.cost.plus(cost))
    return sorted(joined.values(), key=lambda row: (-row.cost.total, row.function, row.version, row.memory_mb))


def _average_prices(used: Iterable[tuple[Use, Usage]]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for use, usage in used:
        if use.kind != PROVISIONED:
            gb_s = prices.gb_seconds(use.memory_mb, usage.billed_ms)
            totals[use.architecture] = totals.get(use.architecture, 0.0) + gb_s
    return {name: prices.duration(name, total) / total for name, total in totals.items() if total}


def _cost(use: Use, usage: Usage, gb_s: float, average: Mapping[str, float]) -> Cost:
    rates = prices.RATES[use.architecture]
    price = rates.on_capacity if use.kind == PROVISIONED else average.get(use.architecture, 0.0)
    return Cost(
        duration=gb_s * price,
        requests=usage.requests * prices.REQUEST,
        temporary=prices.temporary(use.temporary_mb, usage.billed_ms),
        provisioned=prices.gb_seconds(use.memory_mb, usage.provisioned_s * 1000) * rates.capacity,
    )


def document(found: list[Row], start: float, end: float) -> dict[str, Any]:
    """The report as JSON carries it; times are epoch seconds, money is US dollars."""
    total = Cost()
    for row in found:
        total = total.plus(row.cost)
    return {
        "from": start,
        "to": end,
        "currency": "USD",
        "prices": "us-east-1",
        "functions": [_row(row) for row in found],
        "total": {
            "requests": sum(row.usage.requests for row in found),
            "gbSeconds": sum(row.gb_s for row in found),
            "wasted": sum(row.wasted for row in found),
            **_money(total),
        },
    }


def _row(row: Row) -> dict[str, Any]:
    usage = row.usage
    return {
        "function": row.function,
        "version": row.version,
        "architecture": row.architecture,
        "memoryMB": row.memory_mb,
        "maxMemoryUsedMB": usage.used_mb,
        "suggestedMemoryMB": row.suggested_mb,
        "requests": usage.requests,
        "errors": usage.errors,
        "timeouts": usage.timeouts,
        "billedMs": usage.billed_ms,
        "initMs": round(usage.init_ms, 3),
        "initShare": row.init_share,
        "gbSeconds": row.gb_s,
        "provisionedSeconds": usage.provisioned_s,
        "wasted": row.wasted,
        **_money(row.cost),
    }


def _money(cost: Cost) -> dict[str, Any]:
    parts = {
        "duration": cost.duration,
        "requests": cost.requests,
        "temporary": cost.temporary,
        "provisioned": cost.provisioned,
    }
    return {"cost": cost.total, "costOf": parts}

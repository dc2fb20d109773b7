"""Metrics of any namespace: what is counted apart, and its samples of one second in a form that adds up. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from runtime.metrics.buckets import Statistics, bin_of


class Series(NamedTuple):
    """One metric under one set of dimensions in one unit: what CloudWatch keeps apart."""

    namespace: str
    name: str
    place: str
    """The dimensions as JSON, sorted by name."""
    unit: str

    @property
    def dimensions(self) -> dict[str, str]:
        """Name to value."""
        return dict(json.loads(self.place))


def series(namespace: str, name: str, dimensions: Mapping[str, str], unit: str) -> Series:
    """The series of these facts, whatever the order of the dimensions."""
    return _series(namespace, name, tuple(sorted(dimensions.items())), unit)


@lru_cache(maxsize=8192)
def _series(namespace: str, name: str, dimensions: tuple[tuple[str, str], ...], unit: str) -> Series:
    return Series(namespace, name, json.dumps(dimensions, separators=(",", ":")), unit)


@dataclass(slots=True)
class Summary:
    """Samples of one series. `bins` has the single values; what came as a statistic set is in none of them."""

    count: float = 0.0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    bins: dict[int, float] = field(default_factory=dict)

    def sample(self, value: float, count: float = 1.0) -> None:
        """Count `value`, `count` times."""
        self.joined(count, value * count, value, value)
        if value >= 0:
            index = bin_of(value)
            self.bins[index] = self.bins.get(index, 0.0) + count

    def joined(self, count: float, total: float, low: float, high: float) -> None:
        """Count samples of which only this is known."""
        self.count += count
        self.total += total
        self.low = min(self.low, low)
        self.high = max(self.high, high)

    def add(self, other: Summary) -> None:
        """Add what `other` counted."""
        self.joined(other.count, other.total, other.low, other.high)
        for index, count in other.bins.items():
            self.bins[index] = self.bins.get(index, 0.0) + count

    def statistics(self) -> Statistics | None:
        """What it came to; None when nothing was counted."""
        return Statistics(self.count, self.total, self.low, self.high, self.bins) if self.count > 0 else None


def encode(summary: Summary) -> str:
    """`summary` as a document."""
    return json.dumps([summary.count, summary.total, summary.low, summary.high, list(summary.bins.items())])


def decode(document: str) -> Summary:
    """The summary in `document`."""
    count, total, low, high, bins = json.loads(document)
    return Summary(count, total, low, high, {int(index): float(number) for index, number in bins})

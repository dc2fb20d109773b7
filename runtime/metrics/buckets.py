"""What happened in one second, in a form that adds up. Pure.

Values are kept as a histogram of logarithmic bins, so percentiles are within 1 % of the true value at any volume.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

_GROWTH = math.log(1.02)
_ZERO = -(1 << 20)
"""The bin of zero, which has no logarithm."""


def bin_of(value: float) -> int:
    """The bin of `value`, which is 0 or more; that of 1 holds 1 exactly in its middle."""
    return round(math.log(value) / _GROWTH) if value > 0 else _ZERO


@dataclass(slots=True)
class Bucket:
    """Counts of one (function, resource, executed version) in one second; changed in place, it is on the hot path."""

    invocations: int = 0
    errors: int = 0
    throttles: int = 0
    duration_sum: float = 0.0
    duration_min: float = math.inf
    duration_max: float = 0.0
    durations: dict[int, int] = field(default_factory=dict)
    concurrency_sum: int = 0
    concurrency_count: int = 0
    concurrency_min: int = 0
    concurrency_max: int = 0

    def ended(self, duration_ms: float, *, failed: bool) -> None:
        """Count one invocation."""
        self.invocations += 1
        self.errors += failed
        self.duration_sum += duration_ms
        self.duration_min = min(self.duration_min, duration_ms)
        self.duration_max = max(self.duration_max, duration_ms)
        index = bin_of(duration_ms)
        self.durations[index] = self.durations.get(index, 0) + 1

    def concurrent(self, running: int) -> None:
        """Count one sample of how many ran at once."""
        self.concurrency_min = min(self.concurrency_min, running) if self.concurrency_count else running
        self.concurrency_max = max(self.concurrency_max, running)
        self.concurrency_sum += running
        self.concurrency_count += 1

    def add(self, other: Bucket) -> None:
        """Add what `other` counted."""
        self.invocations += other.invocations
        self.errors += other.errors
        self.throttles += other.throttles
        self.duration_sum += other.duration_sum
        self.duration_min = min(self.duration_min, other.duration_min)
        self.duration_max = max(self.duration_max, other.duration_max)
        for index, count in other.durations.items():
            self.durations[index] = self.durations.get(index, 0) + count
        if other.concurrency_count:
            lower = other.concurrency_min
            self.concurrency_min = min(self.concurrency_min, lower) if self.concurrency_count else lower
            self.concurrency_max = max(self.concurrency_max, other.concurrency_max)
            self.concurrency_sum += other.concurrency_sum
            self.concurrency_count += other.concurrency_count


@dataclass(frozen=True, slots=True)
class Statistics:
    """One metric over one period. `bins` holds the values' logarithmic bins where percentiles are known."""

    count: float
    total: float
    low: float
    high: float
    bins: Mapping[int, float] = field(default_factory=dict)

    def value(self, statistic: str) -> float | None:
        """`Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount` or `p0`…`p100`; None for any other word.

        None, too, for a percentile of values of which only sums are known, or some are negative. Source: CloudWatch,
        "Percentiles".
        """
        simple = {"Sum": self.total, "Minimum": self.low, "Maximum": self.high, "SampleCount": float(self.count)}
        if statistic in simple:
            return simple[statistic]
        if statistic == "Average":
            return self.total / self.count
        rank = percentile_rank(statistic)
        return None if rank is None else self.percentile(rank)

    def percentile(self, rank: float) -> float | None:
        """The value below which `rank` percent of the samples lie; None when the samples are not known."""
        if self.low == self.high:
            return self.low
        if sum(self.bins.values()) < self.count - 1e-6:
            return None
        if rank in {0.0, 100.0}:
            return self.high if rank else self.low
        wanted = max(1, math.ceil(rank * self.count / 100 - 1e-9))
        seen = 0.0
        for index in sorted(self.bins):
            seen += self.bins[index]
            if seen >= wanted:
                middle = math.exp(index * _GROWTH) if index != _ZERO else 0.0
                return min(max(middle, self.low), self.high)
        return self.high


def percentile_rank(statistic: str) -> float | None:
    """99.9 for `p99.9`; None when it is no percentile."""
    try:
        rank = float(statistic[1:]) if statistic.startswith("p") else -1.0
    except ValueError:
        return None
    return rank if 0.0 <= rank <= 100.0 else None


def statistics(bucket: Bucket, metric: str) -> Statistics | None:
    """`metric` as `bucket` has it; None when nothing was measured. Every invocation is a sample of Errors, 0 or 1.

    Source: Lambda's metrics; Errors divided by Invocations, or the average of Errors, is the error rate.
    """
    count = bucket.invocations
    if metric == "ConcurrentExecutions":
        samples = bucket.concurrency_count
        low, high = float(bucket.concurrency_min), float(bucket.concurrency_max)
        return Statistics(samples, float(bucket.concurrency_sum), low, high) if samples else None
    if metric == "Throttles":
        tries = count + bucket.throttles
        return _zeros_and_ones(tries, bucket.throttles) if tries else None
    if not count:
        return None
    if metric == "Invocations":
        return Statistics(count, float(count), 1.0, 1.0)
    if metric == "Errors":
        return _zeros_and_ones(count, bucket.errors)
    if metric == "Duration":
        return Statistics(count, bucket.duration_sum, bucket.duration_min, bucket.duration_max, bucket.durations)
    return None


def _zeros_and_ones(count: int, ones: int) -> Statistics:
    bins = {_ZERO: count - ones, 0: ones}
    return Statistics(count, float(ones), 0.0 if ones < count else 1.0, 1.0 if ones else 0.0, bins)


METRICS = ("Invocations", "Errors", "Duration", "Throttles", "ConcurrentExecutions")
UNITS = {"Duration": "Milliseconds"}
"""Others are counted ("Count")."""

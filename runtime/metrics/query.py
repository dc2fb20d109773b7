"""Questions about metrics: which counts a set of dimensions means, and their statistics by period. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from runtime.metrics.buckets import METRICS, Bucket, Statistics, statistics
from runtime.metrics.keys import Key

NAMESPACE = "AWS/Lambda"
_SHORT_PERIODS_S = (1, 5, 10, 20, 30)
_DIMENSIONS = ("FunctionName", "Resource", "ExecutedVersion")


class Source(Protocol):
    """Where counts are kept."""

    def keys(self) -> list[Key]:
        """Everything counted apart."""
        ...

    def between(self, key: Key, start: int, end: int) -> Iterator[tuple[int, Bucket]]:
        """The buckets of `key` from second `start` (included) to `end` (excluded)."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """One period; `at` is its first second."""

    at: int
    statistics: Statistics


def period_problem(period_s: int) -> str:
    """Why `period_s` is no period; empty when it is one. Source: CloudWatch, high-resolution metrics."""
    if period_s in _SHORT_PERIODS_S or (period_s > 0 and period_s % 60 == 0):
        return ""
    return "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."


def points(
    source: Source, metric: str, dimensions: Mapping[str, str], period_s: int, start: float, end: float
) -> list[Point]:
    """The periods in which `metric` was measured, oldest first; none for an unknown metric or dimension.

    Periods are aligned to multiples of `period_s`. The first is the one `start` falls into, the last begins before
    `end`, and each is counted whole. Source: CloudWatch rounds StartTime down; EndTime is exclusive.
    """
    first = int(start // period_s) * period_s
    last = -int(-end // period_s) * period_s
    periods: dict[int, Bucket] = {}
    for key in _matching(source.keys(), metric, dimensions):
        for second, bucket in source.between(key, first, last):
            at = second - second % period_s
            if at not in periods:
                periods[at] = Bucket()
            periods[at].add(bucket)
    found = ((at, statistics(periods[at], metric)) for at in sorted(periods))
    return [Point(at, measured) for at, measured in found if measured is not None]


def _matching(keys: Iterable[Key], metric: str, dimensions: Mapping[str, str]) -> list[Key]:
    """The keys whose counts add up to what `dimensions` mean: exactly these dimensions, as CloudWatch matches them."""
    names = tuple(name for name in _DIMENSIONS if name in dimensions)
    if len(names) != len(dimensions) or names != _DIMENSIONS[: len(names)] or metric not in METRICS:
        return []
    wanted = tuple(dimensions[name] for name in names)
    if metric == "ConcurrentExecutions":
        return [key for key in keys if key == Key(*(wanted or ("",)))]
    return [key for key in keys if tuple(key)[: len(wanted)] == wanted and all(wanted)]


def listed(keys: Iterable[Key]) -> list[tuple[str, dict[str, str]]]:
    """Every metric there is: its name and its dimensions, sorted."""
    found: set[tuple[str, tuple[str, ...]]] = set()
    for key in keys:
        if not key.resource:
            found.add(("ConcurrentExecutions", (key.function,) if key.function else ()))
            continue
        for metric in METRICS:
            if metric != "ConcurrentExecutions":
                levels = [(), (key.function,), (key.function, key.resource), tuple(key) if key.version else ()]
                found |= {(metric, level) for level in levels}
    return [(metric, dict(zip(_DIMENSIONS, level, strict=False))) for metric, level in sorted(found)]

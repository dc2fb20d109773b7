"""Questions about metrics: which counts or samples a metric means, and their statistics by period. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from runtime.metrics.buckets import METRICS, UNITS, Bucket, Statistics, statistics
from runtime.metrics.keys import Key
from runtime.metrics.series import Series, Summary, series

NAMESPACE = "AWS/Lambda"
_SHORT_PERIODS_S = (1, 5, 10, 20, 30)
_DIMENSIONS = ("FunctionName", "Resource", "ExecutedVersion")


class Source(Protocol):
    """Where counts and samples are kept."""

    def keys(self) -> list[Key]:
        """Every count of invocations."""
        ...

    def between(self, key: Key, start: int, end: int) -> Iterator[tuple[int, Bucket]]:
        """The buckets of `key` from second `start` (included) to `end` (excluded)."""
        ...

    def series(self) -> list[Series]:
        """Every other metric."""
        ...

    def samples(self, key: Series, start: int, end: int) -> Iterator[tuple[int, Summary]]:
        """The samples of `key` from second `start` (included) to `end` (excluded)."""
        ...


@dataclass(frozen=True, slots=True)
class Metric:
    """What is asked for: exactly these dimensions, as CloudWatch matches them; no unit means every unit."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    unit: str | None = None


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


def points(source: Source, metric: Metric, period_s: int, start: float, end: float, *, origin: int = 0) -> list[Point]:
    """The periods in which `metric` was measured, oldest first; none for an unknown metric or dimension.

    Periods begin at multiples of `period_s` after `origin`. The first is the one `start` falls into, the last begins
    before `end`, and each is counted whole. Source: CloudWatch rounds StartTime down; EndTime is exclusive.
    """
    shift = origin % period_s
    first = int((start - shift) // period_s) * period_s + shift
    last = -int(-(end - shift) // period_s) * period_s + shift
    if metric.namespace == NAMESPACE and metric.name in METRICS:
        return _counted(source, metric, period_s, first, last)
    return _sampled(source, metric, period_s, first, last)


def _counted(source: Source, metric: Metric, period_s: int, first: int, last: int) -> list[Point]:
    periods: dict[int, Bucket] = {}
    for key in _matching(source.keys(), metric):
        for second, bucket in source.between(key, first, last):
            at = second - (second - first) % period_s
            if at not in periods:
                periods[at] = Bucket()
            periods[at].add(bucket)
    found = ((at, statistics(periods[at], metric.name)) for at in sorted(periods))
    return [Point(at, measured) for at, measured in found if measured is not None]


def _sampled(source: Source, metric: Metric, period_s: int, first: int, last: int) -> list[Point]:
    periods: dict[int, Summary] = {}
    for unit in units(source, metric):
        key = series(metric.namespace, metric.name, metric.dimensions, unit)
        for second, summary in source.samples(key, first, last):
            at = second - (second - first) % period_s
            if at not in periods:
                periods[at] = Summary()
            periods[at].add(summary)
    found = ((at, periods[at].statistics()) for at in sorted(periods))
    return [Point(at, measured) for at, measured in found if measured is not None]


def units(source: Source, metric: Metric) -> list[str]:
    """The units `metric` was measured in, sorted; at most the one that is asked for."""
    if metric.namespace == NAMESPACE and metric.name in METRICS:
        unit = UNITS.get(metric.name, "Count")
        return [unit] if metric.unit in {None, unit} else []
    if metric.unit is not None:
        return [metric.unit]
    key = series(metric.namespace, metric.name, metric.dimensions, "")
    return sorted(each.unit for each in source.series() if each[:3] == key[:3])


def _matching(keys: Iterable[Key], metric: Metric) -> list[Key]:
    """The keys whose counts add up to what the dimensions mean."""
    dimensions, unit = metric.dimensions, UNITS.get(metric.name, "Count")
    names = tuple(name for name in _DIMENSIONS if name in dimensions)
    if len(names) != len(dimensions) or names != _DIMENSIONS[: len(names)] or metric.unit not in {None, unit}:
        return []
    wanted = tuple(dimensions[name] for name in names)
    if metric.name == "ConcurrentExecutions":
        return [key for key in keys if key == Key(*(wanted or ("",)))]
    return [key for key in keys if tuple(key)[: len(wanted)] == wanted and all(wanted)]


def listed(source: Source) -> list[Metric]:
    """Every metric there is, whatever its unit, sorted."""
    found = {(NAMESPACE, name, tuple(zip(_DIMENSIONS, place, strict=False))) for name, place in _counts(source.keys())}
    found |= {(each.namespace, each.name, tuple(each.dimensions.items())) for each in source.series()}
    return [Metric(namespace, name, dict(place)) for namespace, name, place in sorted(found)]


def _counts(keys: Iterable[Key]) -> set[tuple[str, tuple[str, ...]]]:
    """The names of what is counted with the values of their dimensions."""
    found: set[tuple[str, tuple[str, ...]]] = set()
    for key in keys:
        if not key.resource:
            found.add(("ConcurrentExecutions", (key.function,) if key.function else ()))
            continue
        for metric in METRICS:
            if metric != "ConcurrentExecutions":
                levels = [(), (key.function,), (key.function, key.resource), tuple(key) if key.version else ()]
                found |= {(metric, level) for level in levels}
    return found

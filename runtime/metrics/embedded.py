"""The embedded metric format: samples in a JSON line of a log. Pure. Source: CloudWatch, "Specification: EMF"."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from runtime.metrics.accept import Samples
from runtime.metrics.series import series
from runtime.reading import json_of

MARK = '"CloudWatchMetrics"'
"""What a line has that may hold metrics; others need not be looked at."""
_MOST_METRICS = 100
_MOST_VALUES = 100
_MOST_DIMENSIONS = 30


def embedded(line: str, at: float) -> list[Samples]:
    """The samples in a log line of `at` (epoch seconds); empty when it is no valid document.

    What stands before the document (a timestamp, a request id) is passed over; what is wrong in one part of it costs
    that part only.
    """
    start = line.find("{")
    if start < 0 or MARK not in line:
        return []
    try:
        root = json_of(line[start:])
    except ValueError:
        return []
    metadata = root.get("_aws") if isinstance(root, dict) else None
    directives = metadata.get("CloudWatchMetrics") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(directives, list):
        return []
    stamp = metadata.get("Timestamp")
    if isinstance(stamp, (int, float)) and not isinstance(stamp, bool):
        at = stamp / 1000
    return [each for directive in directives if isinstance(directive, dict) for each in _samples(root, directive, at)]


def _samples(root: Mapping[str, Any], directive: Mapping[str, Any], at: float) -> Iterator[Samples]:
    namespace, metrics = directive.get("Namespace"), directive.get("Metrics")
    if not isinstance(namespace, str) or not namespace or namespace.startswith("AWS/") or not isinstance(metrics, list):
        return
    places = list(_places(root, directive.get("Dimensions", [[]])))
    for metric in metrics[:_MOST_METRICS]:
        name = metric.get("Name") if isinstance(metric, dict) else None
        values = _values(root.get(name)) if isinstance(name, str) else ()
        if not isinstance(name, str) or not values:
            continue
        resolution = 1 if metric.get("StorageResolution") == 1 else 60
        second = int(at // resolution) * resolution
        for place in places:
            yield Samples(series(namespace, name, place, str(metric.get("Unit", "None"))), second, values)


def _places(root: Mapping[str, Any], sets: Any) -> Iterator[dict[str, str]]:
    """The dimensions of every set whose members are all there, as text."""
    for keys in sets if isinstance(sets, list) else ():
        if not isinstance(keys, list) or len(keys) > _MOST_DIMENSIONS:
            continue
        place = {key: root.get(key) for key in keys if isinstance(key, str)}
        if len(place) == len(keys) and all(isinstance(value, str) and value for value in place.values()):
            yield {key: str(value) for key, value in place.items()}


def _values(target: Any) -> tuple[tuple[float, float], ...]:
    """The numbers of a metric, each counted once; none when one of them is no number."""
    given = target if isinstance(target, list) else [target]
    if len(given) > _MOST_VALUES:
        return ()
    numbers = [value for value in given if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) != len(given) or not all(math.isfinite(value) for value in numbers):
        return ()
    return tuple((float(value), 1.0) for value in numbers)

"""Metric filters: events of a group that match a pattern become samples of a metric."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from runtime.api.errors import ApiError
from runtime.log_groups.groups import Group, Hook
from runtime.log_groups.patterns.pattern import compile_pattern
from runtime.log_groups.patterns.structured import at as member
from runtime.metrics.store import Metrics
from runtime.reading import json_of

_log = logging.getLogger(__name__)
_MOST_DIMENSIONS = 3


class MetricFilters:
    """Keeps each group's hooks in line with its filters; `attach` is called when a group is first looked at."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._hooks: dict[tuple[str, str], Hook] = {}

    def attach(self, group: Group) -> None:
        """Have the group's filters see its events, and no filters that it has no longer."""
        for key in [key for key in self._hooks if key[0] == group.name]:
            hook = self._hooks.pop(key)
            if hook in group.hooks:
                group.hooks.remove(hook)
        for name, settings in group.settings.metric_filters.items():
            try:
                hook = self._hook(settings)
            except ApiError as error:
                _log.warning("metric filter %s of %s: %s", name, group.name, error.message)
                continue
            self._hooks[group.name, name] = hook
            group.hooks.append(hook)

    def _hook(self, settings: Mapping[str, Any]) -> Hook:
        pattern, metrics = compile_pattern(settings["filterPattern"]), self._metrics
        (change,) = settings["metricTransformations"]
        default = change.get("defaultValue")

        def hear(_stream: str, at_ms: int, message: str) -> None:
            found = pattern(message.rstrip("\n"))
            value = default if found is None else number(change["metricValue"], found, message)
            place = {} if found is None else dimensions(change.get("dimensions", {}), found, message)
            if value is None or place is None:
                return
            second = at_ms // 1000
            metrics.put(
                change["metricName"], place, value, second - second % 60,
                unit=change.get("unit", "None"), namespace=change["metricNamespace"],
            )  # fmt: skip

        return hear


def check(settings: Mapping[str, Any]) -> None:
    """Nothing when the filter can be kept.

    Raises:
        ApiError: it cannot.
    """
    compile_pattern(settings["filterPattern"])
    (change,) = settings["metricTransformations"]
    value = change["metricValue"]
    if not value.startswith("$") and _number(value) is None:
        raise ApiError("InvalidParameterException", f"Invalid metric value: {value}")
    if change.get("dimensions") and "defaultValue" in change:
        raise ApiError("InvalidParameterException", "A metric filter has dimensions or a default value, not both")
    if len(change.get("dimensions", {})) > _MOST_DIMENSIONS:
        raise ApiError("InvalidParameterException", f"A metric filter has at most {_MOST_DIMENSIONS} dimensions")


def number(text: str, found: Mapping[str, str], message: str) -> float | None:
    """The value of a metric: a number, or what the event says there; None when that is no number."""
    return _number(text if not text.startswith("$") else _extracted(text, found, message) or "")


def dimensions(wanted: Mapping[str, str], found: Mapping[str, str], message: str) -> dict[str, str] | None:
    """The dimensions by name; None when the event lacks one."""
    values = {name: _extracted(selector, found, message) for name, selector in wanted.items()}
    known = {name: value for name, value in values.items() if value}
    return known if len(known) == len(values) else None


def _extracted(selector: str, found: Mapping[str, str], message: str) -> str | None:
    """What `$name` or `$.path` stands for in an event."""
    if selector in found:
        return found[selector]
    try:
        value = member(json_of(message), selector)
    except ValueError:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

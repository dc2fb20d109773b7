"""Alarms as a user writes them: the name of an existing one, or one defined in place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.document import suggest

# (dotted path inside the configuration, what is wrong, hint): the form a provider's `check` answers in
Problem = tuple[str, str, str]

MOST_ALARMS = 10  # Source: CodeDeploy AlarmConfiguration
METRICS = ("ErrorRate", "Errors", "Throttles", "Duration")
SHORT_PERIODS_S = (1, 5, 10, 20, 30)  # Source: CloudWatch GetMetricData, MetricStat.Period
MISSING_DATA = ("missing", "notBreaching", "breaching", "ignore")  # Source: CloudWatch TreatMissingData


@dataclass(frozen=True, slots=True)
class NamedAlarm:
    """An alarm that exists in the target's CloudWatch; its state is read, never set."""

    name: str


@dataclass(frozen=True, slots=True)
class MetricAlarm:
    """An alarm evaluated here on the metrics of the version being released; it fires above `threshold`.

    ErrorRate is Errors / Invocations in percent. Duration (average, milliseconds) and counts are CloudWatch's own.
    It fires when at least `datapoints_to_alarm` of the latest `evaluation_periods` periods breach. A period with
    fewer than `minimum_invocations` counts as one without data. AWS keeps Lambda's metrics per 60 seconds; a shorter
    `period_s` works only where they are kept finer.
    """

    name: str
    metric: str
    threshold: float
    period_s: int = 60
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    minimum_invocations: int = 1
    missing: str = "missing"


_NUMERAL = re.compile(r"\d+(\.\d+)?", re.ASCII)

Alarm = NamedAlarm | MetricAlarm

# key → (field, least, whole numbers only)
_NUMBERS: Mapping[str, tuple[str, float, bool]] = {
    "threshold": ("threshold", 0, False),
    "periodSeconds": ("period_s", 1, True),
    "evaluationPeriods": ("evaluation_periods", 1, True),
    "datapointsToAlarm": ("datapoints_to_alarm", 1, True),
    "minimumInvocations": ("minimum_invocations", 1, True),
}
_KEYS = ("name", "metric", *_NUMBERS, "treatMissingData")


def read(items: Sequence[Any], path: str = "alarms") -> tuple[tuple[Alarm, ...], list[Problem]]:
    """The alarms in `items` and every mistake in them; an item with mistakes gives no alarm.

    Source: CodeDeploy AlarmConfiguration (at most 10, unique names); the inline form is ours.
    """
    alarms: list[Alarm] = []
    problems: list[Problem] = []
    for index, item in enumerate(items):
        alarm, found = _one(item, f"{path}[{index}]")
        problems += found
        if alarm is not None and any(known.name == alarm.name for known in alarms):
            problems.append((f"{path}[{index}]", f"alarm '{alarm.name}' is named twice", "remove one"))
        elif alarm is not None:
            alarms.append(alarm)
    if len(items) > MOST_ALARMS:
        problems.append((path, f"{len(items)} alarms are too many", f"use at most {MOST_ALARMS}"))
    return tuple(alarms), problems


def to_data(alarm: Alarm) -> dict[str, Any]:
    """`alarm` as plain data."""
    return asdict(alarm)


def from_data(data: Mapping[str, Any]) -> Alarm:
    """What `to_data` wrote."""
    return MetricAlarm(**data) if "metric" in data else NamedAlarm(**data)


def _one(item: Any, path: str) -> tuple[Alarm | None, list[Problem]]:
    if isinstance(item, str):
        if 1 <= len(item) <= 255:
            return NamedAlarm(item), []
        return None, [(path, "an alarm's name has 1 to 255 characters", "")]
    if not isinstance(item, Mapping):
        return None, [
            (path, "an alarm is a name or a mapping", "write {name: errors, metric: ErrorRate, threshold: 5}")
        ]
    problems = _keys(item, path) + _words(item, path) + _numbers(item, path)
    if problems:
        return None, problems
    values: dict[str, Any] = {field: _number(item[key]) for key, (field, _, _) in _NUMBERS.items() if key in item}
    values.setdefault("datapoints_to_alarm", values.get("evaluation_periods", 1))
    if values["datapoints_to_alarm"] > values.get("evaluation_periods", 1):
        return None, [(f"{path}.datapointsToAlarm", "it is more than evaluationPeriods", "lower it")]
    missing = item.get("treatMissingData", "missing")
    return MetricAlarm(name=item["name"], metric=item["metric"], missing=missing, **values), []


def _keys(item: Mapping[str, Any], path: str) -> list[Problem]:
    unknown = [(f"{path}.{key}", f"unknown key '{key}'", suggest(str(key), _KEYS)) for key in item if key not in _KEYS]
    absent = [(path, f"'{key}' is missing", "add it") for key in ("name", "metric", "threshold") if key not in item]
    return unknown + absent


def _words(item: Mapping[str, Any], path: str) -> list[Problem]:
    problems: list[Problem] = []
    name = item.get("name", "-")
    if not isinstance(name, str) or not 1 <= len(name) <= 255:
        problems.append((f"{path}.name", "an alarm's name has 1 to 255 characters", ""))
    for key, known in (("metric", METRICS), ("treatMissingData", MISSING_DATA)):
        value = item.get(key, known[0])
        if value not in known:
            hint = suggest(str(value), known) or f"use one of {', '.join(known)}"
            problems.append((f"{path}.{key}", f"{value!r} is not possible here", hint))
    return problems


def _numbers(item: Mapping[str, Any], path: str) -> list[Problem]:
    problems: list[Problem] = []
    for key, (_, least, whole) in _NUMBERS.items():
        value = _number(item.get(key, least))
        fits = isinstance(value, int) if whole else isinstance(value, int | float)
        if isinstance(value, bool) or not fits or value < least:
            kind = "a whole number" if whole else "a number"
            problems.append((f"{path}.{key}", f"it must be {kind} of at least {least:g}, not {item[key]!r}", ""))
        elif key == "periodSeconds" and value not in SHORT_PERIODS_S and value % 60:
            known = ", ".join(map(str, SHORT_PERIODS_S))
            hint = f"use {known} or a multiple of 60"
            problems.append((f"{path}.{key}", f"CloudWatch keeps no periods of {value} seconds", hint))
    return problems


def _number(value: Any) -> Any:
    """`value`, or the number its text says: what a `#{namespace.key}` stood for arrives as text."""
    if isinstance(value, str) and _NUMERAL.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value

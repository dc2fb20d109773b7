"""Judges one alarm now: which datapoints it looks at, and the state they mean. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from runtime.alarms import rules, wording
from runtime.alarms.check import rule_of
from runtime.alarms.decide import EXTRA_POINTS, Datapoint, decide
from runtime.alarms.records import Alarm, State
from runtime.api.errors import ApiError
from runtime.metrics.data import Queries, Span, metric_of
from runtime.metrics.query import Source, points

_SETTLE_S = 1.0
"""How long after a period its datapoints are looked at first."""
_MINUTE_S = 60
_SHORT_S = 10

Seen = tuple[Datapoint | None, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What an alarm looks at: the datapoints of its evaluation range, oldest first, or why there are none."""

    slot: int
    """When the latest of its periods ended."""
    points: Seen = ()
    problem: str = ""


def slot_of(settings: Mapping[str, Any], now: float) -> int:
    """When the latest period ended that is to be looked at now.

    Source: CloudWatch, "For any period of one minute or longer, an alarm is evaluated every minute"; shorter ones
    every 10 seconds.
    """
    step = _SHORT_S if wording.period_s(settings) < _MINUTE_S else _MINUTE_S
    return int((now - _SETTLE_S) // step) * step


def look(alarm: Alarm, source: Source, slot: int) -> Look:
    """The datapoints of a metric alarm's evaluation range."""
    settings, period_s = alarm.settings, wording.period_s(alarm.settings)
    count = settings["EvaluationPeriods"] + EXTRA_POINTS
    starts = [slot - index * period_s for index in range(count, 0, -1)]
    span = Span(starts[0], slot, origin=slot)
    try:
        found = _calculated(settings, source, span) if "Metrics" in settings else _measured(settings, source, span)
    except ApiError as error:
        return Look(slot, (), error.message)
    return Look(slot, tuple(found.get(at) for at in starts))


def _measured(settings: Mapping[str, Any], source: Source, span: Span) -> dict[int, Datapoint]:
    metric = metric_of(settings, settings.get("Unit"))
    statistic = settings.get("Statistic") or settings["ExtendedStatistic"]
    found: dict[int, Datapoint] = {}
    for point in points(source, metric, settings["Period"], span.start, span.end, origin=span.origin):
        value = point.statistics.value(statistic)
        if value is not None:
            found[point.at] = Datapoint(point.at, value, point.statistics.count)
    return found


def _calculated(settings: Mapping[str, Any], source: Source, span: Span) -> dict[int, Datapoint]:
    queries = settings["Metrics"]
    shown = next(each["Id"] for each in queries if each.get("ReturnData") is not False)
    found = Queries(source, queries, span).result(shown)
    if len(found) != 1:
        raise ApiError("ValidationException", f"Expression '{shown}' comes to {len(found)} time series, not to one")
    return {at: Datapoint(at, value) for at, value in found[0].points.items()}


def judged(alarm: Alarm, seen: Look, now: datetime) -> Alarm:
    """The alarm as these datapoints leave it; the same object when nothing is to be changed."""
    if seen.problem:
        return _moved(alarm, State.INSUFFICIENT_DATA, f"Insufficient Data: {seen.problem}", "", now)
    rule = rule_of(alarm.settings)
    verdict = decide(seen.points, rule)
    if verdict.state is None:
        return alarm
    reason = wording.reason(rule, verdict, alarm.state)
    return _moved(alarm, verdict.state, reason, wording.reason_data(alarm, rule, verdict, now), now)


def _moved(alarm: Alarm, state: State, reason: str, data: str, now: datetime) -> Alarm:
    if state is alarm.state and alarm.reason != wording.INITIAL:
        return alarm
    transitioned = alarm.transitioned if state is alarm.state else now
    return replace(alarm, state=state, reason=reason, reason_data=data, updated=now, transitioned=transitioned)


def combined(alarm: Alarm, state: Callable[[str], State | None], trigger: str, now: datetime) -> Alarm:
    """A composite alarm as its children's states leave it; `trigger` says what made one look."""
    found = State.ALARM if rules.holds(rules.parse(alarm.settings["AlarmRule"]), state) else State.OK
    return _moved(alarm, found, trigger, "", now)

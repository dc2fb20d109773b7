"""Evaluating an alarm on a metric's buckets: M out of N periods, missing data, and a step's whole window. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.analysis.alarms import MetricAlarm
from deploy.analysis.verdict import Judgement, Verdict
from deploy.ports import Point

Series = Mapping[str, Sequence[Point]]  # metric name → buckets
_UNITS = {"ErrorRate": " %", "Errors": "", "Throttles": "", "Duration": " ms"}


@dataclass(frozen=True, slots=True)
class Datapoint:
    """One period: the metric's value (None without data, or with too few invocations) and its raw counts.

    `growing` says that the period was not over when it was read.
    """

    at: datetime
    value: float | None
    invocations: float = 0.0
    errors: float = 0.0
    growing: bool = False


def floor(at: datetime, period_s: int) -> datetime:
    """The beginning of the period that `at` falls into; periods are counted from the epoch, as CloudWatch does."""
    return datetime.fromtimestamp(at.timestamp() // period_s * period_s, UTC)


def datapoints(alarm: MetricAlarm, series: Series, start: datetime, end: datetime) -> tuple[Datapoint, ...]:
    """One datapoint for each period that [start, end) touches, oldest first; the last one may still be growing."""
    by_metric = {
        metric: {floor(point.at, alarm.period_s): point.value for point in points} for metric, points in series.items()
    }
    first = floor(start, alarm.period_s)
    count = max(1, math.ceil((end - first).total_seconds() / alarm.period_s))
    period = timedelta(seconds=alarm.period_s)
    return tuple(_datapoint(alarm, by_metric, first + n * period, end) for n in range(count))


def evaluate(alarm: MetricAlarm, points: Sequence[Datapoint], previous: Verdict | None = None) -> Judgement:
    """Whether the alarm fires, or fired at any time in these periods: at least M of any N following ones breach.

    Periods without data count as `alarm.missing` says: not at all (`missing`), as fine, as breaching; `ignore` keeps
    `previous` when no period has data. The newest period may still be growing and is looked at as it stands.
    Source: CloudWatch "how CloudWatch alarms handle missing data"; unlike there, older periods are never fetched to
    stand in for missing ones.
    """
    return _fired(alarm, points, alarm.datapoints_to_alarm) or _calm(alarm, points, previous)


def evaluate_window(alarm: MetricAlarm, points: Sequence[Datapoint], previous: Verdict | None = None) -> Judgement:
    """The last evaluation of an alarm on a whole step, asked before more traffic is given.

    Where a step is shorter than M periods, the periods it has must all breach. An error rate is also judged on the
    whole step's total, which is stricter than CloudWatch: a step whose requests failed too often as a whole never
    leads to the next one.
    """
    fired = _fired(alarm, points, min(alarm.datapoints_to_alarm, len(points)))
    if fired is not None:
        return fired
    total = _total(alarm, points)
    if total is not None and _breaches(alarm, total):
        return _bad(alarm, [total], f"over the whole step ({_invocations(points)} invocations)")
    if total is not None and total.value is not None:
        return Judgement(
            alarm.name, Verdict.GOOD, f"{alarm.metric} was {_amount(alarm, total.value)} over the whole step"
        )
    return _calm(alarm, points, previous)


def _fired(alarm: MetricAlarm, points: Sequence[Datapoint], needed: int) -> Judgement | None:
    """The first N periods in a row of which `needed` breach, as a verdict; None when there are none."""
    for last in range(len(points)):
        part = points[max(0, last + 1 - alarm.evaluation_periods) : last + 1]
        breaching = [point for point in part if _breaches(alarm, point)]
        if len(breaching) >= needed:
            return _bad(alarm, breaching, f"in {len(breaching)} of {len(part)} periods of {alarm.period_s} s")
    return None


def _calm(alarm: MetricAlarm, points: Sequence[Datapoint], previous: Verdict | None) -> Judgement:
    """What an alarm that does not fire says: fine, or too little data."""
    latest = points[-alarm.evaluation_periods :]
    if alarm.missing in ("notBreaching", "breaching") or any(point.value is not None for point in latest):
        return Judgement(alarm.name, Verdict.GOOD, f"{alarm.metric} is not above {_amount(alarm, alarm.threshold)}")
    if alarm.missing == "ignore" and previous is not None:
        return Judgement(alarm.name, previous, "no data; the state before is kept")
    why = f"too little data: {_invocations(latest)} invocations, at least {alarm.minimum_invocations} are needed"
    return Judgement(alarm.name, Verdict.INCONCLUSIVE, why)


def _datapoint(
    alarm: MetricAlarm, by_metric: Mapping[str, Mapping[datetime, float]], at: datetime, end: datetime
) -> Datapoint:
    invocations = by_metric.get("Invocations", {}).get(at, 0.0)
    errors = by_metric.get("Errors", {}).get(at, 0.0)
    if alarm.metric == "ErrorRate":
        value = 100 * errors / invocations if invocations > 0 else None
    else:
        value = by_metric.get(alarm.metric, {}).get(at)
    enough = alarm.metric == "Throttles" or invocations >= alarm.minimum_invocations
    growing = at + timedelta(seconds=alarm.period_s) > end
    return Datapoint(at, value if enough else None, invocations, errors, growing)


def _total(alarm: MetricAlarm, points: Sequence[Datapoint]) -> Datapoint | None:
    invocations = sum(point.invocations for point in points)
    errors = sum(point.errors for point in points)
    if alarm.metric != "ErrorRate" or invocations < alarm.minimum_invocations:
        return None
    return Datapoint(points[0].at, 100 * errors / invocations, invocations, errors)


def _breaches(alarm: MetricAlarm, point: Datapoint) -> bool:
    if point.value is None:
        return alarm.missing == "breaching" and not point.growing
    return point.value > alarm.threshold


def _bad(alarm: MetricAlarm, breaching: Sequence[Datapoint], where: str) -> Judgement:
    highest = max((point.value for point in breaching if point.value is not None), default=None)
    said = "has no data, which counts as breaching," if highest is None else f"was {_amount(alarm, highest)}"
    why = f"{alarm.metric} {said} {where}; allowed is at most {_amount(alarm, alarm.threshold)}"
    facts: dict[str, Any] = {
        "metric": alarm.metric,
        "threshold": alarm.threshold,
        "value": highest,
        "periodSeconds": alarm.period_s,
        "invocations": int(sum(point.invocations for point in breaching)),
        "errors": int(sum(point.errors for point in breaching)),
    }
    return Judgement(alarm.name, Verdict.BAD, why, facts)


def _amount(alarm: MetricAlarm, value: float) -> str:
    return f"{round(value, 2):g}{_UNITS[alarm.metric]}"


def _invocations(points: Sequence[Datapoint]) -> int:
    return int(sum(point.invocations for point in points))

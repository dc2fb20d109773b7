"""How CloudWatch words the reason of a state, in text and as data. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runtime.alarms.decide import Datapoint, Rule, Verdict
from runtime.alarms.records import Alarm, State

INITIAL = "Unchecked: Initial alarm creation"
_SAYS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_LONGEST_REASON = 1023


def stamp(at: datetime) -> str:
    """`2026-03-01T12:30:00.000+0000`, as CloudWatch writes times into data and messages."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"


def reason(rule: Rule, verdict: Verdict, before: State) -> str:
    """`Threshold Crossed: 1 out of the last 1 datapoints [5.0 (01/03/26 12:29:00)] was greater than …`."""
    if verdict.state is State.INSUFFICIENT_DATA:
        return f"Insufficient Data: {_count(verdict.filled)} {'was' if verdict.filled == 1 else 'were'} unknown."
    alarms = verdict.state is State.ALARM
    treated = _treated(rule, verdict)
    if not verdict.evaluated:
        periods = f"{rule.periods} period{'' if rule.periods == 1 else 's'}"
        return f"Threshold Crossed: no datapoints were received for {periods} and {treated}."
    shown = [point for point in verdict.evaluated if rule.breaches(point.value) is alarms] or list(verdict.evaluated)
    values = ", ".join(f"{point.value} ({datetime.fromtimestamp(point.at, UTC):%d/%m/%y %H:%M:%S})" for point in shown)
    verb = ("was" if len(shown) == 1 else "were") + ("" if alarms else " not")
    text = (
        f"Threshold Crossed: {len(shown)} out of the last {rule.periods} datapoints [{values}] {verb} "
        f"{_SAYS[rule.comparison]} the threshold ({rule.threshold})"
    )
    if verdict.filled:
        text += f" and {treated}"
    needed = rule.to_alarm if alarms else rule.periods - rule.to_alarm + 1
    ways = "OK -> ALARM" if alarms else "ALARM -> OK"
    if before in {State.OK, State.ALARM} and not verdict.filled:
        text += f" (minimum {_count(needed, 'datapoint')} for {ways} transition)"
    return f"{text}."[:_LONGEST_REASON]


def _treated(rule: Rule, verdict: Verdict) -> str:
    verb = "was" if verdict.filled == 1 else "were"
    how = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(rule.treat_missing)
    return f"{_count(verdict.filled, 'missing datapoint')} {verb} {f'treated as [{how}]' if how else 'not considered'}"


def _count(number: int, word: str = "datapoint") -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def reason_data(alarm: Alarm, rule: Rule, verdict: Verdict, now: datetime) -> str:
    """The facts behind the reason as JSON."""
    settings = alarm.settings
    data: dict[str, Any] = {"version": "1.0", "queryDate": stamp(now)}
    if verdict.evaluated:
        data["startDate"] = _second(verdict.evaluated[0].at)
    if "Unit" in settings:
        data["unit"] = settings["Unit"]
    statistic = settings.get("Statistic") or settings.get("ExtendedStatistic")
    if statistic:
        data["statistic"] = statistic
    data["period"] = period_s(settings)
    data["recentDatapoints"] = [point.value for point in verdict.evaluated]
    data["threshold"] = rule.threshold
    data["evaluatedDatapoints"] = [_datapoint(point) for point in reversed(verdict.evaluated)]
    return json.dumps(data, separators=(",", ":"))


def _datapoint(point: Datapoint) -> dict[str, Any]:
    samples = {"sampleCount": point.samples} if point.samples else {}
    return {"timestamp": _second(point.at), **samples, "value": point.value}


def _second(at: int) -> str:
    return stamp(datetime.fromtimestamp(at, UTC))


def period_s(settings: Mapping[str, Any]) -> int:
    """The period of a metric alarm: its own, or that of its metrics."""
    if "Period" in settings:
        return int(settings["Period"])
    found = [query["MetricStat"]["Period"] for query in settings.get("Metrics", ()) if "MetricStat" in query]
    own = [query["Period"] for query in settings.get("Metrics", ()) if "Period" in query]
    return int((found or own or [60])[0])

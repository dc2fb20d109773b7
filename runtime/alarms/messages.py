"""What alarms tell: the message for a topic and the event for a function. Pure. Source: CloudWatch, "Alarm actions"."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runtime.alarms.records import COMPOSITE, Alarm
from runtime.alarms.wording import stamp
from runtime.names import Scope

_LONGEST_SUBJECT = 100


def arn_of(name: str, scope: Scope) -> str:
    """`arn:aws:cloudwatch:<region>:<account>:alarm:<name>`."""
    return f"arn:aws:cloudwatch:{scope.region}:{scope.account}:alarm:{name}"


def subject(alarm: Alarm, scope: Scope) -> str:
    """The subject of a notification."""
    return f'{alarm.state}: "{alarm.name}" in {scope.region}'[:_LONGEST_SUBJECT]


def notification(before: Alarm, after: Alarm, scope: Scope) -> str:
    """The message for a topic."""
    settings = after.settings
    message: dict[str, Any] = {
        "AlarmName": after.name,
        "AlarmDescription": settings.get("AlarmDescription"),
        "AWSAccountId": scope.account,
        "AlarmConfigurationUpdatedTimestamp": stamp(after.configured),
        "NewStateValue": after.state.value,
        "NewStateReason": after.reason,
        "StateChangeTime": stamp(after.transitioned),
        "Region": scope.region,
        "AlarmArn": arn_of(after.name, scope),
        "OldStateValue": before.state.value,
        "OKActions": settings.get("OKActions", []),
        "AlarmActions": settings.get("AlarmActions", []),
        "InsufficientDataActions": settings.get("InsufficientDataActions", []),
    }
    if after.kind == COMPOSITE:
        message["AlarmRule"] = settings["AlarmRule"]
    else:
        message["Trigger"] = _trigger(settings)
    return json.dumps(message)


def _trigger(settings: Mapping[str, Any]) -> dict[str, Any]:
    common = {
        "EvaluationPeriods": settings["EvaluationPeriods"],
        "DatapointsToAlarm": settings.get("DatapointsToAlarm", settings["EvaluationPeriods"]),
        "ComparisonOperator": settings["ComparisonOperator"],
        "Threshold": settings["Threshold"],
        "TreatMissingData": settings.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": settings.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in settings:
        return {"Period": None, **common, "Metrics": settings["Metrics"]}
    extended = settings.get("ExtendedStatistic")
    kind = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended} if extended else {
        "StatisticType": "Statistic", "Statistic": settings["Statistic"].upper(),
    }  # fmt: skip
    return {
        "MetricName": settings["MetricName"],
        "Namespace": settings["Namespace"],
        **kind,
        "Unit": settings.get("Unit"),
        "Dimensions": [{"value": each["Value"], "name": each["Name"]} for each in settings.get("Dimensions", [])],
        "Period": settings["Period"],
        **common,
    }


def event(before: Alarm, after: Alarm, scope: Scope) -> bytes:
    """The event for a function."""
    data: dict[str, Any] = {
        "alarmName": after.name,
        "state": _state(after),
        "previousState": _state(before),
        "configuration": _configuration(after),
    }
    document = {
        "source": "aws.cloudwatch",
        "alarmArn": arn_of(after.name, scope),
        "accountId": scope.account,
        "time": stamp(after.transitioned),
        "region": scope.region,
        "alarmData": data,
    }
    return json.dumps(document).encode()


def _state(alarm: Alarm) -> dict[str, Any]:
    state = {"value": alarm.state.value, "reason": alarm.reason, "timestamp": stamp(alarm.transitioned)}
    return {**state, "reasonData": alarm.reason_data} if alarm.reason_data else state


def _configuration(alarm: Alarm) -> dict[str, Any]:
    settings = alarm.settings
    known: dict[str, Any] = {}
    if settings.get("AlarmDescription"):
        known["description"] = settings["AlarmDescription"]
    if alarm.kind == COMPOSITE:
        return {**known, "alarmRule": settings["AlarmRule"], "actionsSuppressor": ""}
    if "Metrics" in settings:
        return {**known, "metrics": [_query(each) for each in settings["Metrics"]]}
    metric = _metric(settings["Namespace"], settings["MetricName"], settings.get("Dimensions", []))
    stat = {
        "metric": metric,
        "period": settings["Period"],
        "stat": settings.get("Statistic") or settings["ExtendedStatistic"],
    }
    if settings.get("Unit"):
        stat["unit"] = settings["Unit"]
    return {**known, "metrics": [{"id": "m1", "metricStat": stat, "returnData": True}]}


def _query(given: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": given["Id"], "returnData": given.get("ReturnData") is not False}
    if given.get("Label"):
        shown["label"] = given["Label"]
    if "Expression" in given:
        return {**shown, "expression": given["Expression"]}
    stat = given["MetricStat"]
    metric = stat["Metric"]
    place = _metric(metric.get("Namespace", ""), metric.get("MetricName", ""), metric.get("Dimensions", []))
    return {**shown, "metricStat": {"metric": place, "period": stat["Period"], "stat": stat["Stat"]}}


def _metric(namespace: str, name: str, dimensions: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "name": name,
        "dimensions": {each["Name"]: each["Value"] for each in dimensions},
    }

"""CloudWatch's operations on alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.clock import Clock
from runtime.alarms import rules
from runtime.alarms.alarms import Alarms
from runtime.alarms.check import check_composite_alarm, check_metric_alarm
from runtime.alarms.messages import arn_of
from runtime.alarms.records import COMPOSITE, METRIC, Alarm, State
from runtime.alarms.wording import INITIAL
from runtime.api.errors import ApiError
from runtime.api.rpc import Act
from runtime.control.paging import page
from runtime.metrics.data import validation
from runtime.names import Scope
from runtime.reading import json_of

_PER_PAGE, _LARGEST_PAGE = 50, 100
_DEFAULTS = {"ActionsEnabled": True, "OKActions": [], "AlarmActions": [], "InsufficientDataActions": []}
_IDENTITY = frozenset({"AlarmName", "Tags"})


def alarm_operations(alarms: Alarms, clock: Clock, scope: Scope) -> dict[str, Act]:
    """CloudWatch's operations by name."""
    service = _Service(alarms, clock, scope)
    return {
        "PutMetricAlarm": service.put_metric_alarm,
        "PutCompositeAlarm": service.put_composite_alarm,
        "DescribeAlarms": service.describe,
        "DescribeAlarmsForMetric": service.describe_for_metric,
        "DescribeAlarmHistory": service.history,
        "DeleteAlarms": service.delete,
        "SetAlarmState": service.set_state,
        "EnableAlarmActions": service.enable,
        "DisableAlarmActions": service.disable,
        "TagResource": service.tag,
        "UntagResource": service.untag,
        "ListTagsForResource": service.tags,
    }


class _Service:
    def __init__(self, alarms: Alarms, clock: Clock, scope: Scope) -> None:
        self._alarms = alarms
        self._store = alarms.store
        self._clock = clock
        self._scope = scope

    # putting ----------------------------------------------------------------------------------------------------

    def put_metric_alarm(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the alarm is kept, and evaluated from now on."""
        check_metric_alarm(parameters)
        self._put(parameters, METRIC)
        return {}

    def put_composite_alarm(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the alarm is kept and in the state that its rule says."""
        rule = check_composite_alarm(parameters)
        unknown = sorted(name for name in rules.children(rule) if self._store.get(name) is None)
        if unknown:
            raise validation(f"Could not save the composite alarm: unable to find alarm(s) {', '.join(unknown)}")
        if parameters["AlarmName"] in self._below(rule):
            raise validation(f"The rule of {parameters['AlarmName']} would refer to the alarm itself, through others")
        self._put(parameters, COMPOSITE)
        return {}

    def _put(self, parameters: Mapping[str, Any], kind: str) -> None:
        name, now = parameters["AlarmName"], self._clock.now()
        before = self._store.get(name)
        if before is not None and before.kind != kind:
            raise validation(f"An alarm of another type exists with the name {name}")
        settings = {key: value for key, value in parameters.items() if key not in _IDENTITY}
        tags = {each["Key"]: each["Value"] for each in parameters.get("Tags", [])}
        self._alarms.put(
            Alarm(name, kind, {**_DEFAULTS, **settings}, now, State.INSUFFICIENT_DATA, INITIAL, now, now, tags=tags)
        )

    def _below(self, rule: rules.Rule) -> set[str]:
        """Every alarm a rule depends on."""
        found: set[str] = set()
        waiting = list(rules.children(rule))
        while waiting:
            name = waiting.pop()
            alarm = self._store.get(name)
            if name not in found and alarm is not None and alarm.kind == COMPOSITE:
                waiting += rules.children(rules.parse(alarm.settings["AlarmRule"]))
            found.add(name)
        return found

    # asking -----------------------------------------------------------------------------------------------------

    def describe(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of alarms; metric alarms only unless other types are asked for."""
        if "AlarmNames" in parameters and "AlarmNamePrefix" in parameters:
            raise ApiError(
                "InvalidParameterCombinationException",
                "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.",
            )
        keep = self._filter(parameters)
        types = parameters.get("AlarmTypes") or [METRIC]
        if parameters.keys() & {"ChildrenOfAlarmName", "ParentsOfAlarmName"}:
            types = [METRIC, COMPOSITE]
        found = [alarm for alarm in self._store.all() if alarm.kind in types and keep(alarm)]
        shown, following = page(
            found, parameters.get("NextToken"), parameters.get("MaxRecords") or _PER_PAGE, _LARGEST_PAGE
        )
        return {
            "MetricAlarms": [self._shown(alarm) for alarm in shown if alarm.kind == METRIC],
            "CompositeAlarms": [self._shown(alarm) for alarm in shown if alarm.kind == COMPOSITE],
            "NextToken": following,
        }

    def _filter(self, parameters: Mapping[str, Any]) -> Callable[[Alarm], bool]:
        names, prefix = parameters.get("AlarmNames"), parameters.get("AlarmNamePrefix", "")
        state, action = parameters.get("StateValue"), parameters.get("ActionPrefix", "")
        parent, child = parameters.get("ChildrenOfAlarmName"), parameters.get("ParentsOfAlarmName")
        children = _children(self._existing(parent)) if parent is not None else set()

        def keep(alarm: Alarm) -> bool:
            actions = [arn for member in _DEFAULTS if member != "ActionsEnabled" for arn in alarm.settings[member]]
            return (
                (names is None or alarm.name in names)
                and alarm.name.startswith(prefix)
                and state in {None, alarm.state.value}
                and (not action or any(arn.startswith(action) for arn in actions))
                and (parent is None or alarm.name in children)
                and (child is None or child in _children(alarm))
            )

        return keep

    def describe_for_metric(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Every alarm on exactly this metric."""

        def matches(settings: Mapping[str, Any]) -> bool:
            wanted = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")
            return all(settings.get(name) == parameters[name] for name in wanted if name in parameters) and _place(
                settings
            ) == _place(parameters)

        found = [alarm for alarm in self._store.all() if alarm.kind == METRIC and matches(alarm.settings)]
        return {"MetricAlarms": [self._shown(alarm) for alarm in found]}

    def history(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One page of what happened, newest first unless asked otherwise."""
        found = self._store.history(parameters.get("AlarmName"), parameters.get("StartDate"), parameters.get("EndDate"))
        types, kind = parameters.get("AlarmTypes") or [METRIC, COMPOSITE], parameters.get("HistoryItemType")
        found = [item for item in found if item.kind in types and kind in {None, item.type}]
        if parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            found.reverse()
        shown, following = page(
            found, parameters.get("NextToken"), parameters.get("MaxRecords") or _LARGEST_PAGE, _LARGEST_PAGE
        )
        items = [
            {
                "AlarmName": item.alarm,
                "AlarmType": item.kind,
                "Timestamp": item.at,
                "HistoryItemType": item.type,
                "HistorySummary": item.summary,
                "HistoryData": item.data,
            }
            for item in shown
        ]
        return {"AlarmHistoryItems": items, "NextToken": following}

    def _shown(self, alarm: Alarm) -> dict[str, Any]:
        return {
            **alarm.settings,
            "AlarmName": alarm.name,
            "AlarmArn": arn_of(alarm.name, self._scope),
            "AlarmConfigurationUpdatedTimestamp": alarm.configured,
            "StateValue": alarm.state.value,
            "StateReason": alarm.reason,
            "StateReasonData": alarm.reason_data or None,
            "StateUpdatedTimestamp": alarm.updated,
            "StateTransitionedTimestamp": alarm.transitioned,
        }

    # changing ---------------------------------------------------------------------------------------------------

    def delete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; all named alarms are gone, or none."""
        names: Sequence[str] = parameters["AlarmNames"]
        for name in names:
            self._existing(name)
            parents = [each.name for each in self._store.all() if name in _children(each) and each.name not in names]
            if parents:
                raise validation(f"Cannot delete {name} as there are composite alarm(s) depending on it: {parents}")
        self._alarms.delete(names)
        return {}

    def set_state(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the alarm is in that state until it is evaluated again."""
        data = parameters.get("StateReasonData", "")
        try:
            json_of(data or "{}")
        except ValueError as error:
            raise ApiError("InvalidFormatFault", f"StateReasonData is no JSON: {error}") from None
        alarm, state = self._existing(parameters["AlarmName"]), State(parameters["StateValue"])
        self._alarms.set_state(alarm, state, parameters["StateReason"], data)
        return {}

    def enable(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the alarms act."""
        self._alarms.enable(parameters["AlarmNames"], acting=True)
        return {}

    def disable(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the alarms change, and do nothing about it."""
        self._alarms.enable(parameters["AlarmNames"], acting=False)
        return {}

    def tag(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the alarm has these tags, too."""
        alarm = self._by_arn(parameters["ResourceARN"])
        self._alarms.tag(alarm, {**alarm.tags, **{each["Key"]: each["Value"] for each in parameters["Tags"]}})
        return {}

    def untag(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; the alarm has these tags no longer."""
        alarm = self._by_arn(parameters["ResourceARN"])
        left = {key: value for key, value in alarm.tags.items() if key not in parameters["TagKeys"]}
        self._alarms.tag(alarm, left)
        return {}

    def tags(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The tags of an alarm."""
        alarm = self._by_arn(parameters["ResourceARN"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in alarm.tags.items()]}

    def _by_arn(self, arn: str) -> Alarm:
        name = arn.partition(":alarm:")[2]
        alarm = self._store.get(name)
        if alarm is None or arn != arn_of(name, self._scope):
            raise ApiError("ResourceNotFoundException", f"{arn} does not exist")
        return alarm

    def _existing(self, name: str) -> Alarm:
        alarm = self._store.get(name)
        if alarm is None:
            raise ApiError("ResourceNotFound", f"There is no alarm {name}")
        return alarm


def _children(alarm: Alarm) -> set[str]:
    return rules.children(rules.parse(alarm.settings["AlarmRule"])) if alarm.kind == COMPOSITE else set()


def _place(settings: Mapping[str, Any]) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in settings.get("Dimensions", [])}

"""Alarms over real samples on a declared clock: states, history, wording, actions, requests that are wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.clock import VirtualClock
from runtime.alarms.actions import Actor, Refused
from runtime.alarms.alarms import Alarms
from runtime.alarms.api import alarm_operations
from runtime.alarms.store import AlarmStore
from runtime.api.errors import ApiError
from runtime.metrics.store import Metrics
from runtime.names import Scope

START = datetime(2026, 3, 1, 12, 0, 2, tzinfo=UTC)
SCOPE = Scope("123456789012", "us-east-1")
TOPIC = "arn:aws:sns:us-east-1:123456789012:told"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:act:live"
ALARM = {
    "AlarmName": "depth",
    "Namespace": "Mine",
    "MetricName": "Depth",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


class Room:
    """Alarms over metrics that a test puts, on a clock that it moves."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "alarms.db"
        self.clock = VirtualClock(START)
        self.metrics = Metrics(directory / "metrics.db", self.clock)
        self.nudges = 0
        self.open()

    def open(self) -> None:
        """Begin, or begin again after a restart."""
        self.store = AlarmStore(self._path)
        self.alarms = Alarms(self.store, self.metrics, self.clock, SCOPE, self._nudged)
        self._operations = alarm_operations(self.alarms, self.clock, SCOPE)

    def _nudged(self) -> None:
        self.nudges += 1

    def ask(self, operation: str, **parameters: Any) -> Any:
        """One operation."""
        return self._operations[operation](parameters)

    def alarm(self, **changes: Any) -> None:
        """Put the alarm."""
        self.ask("PutMetricAlarm", **{**ALARM, **changes})

    def measured(self, value: float, ago_s: float = 0.0, **more: Any) -> None:
        """A sample of the metric."""
        self.metrics.put("Depth", {}, value, self.clock.now().timestamp() - ago_s, namespace="Mine", unit="Count")

    def pass_(self, seconds: float) -> str:
        """Let time pass and have the alarms looked at; the state of the only metric alarm."""
        self.clock.advance(seconds)
        self.alarms.look()
        return str(self.described()["StateValue"])

    def described(self, name: str = "depth") -> Mapping[str, Any]:
        """The alarm as DescribeAlarms tells it."""
        answer = self.ask("DescribeAlarms", AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        found: list[Mapping[str, Any]] = answer["MetricAlarms"] + answer["CompositeAlarms"]
        assert len(found) == 1
        return found[0]

    def history(self, **parameters: Any) -> list[str]:
        """The summaries of an alarm's history, oldest first."""
        answer = self.ask("DescribeAlarmHistory", ScanBy="TimestampAscending", **parameters)
        return [item["HistorySummary"] for item in answer["AlarmHistoryItems"]]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """An empty room."""
    return Room(tmp_path)


def test_an_alarm_follows_its_metric_and_tells_why(room: Room) -> None:
    room.alarm()
    assert room.described()["StateReason"] == "Unchecked: Initial alarm creation"
    room.measured(9.0)
    assert room.pass_(60) == "ALARM"
    shown = room.described()
    assert shown["StateReason"] == (
        "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (01/03/26 12:00:00)] was greater than the "
        "threshold (5.0)."
    )
    assert json.loads(shown["StateReasonData"]) == {
        "version": "1.0",
        "queryDate": "2026-03-01T12:01:02.000+0000",
        "startDate": "2026-03-01T12:00:00.000+0000",
        "statistic": "Maximum",
        "period": 60,
        "recentDatapoints": [9.0],
        "threshold": 5.0,
        "evaluatedDatapoints": [{"timestamp": "2026-03-01T12:00:00.000+0000", "sampleCount": 1.0, "value": 9.0}],
    }
    room.measured(2.0)
    assert room.pass_(60) == "OK"
    assert room.described()["StateReason"].endswith(
        "[2.0 (01/03/26 12:01:00)] was not greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK "
        "transition)."
    )
    assert room.pass_(60) == "OK"
    assert room.pass_(120) == "INSUFFICIENT_DATA"
    assert room.described()["StateReason"] == "Insufficient Data: 1 datapoint was unknown."
    assert room.history(AlarmName="depth") == [
        'Alarm "depth" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to INSUFFICIENT_DATA",
    ]
    assert room.history(AlarmName="depth", HistoryItemType="ConfigurationUpdate") == ['Alarm "depth" created']


@pytest.mark.parametrize(
    ("treatment", "state", "words"),
    [
        (
            "breaching",
            "ALARM",
            "no datapoints were received for 2 periods and 2 missing datapoints were treated as [Br",
        ),
        ("notBreaching", "OK", "for 2 periods and 2 missing datapoints were treated as [NonBreaching]."),
        ("missing", "INSUFFICIENT_DATA", "Insufficient Data: 2 datapoints were unknown."),
        ("ignore", "INSUFFICIENT_DATA", "Unchecked: Initial alarm creation"),
    ],
)
def test_without_data_the_treatment_decides(room: Room, treatment: str, state: str, words: str) -> None:
    room.alarm(TreatMissingData=treatment, EvaluationPeriods=2)
    assert room.pass_(60) == state
    assert words in room.described()["StateReason"]


def test_short_periods_are_looked_at_every_ten_seconds(room: Room) -> None:
    room.alarm(Period=10)
    room.measured(9.0)
    assert room.pass_(5) == "INSUFFICIENT_DATA"
    assert room.pass_(4.5) == "ALARM"


def test_a_long_period_slides_by_the_minute(room: Room) -> None:
    room.alarm(Period=300, Statistic="Sum")
    room.pass_(1)
    room.measured(4.0)
    assert room.pass_(240) == "OK"
    room.measured(4.0)
    assert room.pass_(60) == "ALARM"


def test_what_is_counted_late_is_noticed_in_the_same_minute(room: Room) -> None:
    room.alarm()
    room.measured(1.0)
    assert room.pass_(60) == "OK"
    room.measured(9.0, ago_s=30)
    assert room.pass_(1) == "OK"
    assert room.pass_(5) == "ALARM"


def test_a_state_that_was_set_lasts_until_the_next_evaluation(room: Room) -> None:
    room.alarm(OKActions=[TOPIC])
    room.measured(9.0)
    assert room.pass_(60) == "ALARM"
    room.ask("SetAlarmState", AlarmName="depth", StateValue="OK", StateReason="a test", StateReasonData='{"a": 1}')
    assert (room.described()["StateReason"], room.described()["StateReasonData"]) == ("a test", '{"a": 1}')
    assert room.pass_(30) == "OK"
    room.measured(9.0)
    assert room.pass_(30) == "ALARM"


def test_two_of_three(room: Room) -> None:
    room.alarm(EvaluationPeriods=3, DatapointsToAlarm=2)
    states = []
    for value in (9.0, 1.0, 9.0, 1.0, 1.0):
        room.measured(value)
        states.append(room.pass_(60))
    assert states == ["INSUFFICIENT_DATA", "OK", "ALARM", "OK", "OK"]


def test_an_alarm_on_an_expression(room: Room) -> None:
    def stat(name: str, statistic: str) -> dict[str, Any]:
        metric = {"Namespace": "Mine", "MetricName": "Depth"}
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}, "ReturnData": False}

    plain = {key: ALARM[key] for key in ("AlarmName", "EvaluationPeriods", "Threshold", "ComparisonOperator")}
    queries = [stat("a", "Sum"), stat("b", "SampleCount"), {"Id": "e", "Expression": "a / b", "Label": "mean"}]
    room.ask("PutMetricAlarm", **plain, Metrics=queries)
    room.measured(4.0)
    room.measured(8.0)
    assert room.pass_(60) == "ALARM"
    assert "[6.0 (" in room.described()["StateReason"]


def test_an_alarm_on_a_percentile_may_wait_for_enough_samples(room: Room) -> None:
    extended = {key: value for key, value in ALARM.items() if key != "Statistic"} | {"ExtendedStatistic": "p90"}
    room.ask("PutMetricAlarm", **extended, EvaluateLowSampleCountPercentile="ignore")
    for _ in range(99):
        room.measured(9.0)
    assert room.pass_(60) == "INSUFFICIENT_DATA"
    for _ in range(100):
        room.measured(9.0)
    assert room.pass_(60) == "ALARM"


def test_another_configuration_keeps_the_state_and_is_looked_at_soon(room: Room) -> None:
    room.alarm()
    room.measured(9.0)
    room.pass_(60)
    room.alarm(Threshold=20.0)
    assert room.described()["StateValue"] == "ALARM"
    assert room.pass_(1) == "OK"
    assert 'Alarm "depth" updated' in room.history()


def test_everything_is_there_after_a_restart(room: Room) -> None:
    room.alarm(Tags=[{"Key": "team", "Value": "a"}])
    room.measured(9.0)
    room.pass_(60)
    before, said = room.described(), room.history()
    room.store.close()
    room.open()
    assert room.described() == before
    assert room.history() == said
    arn = before["AlarmArn"]
    assert room.ask("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    room.ask("TagResource", ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    room.ask("UntagResource", ResourceARN=arn, TagKeys=["team"])
    assert room.ask("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert room.pass_(1) == "ALARM"


# composite alarms --------------------------------------------------------------------------------------------------


def test_a_composite_alarm_follows_its_children(room: Room) -> None:
    room.alarm()
    room.alarm(AlarmName="other")
    room.ask("PutCompositeAlarm", AlarmName="both", AlarmRule="ALARM(depth) AND NOT ALARM(other)")
    assert room.described("both")["StateValue"] == "OK"
    room.ask("SetAlarmState", AlarmName="depth", StateValue="ALARM", StateReason="a test")
    assert room.described("both")["StateValue"] == "ALARM"
    assert room.described("both")["StateReason"] == (
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:depth transitioned to ALARM at "
        "Sunday 01 March, 2026 12:00:02 UTC"
    )
    room.ask("PutCompositeAlarm", AlarmName="above", AlarmRule="OK(both)")
    room.ask("SetAlarmState", AlarmName="other", StateValue="ALARM", StateReason="a test")
    assert [room.described(name)["StateValue"] for name in ("both", "above")] == ["OK", "ALARM"]
    assert [each["AlarmName"] for each in room.ask("DescribeAlarms", ChildrenOfAlarmName="both")["MetricAlarms"]] == [
        "depth", "other",
    ]  # fmt: skip
    parents = room.ask("DescribeAlarms", ParentsOfAlarmName="both")["CompositeAlarms"]
    assert [each["AlarmName"] for each in parents] == ["above"]
    with pytest.raises(ApiError, match="depending on it"):
        room.ask("DeleteAlarms", AlarmNames=["depth"])
    with pytest.raises(ApiError, match="through others"):
        room.ask("PutCompositeAlarm", AlarmName="both", AlarmRule="ALARM(above)")
    room.ask("DeleteAlarms", AlarmNames=["depth", "other", "both", "above"])
    assert room.ask("DescribeAlarms", AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


# actions -----------------------------------------------------------------------------------------------------------


class Called:
    """Services and functions that keep what they were called with; `fail` says how a call goes wrong."""

    def __init__(self, fail: Callable[[int], Exception | None] = lambda _: None) -> None:
        self.published: list[dict[str, Any]] = []
        self.invoked: list[tuple[str, str, Any]] = []
        self.attempts = 0
        self._fail = fail

    def _count(self) -> None:
        self.attempts += 1
        error = self._fail(self.attempts)
        if error is not None:
            raise error

    async def call(self, service: str, operation: str, **parameters: Any) -> Any:
        self._count()
        assert (service, operation) == ("sns", "publish")
        self.published.append(parameters)

    async def invoke(self, function_arn: str, alarm_arn: str, event: bytes) -> None:
        self._count()
        self.invoked.append((function_arn, alarm_arn, json.loads(event)))


def act(room: Room, called: Called) -> None:
    """Do what is pending."""

    async def run() -> None:
        actor = Actor(room.store, called, called.invoke, room.clock, SCOPE, pause_s=0)
        actor.start()
        while room.store.pending():
            await asyncio.sleep(0)
        await actor.stop()

    asyncio.run(asyncio.wait_for(run(), 5))


def test_actions_tell_topics_and_functions_what_changed(room: Room) -> None:
    room.alarm(AlarmActions=[TOPIC, FUNCTION], OKActions=[TOPIC], AlarmDescription="too deep", Unit="Count")
    room.measured(9.0)
    room.pass_(60)
    assert room.nudges == 1
    called = Called()
    act(room, called)
    (sent,) = called.published
    assert (sent["TopicArn"], sent["Subject"]) == (TOPIC, 'ALARM: "depth" in us-east-1')
    message = json.loads(sent["Message"])
    assert (message["OldStateValue"], message["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert message["AlarmDescription"] == "too deep"
    assert message["Trigger"]["Statistic"] == "MAXIMUM"
    ((function, alarm, event),) = called.invoked
    assert (function, alarm) == (FUNCTION, "arn:aws:cloudwatch:us-east-1:123456789012:alarm:depth")
    assert event["source"] == "aws.cloudwatch"
    assert event["alarmData"]["state"]["value"] == "ALARM"
    assert event["alarmData"]["previousState"]["reason"] == "Unchecked: Initial alarm creation"
    (metric,) = event["alarmData"]["configuration"]["metrics"]
    assert metric["metricStat"] == {
        "metric": {"namespace": "Mine", "name": "Depth", "dimensions": {}},
        "period": 60,
        "stat": "Maximum",
        "unit": "Count",
    }
    assert room.history(HistoryItemType="Action") == [
        f"Successfully executed action {TOPIC}", f"Successfully executed action {FUNCTION}",
    ]  # fmt: skip


def test_an_alarm_that_stays_or_is_disabled_does_nothing(room: Room) -> None:
    room.alarm(AlarmActions=[TOPIC])
    room.ask("DisableAlarmActions", AlarmNames=["depth"])
    room.measured(9.0)
    assert room.pass_(60) == "ALARM"
    assert room.store.pending() == []
    room.ask("EnableAlarmActions", AlarmNames=["depth"])
    room.measured(9.0)
    assert room.pass_(60) == "ALARM"
    assert room.store.pending() == []


def test_what_was_not_done_is_done_after_a_restart(room: Room) -> None:
    room.alarm(AlarmActions=[TOPIC])
    room.measured(9.0)
    room.pass_(60)
    room.store.close()
    room.open()
    called = Called()
    act(room, called)
    assert len(called.published) == 1
    assert room.store.pending() == []


def test_a_failure_is_tried_again_and_a_refusal_is_not(room: Room) -> None:
    room.alarm(AlarmActions=[TOPIC])
    room.measured(9.0)
    room.pass_(60)
    called = Called(lambda attempt: OSError("away") if attempt < 3 else None)
    act(room, called)
    assert (called.attempts, len(called.published)) == (3, 1)
    for kind, attempts in ((Refused("no"), 1), (OSError("away"), 3)):
        room.ask("SetAlarmState", AlarmName="depth", StateValue="OK", StateReason="r")
        room.ask("SetAlarmState", AlarmName="depth", StateValue="ALARM", StateReason="r")
        called = Called(lambda _, kind=kind: kind)  # type: ignore[misc]
        act(room, called)
        assert called.attempts == attempts
    assert room.history(HistoryItemType="Action") == [
        f"Successfully executed action {TOPIC}", *[f"Failed to execute action {TOPIC}"] * 2,
    ]  # fmt: skip


def test_an_action_of_another_service_is_recorded_as_failed(room: Room) -> None:
    room.alarm(AlarmActions=["arn:aws:automate:us-east-1:ec2:stop"])
    room.measured(9.0)
    room.pass_(60)
    act(room, Called())
    assert room.history(HistoryItemType="Action") == ["Failed to execute action arn:aws:automate:us-east-1:ec2:stop"]


# requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Period": 15}, "10, 20, 30 or a multiple of 60"),
        ({"Period": 60, "EvaluationPeriods": 1441}, "more than a day"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "more than a day"),
        ({"DatapointsToAlarm": 2}, "less than or equal to EvaluationPeriods"),
        ({"TreatMissingData": "perhaps"}, "Option perhaps is not supported"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "percentile"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "Anomaly detection"),
        ({"ThresholdMetricId": "a"}, "Anomaly detection"),
        ({"ExtendedStatistic": "p90"}, "Exactly one of"),
        ({"Statistic": None, "ExtendedStatistic": "tm99"}, "tm99"),
        ({"Threshold": None}, "Threshold is required"),
        ({"MetricName": None}, "MetricName is required"),
        ({"AlarmActions": ["nobody"]}, "Invalid arn syntax"),
        ({"AlarmName": "ü"}, "ASCII"),
        ({"EvaluationWindow": {"WallClockWindow": {}}}, "WallClockWindow"),
        ({"Metrics": [{"Id": "a", "Expression": "1"}]}, "mutually exclusive"),
    ],
)
def test_a_wrong_alarm_is_refused(room: Room, changes: Mapping[str, Any], words: str) -> None:
    given = {key: value for key, value in {**ALARM, **changes}.items() if value is not None}
    with pytest.raises(ApiError, match=words):
        room.ask("PutMetricAlarm", **given)
    assert room.store.all() == []


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        ([{"Id": "a", "Expression": "1"}, {"Id": "b", "Expression": "2"}], "Exactly one element"),
        ([{"Id": "a", "Expression": "1 +"}], "ends too early"),
        ([{"Id": "a"}], "Exactly one of MetricStat"),
    ],
)
def test_wrong_metrics_of_an_alarm_are_refused(room: Room, queries: list[Any], words: str) -> None:
    plain = {key: ALARM[key] for key in ("AlarmName", "EvaluationPeriods", "Threshold", "ComparisonOperator")}
    with pytest.raises(ApiError, match=words):
        room.ask("PutMetricAlarm", **plain, Metrics=queries)


def test_alarms_are_found_by_what_is_asked(room: Room) -> None:
    for name in ("b", "a2", "a1"):
        room.alarm(AlarmName=name, AlarmActions=[TOPIC] if name == "b" else [])
    room.ask("SetAlarmState", AlarmName="a1", StateValue="OK", StateReason="r")

    def found(**parameters: Any) -> list[str]:
        return [each["AlarmName"] for each in room.ask("DescribeAlarms", **parameters)["MetricAlarms"]]

    assert found() == ["a1", "a2", "b"]
    assert found(AlarmNamePrefix="a") == ["a1", "a2"]
    assert found(StateValue="OK") == ["a1"]
    assert found(ActionPrefix="arn:aws:sns") == ["b"]
    assert found(AlarmNames=["b", "absent"]) == ["b"]
    first = room.ask("DescribeAlarms", MaxRecords=2)
    assert found(NextToken=first["NextToken"], MaxRecords=2) == ["b"]
    metric = {"MetricName": "Depth", "Namespace": "Mine"}
    assert len(room.ask("DescribeAlarmsForMetric", **metric)["MetricAlarms"]) == 3
    place = [{"Name": "x", "Value": "y"}]
    assert room.ask("DescribeAlarmsForMetric", **metric, Dimensions=place)["MetricAlarms"] == []


def test_what_does_not_exist_is_said(room: Room) -> None:
    for operation, parameters in (
        ("SetAlarmState", {"AlarmName": "x", "StateValue": "OK", "StateReason": "r"}),
        ("DeleteAlarms", {"AlarmNames": ["x"]}),
    ):
        with pytest.raises(ApiError) as error:
            room.ask(operation, **parameters)
        assert error.value.code == "ResourceNotFound"
    room.alarm()
    with pytest.raises(ApiError, match="no JSON"):
        room.ask("SetAlarmState", AlarmName="depth", StateValue="OK", StateReason="r", StateReasonData="{")
    with pytest.raises(ApiError, match="unable to find alarm"):
        room.ask("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(absent)")
    with pytest.raises(ApiError, match="the alarm itself"):
        room.ask("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(c)")

"""CloudWatch's alarms through boto3, against the local runtime and moto alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.cloudwatch.conftest import Target
from tests.fakes.runtime_process import until

TOPIC = "arn:aws:sns:us-east-1:123456789012:told"


def put(target: Target, name: str, **changes: Any) -> None:
    """An alarm on the metric Depth of a namespace with the alarm's name."""
    given = {
        "Namespace": name, "MetricName": "Depth", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold", **changes,
    }  # fmt: skip
    target.cloudwatch.put_metric_alarm(AlarmName=name, **given)


def described(target: Target, name: str) -> Any:
    """The alarm."""
    answer = target.cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found: list[Any] = answer["MetricAlarms"] + answer["CompositeAlarms"]
    assert len(found) == 1
    return found[0]


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    """The error's code and status."""
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_an_alarm_is_told_as_it_was_put(target: Target) -> None:
    name = target.new_name()
    settings = {
        "AlarmDescription": "too deep", "AlarmActions": [TOPIC], "TreatMissingData": "notBreaching",
        "Dimensions": [{"Name": "Queue", "Value": "a"}], "DatapointsToAlarm": 1,
    }  # fmt: skip
    put(target, name, **settings)
    found = described(target, name)
    assert {key: found[key] for key in settings} == settings
    assert found["AlarmArn"] == f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"
    assert found["ActionsEnabled"] is True


@pytest.mark.moto_differs("begins with OK")
def test_an_alarm_begins_without_data(target: Target) -> None:
    name = target.new_name()
    put(target, name)
    found = described(target, name)
    assert (found["StateValue"], found["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")


@pytest.mark.moto_differs("has no DescribeAlarmHistory that works")
def test_a_state_can_be_set_and_is_in_the_history(target: Target) -> None:
    name = target.new_name()
    put(target, name)
    target.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="r", StateReasonData="{}")
    found = described(target, name)
    assert (found["StateValue"], found["StateReason"], found["StateReasonData"]) == ("ALARM", "r", "{}")
    items = target.cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    told = json.loads(items[0]["HistoryData"])
    assert (told["oldState"]["stateValue"], told["newState"]["stateValue"]) == ("INSUFFICIENT_DATA", "ALARM")


def test_actions_are_disabled_and_enabled(target: Target) -> None:
    name = target.new_name()
    put(target, name)
    target.cloudwatch.disable_alarm_actions(AlarmNames=[name])
    assert described(target, name)["ActionsEnabled"] is False
    target.cloudwatch.enable_alarm_actions(AlarmNames=[name])
    assert described(target, name)["ActionsEnabled"] is True


@pytest.mark.moto_differs("ignores the state beside a prefix")
def test_alarms_are_found_by_prefix_and_state(target: Target) -> None:
    prefix = target.new_name("found")
    for letter in "ab":
        put(target, f"{prefix}-{letter}")
    target.cloudwatch.set_alarm_state(AlarmName=f"{prefix}-b", StateValue="ALARM", StateReason="r")
    found = target.cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    assert [each["AlarmName"] for each in found] == [f"{prefix}-a", f"{prefix}-b"]
    found = target.cloudwatch.describe_alarms(AlarmNamePrefix=prefix, StateValue="ALARM")["MetricAlarms"]
    assert [each["AlarmName"] for each in found] == [f"{prefix}-b"]


def test_alarms_are_found_by_their_metric(target: Target) -> None:
    name, other = target.new_name(), target.new_name()
    put(target, name)
    put(target, other)
    found = target.cloudwatch.describe_alarms_for_metric(Namespace=name, MetricName="Depth")["MetricAlarms"]
    assert [each["AlarmName"] for each in found] == [name]


def test_tags(target: Target) -> None:
    name = target.new_name()
    put(target, name, Tags=[{"Key": "a", "Value": "1"}])
    arn = described(target, name)["AlarmArn"]
    target.cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    target.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert target.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.mark.moto_differs("fails without actions")
def test_composite_alarms(target: Target) -> None:
    child, name = target.new_name(), target.new_name()
    put(target, child)
    target.cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f"ALARM({child})", AlarmDescription="d")
    found = described(target, name)
    assert (found["AlarmRule"], found["AlarmDescription"]) == (f"ALARM({child})", "d")


@pytest.mark.moto_differs("evaluates no composite alarms")
def test_a_composite_alarm_follows_its_rule(target: Target) -> None:
    child, name = target.new_name(), target.new_name()
    put(target, child)
    target.cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f"ALARM({child})")
    target.cloudwatch.set_alarm_state(AlarmName=child, StateValue="ALARM", StateReason="r")
    assert described(target, name)["StateValue"] == "ALARM"


def test_a_deleted_alarm_is_gone(target: Target) -> None:
    name = target.new_name()
    put(target, name)
    target.cloudwatch.delete_alarms(AlarmNames=[name])
    assert target.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def test_the_state_of_what_does_not_exist_cannot_be_set(target: Target) -> None:
    with pytest.raises(ClientError) as error:
        target.cloudwatch.set_alarm_state(AlarmName="absent", StateValue="OK", StateReason="r")
    assert code(error) == ("ResourceNotFound", 404)


@pytest.mark.moto_differs("deletes nothing silently")
def test_what_does_not_exist_cannot_be_deleted(target: Target) -> None:
    with pytest.raises(ClientError) as error:
        target.cloudwatch.delete_alarms(AlarmNames=["absent"])
    assert code(error) == ("ResourceNotFound", 404)


@pytest.mark.moto_differs("takes any")
@pytest.mark.parametrize("changes", [{"Period": 45}, {"DatapointsToAlarm": 5}, {"TreatMissingData": "perhaps"}])
def test_wrong_alarms_are_refused(target: Target, changes: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        put(target, target.new_name(), **changes)
    assert code(error) == ("ValidationError", 400)


def test_an_alarm_goes_off_and_comes_to_rest_by_itself(runtime: Target) -> None:
    name = runtime.new_name()
    put(runtime, name, Period=10, TreatMissingData="notBreaching", EvaluationPeriods=1)
    datum = {"MetricName": "Depth", "Value": 9.0, "StorageResolution": 1, "Timestamp": datetime.now(UTC)}
    runtime.cloudwatch.put_metric_data(Namespace=name, MetricData=[datum])
    until(lambda: described(runtime, name)["StateValue"] == "ALARM", 25)
    assert "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (" in described(runtime, name)["StateReason"]

"""Alarms that go off on what functions did, and what they set going: a topic, a function, both for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.fakes.runtime_process import RuntimeProcess, until

FAILING = "def handler(event, context):\n    raise ValueError('no')\n"
TELLING = (
    "def handler(event, context):\n    data = event['alarmData']\n"
    "    print('TOLD', data['alarmName'], data['previousState']['value'], data['state']['value'], event['alarmArn'])\n"
)


def put(server: RuntimeProcess, name: str, *actions: str, **changes: Any) -> None:
    """An alarm on any error of the function `failing` in ten seconds."""
    given = {
        "Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [{"Name": "FunctionName", "Value": "failing"}],
        "Statistic": "Sum", "Period": 10, "EvaluationPeriods": 1, "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching", **changes,
    }  # fmt: skip
    server.client("cloudwatch").put_metric_alarm(AlarmName=name, AlarmActions=list(actions), **given)


def state(server: RuntimeProcess, name: str) -> str:
    """The state of an alarm."""
    (found,) = server.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found["StateValue"])


def history(server: RuntimeProcess, name: str, kind: str) -> list[str]:
    """What happened to an alarm, newest first."""
    answer = server.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType=kind)
    return [item["HistorySummary"] for item in answer["AlarmHistoryItems"]]


def test_an_alarm_on_errors_tells_a_topic_and_invokes_the_function_that_lets_it(server: RuntimeProcess) -> None:
    server.create("failing", FAILING)
    server.create("allowing", TELLING)
    server.create("refusing", TELLING)
    server.client().add_permission(
        FunctionName="allowing", StatementId="alarms", Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
        SourceArn="arn:aws:cloudwatch:us-east-1:123456789012:alarm:rings",
    )  # fmt: skip
    sqs, sns = server.client("sqs"), server.client("sns")
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="told")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    functions = [f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in ("allowing", "refusing")]
    put(server, "rings", topic, *functions)

    server.client().invoke(FunctionName="failing", Payload=b"{}")

    until(lambda: state(server, "rings") == "ALARM", 25)
    until(lambda: len(history(server, "rings", "Action")) == 3, 20)
    assert history(server, "rings", "Action") == [
        f"Failed to execute action {functions[1]}",
        f"Successfully executed action {functions[0]}",
        f"Successfully executed action {topic}",
    ]
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    envelope = json.loads(message["Body"])
    told = json.loads(envelope["Message"])
    assert envelope["Subject"] == 'ALARM: "rings" in us-east-1'
    assert (told["NewStateValue"], told["Trigger"]["MetricName"]) == ("ALARM", "Errors")
    until(lambda: "TOLD rings" in server.log_text("allowing"))
    assert " ALARM arn:aws:cloudwatch:us-east-1:123456789012:alarm:rings" in server.log_text("allowing")
    assert "TOLD" not in server.log_text("refusing")


def test_alarms_and_their_states_survive_a_killed_server(own_server: Callable[..., RuntimeProcess]) -> None:
    server = own_server()
    server.create("failing", FAILING)
    put(server, "lasting", EvaluationPeriods=3, DatapointsToAlarm=1)
    server.client().invoke(FunctionName="failing", Payload=b"{}")
    until(lambda: state(server, "lasting") == "ALARM", 25)
    said = history(server, "lasting", "StateUpdate")
    server.kill()
    server.start()
    assert state(server, "lasting") == "ALARM"
    assert history(server, "lasting", "StateUpdate") == said

"""What tests of pollers share: functions that write down what they get, and queues and streams to read from."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.runtime_process import RuntimeProcess, until

RECORDS = """
import json, os, time
def handler(event, context):
    line = json.dumps({"at": time.time(), "event": event}) + "\\n"
    print("SEEN " + line.strip())
    bodies = [record.get("body", "") for record in event.get("Records", [])]
    for body in bodies:
        if body.startswith("sleep "):
            time.sleep(float(body.split()[1]))
    if any(body == "fail" for body in bodies):
        raise ValueError("on purpose")
    return {"batchItemFailures": [
        {"itemIdentifier": record["messageId"]} for record in event.get("Records", []) if record.get("body") == "bad"
    ]}
"""


def seen(server: RuntimeProcess, function: str) -> list[dict[str, Any]]:
    """The events the function got, in order of their log lines."""
    lines = []
    for line in server.log_text(function).splitlines():
        stamp, _, text = line.partition(" ")
        if text.startswith("SEEN "):
            lines.append((stamp, json.loads(text.removeprefix("SEEN "))))
    return [entry["event"] for _, entry in sorted(lines, key=lambda each: each[1]["at"])]


def bodies(server: RuntimeProcess, function: str) -> list[list[str]]:
    """The bodies of each batch of messages the function got."""
    return [[record["body"] for record in event["Records"]] for event in seen(server, function)]


def queue(server: RuntimeProcess, name: str, visibility_s: int = 30, **attributes: str) -> tuple[str, str]:
    """URL and ARN of a new queue."""
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(visibility_s), **attributes})[
        "QueueUrl"
    ]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def counts(server: RuntimeProcess, url: str) -> tuple[int, int]:
    """Messages that are visible in the queue, and that are being dealt with."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = server.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def received(server: RuntimeProcess, url: str) -> list[Any]:
    """Every message that is in the queue now, with its attributes; they are taken out."""
    sqs = server.client("sqs")
    found: list[Any] = []
    while True:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
        ).get("Messages", [])
        if not answer:
            return found
        for message in answer:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += answer


def soon(server: RuntimeProcess, url: str, enough: Callable[[list[Any]], bool] = bool) -> list[Any]:
    """The messages that arrived in the queue, once they are enough (usually one); they are taken out."""
    found: list[Any] = []

    def arrived() -> bool:
        found.extend(received(server, url))
        return enough(found)

    until(arrived, 30)
    return found


def mapped(server: RuntimeProcess, function: str, source: str, **settings: Any) -> str:
    """The UUID of a new mapping, Enabled."""
    lambda_ = server.client()
    made = lambda_.create_event_source_mapping(FunctionName=function, EventSourceArn=source, **settings)
    assert made["State"] == "Creating"
    until(lambda: lambda_.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled")
    return str(made["UUID"])


def metric(server: RuntimeProcess, name: str, value: str, dimension: str = "FunctionName") -> float:
    """The sum of one of Lambda's metrics, usually of a function."""
    now = datetime.now(UTC)
    answer = server.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=name, Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=1), Period=60, Statistics=["Sum"],
    )  # fmt: skip
    return float(sum(point["Sum"] for point in answer["Datapoints"]))

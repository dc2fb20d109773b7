"""Events of other services invoke functions for real, each as its service: S3, SNS, EventBridge, Scheduler."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.runtime_process import RuntimeProcess, until

ACCOUNT = "123456789012"
KEEPER = "import json\ndef handler(event, context):\n    print('EVENT ' + json.dumps(event))\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """One runtime for all tests of this file."""
    process = RuntimeProcess(tmp_path_factory.mktemp("runtime") / "home")
    process.start()
    yield process
    assert process.stop() == 0
    assert process.descendants() == []


def keeper(server: RuntimeProcess, name: str) -> str:
    """The ARN of a function that logs its events."""
    server.create(name, KEEPER)
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


def allow(server: RuntimeProcess, name: str, principal: str, source_arn: str) -> None:
    """Let the service invoke the function for that source."""
    server.client().add_permission(
        FunctionName=name, StatementId=principal.partition(".")[0], Action="lambda:InvokeFunction",
        Principal=principal, SourceArn=source_arn,
    )  # fmt: skip


def events(server: RuntimeProcess, name: str, count: int = 1, timeout_s: float = 15.0) -> list[Any]:
    """The first `count` events that the function was given, once they are there."""

    def found() -> list[Any]:
        lines = server.log_text(name).replace("\r", "\n").split("\n")
        return [json.loads(line.partition("EVENT ")[2]) for line in lines if "EVENT " in line]

    until(lambda: len(found()) >= count, timeout_s)
    return found()


def received(server: RuntimeProcess, queue: str) -> list[Any]:
    """What is in the queue, once something is."""
    found: list[Any] = []

    def receive() -> bool:
        answer = server.client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"])
        found.extend(answer.get("Messages", []))
        return bool(found)

    until(receive)
    return found


def test_an_object_that_is_put_invokes_the_function(server: RuntimeProcess) -> None:
    arn, s3 = keeper(server, "on-put"), server.client("s3")
    s3.create_bucket(Bucket="uploads")
    allow(server, "on-put", "s3.amazonaws.com", "arn:aws:s3:::uploads")
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".txt"}]
    s3.put_bucket_notification_configuration(
        Bucket="uploads",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {
                    "Id": "texts",
                    "LambdaFunctionArn": arn,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": rules}},
                }
            ]
        },
    )
    s3.put_object(Bucket="uploads", Key="out/a.txt", Body=b"no")
    s3.put_object(Bucket="uploads", Key="in/a b+c.txt", Body=b"hello")
    record = events(server, "on-put")[0]["Records"][0]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["eventSource"] == "aws:s3"
    assert record["s3"]["bucket"]["arn"] == "arn:aws:s3:::uploads"
    assert record["s3"]["configurationId"] == "texts"
    thing = record["s3"]["object"]
    assert (thing["key"], thing["size"], thing["eTag"]) == ("in/a+b%2Bc.txt", 5, "5d41402abc4b2a76b9719d911017c592")
    assert len(events(server, "on-put")) == 1


def test_copies_uploads_in_parts_delete_markers_and_deletions_have_their_own_names(server: RuntimeProcess) -> None:
    arn, s3 = keeper(server, "on-change"), server.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    allow(server, "on-change", "s3.amazonaws.com", "arn:aws:s3:::versions")
    wanted = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    s3.put_bucket_notification_configuration(
        Bucket="versions",
        NotificationConfiguration={"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": wanted}]},
    )
    s3.put_object(Bucket="versions", Key="first", Body=b"hello")
    s3.copy_object(Bucket="versions", Key="copy", CopySource={"Bucket": "versions", "Key": "first"})
    upload = s3.create_multipart_upload(Bucket="versions", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="versions", Key="parts", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    s3.complete_multipart_upload(
        Bucket="versions", Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"ETag": part, "PartNumber": 1}]}
    )
    marker = s3.delete_object(Bucket="versions", Key="first")["VersionId"]

    def told() -> dict[str, Any]:  # an event may be delivered more than once
        records = [each["Records"][0] for each in events(server, "on-change")]
        return {each["eventName"]: each["s3"]["object"] for each in records}

    until(lambda: len(told()) >= 4, 20)
    by_name = told()
    assert set(by_name) == {
        "ObjectCreated:Put", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload",
        "ObjectRemoved:DeleteMarkerCreated",
    }  # fmt: skip
    gone = by_name["ObjectRemoved:DeleteMarkerCreated"]
    assert (gone["key"], gone["versionId"], "size" in gone) == ("first", marker, False)
    assert by_name["ObjectCreated:Copy"]["size"] == 5


def test_a_bucket_does_not_take_a_function_that_s3_may_not_invoke(server: RuntimeProcess) -> None:
    arn, s3 = keeper(server, "closed"), server.client("s3")
    s3.create_bucket(Bucket="closed-uploads")
    wanted = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations") as refused:
        s3.put_bucket_notification_configuration(Bucket="closed-uploads", NotificationConfiguration=wanted)
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    allow(server, "closed", "s3.amazonaws.com", "arn:aws:s3:::another-bucket")
    with pytest.raises(ClientError, match="Unable to validate"):
        s3.put_bucket_notification_configuration(Bucket="closed-uploads", NotificationConfiguration=wanted)


def test_a_topic_brings_messages_that_pass_the_filter(server: RuntimeProcess) -> None:
    arn, sns = keeper(server, "on-message"), server.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    allow(server, "on-message", "sns.amazonaws.com", topic)
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=arn, ReturnSubscriptionArn=True,
        Attributes={"FilterPolicy": json.dumps({"kind": ["good"]})},
    )["SubscriptionArn"]  # fmt: skip
    for kind in ("bad", "good"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sent = sns.publish(TopicArn=topic, Subject="Hear", Message=kind, MessageAttributes=attributes)["MessageId"]
    record = events(server, "on-message")[0]["Records"][0]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", subscription)
    message = record["Sns"]
    assert (message["Message"], message["Subject"], message["MessageId"]) == ("good", "Hear", sent)
    assert message["MessageAttributes"] == {"kind": {"Type": "String", "Value": "good"}}
    assert message["TopicArn"] == topic


def test_a_message_that_the_function_may_not_be_given_goes_to_the_dead_letter_queue(server: RuntimeProcess) -> None:
    arn, sns, sqs = keeper(server, "not-for-sns"), server.client("sns"), server.client("sqs")
    queue = sqs.create_queue(QueueName="sns-dead")["QueueUrl"]
    topic = sns.create_topic(Name="unheard")["TopicArn"]
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:sns-dead"}
    attributes = {"RedrivePolicy": json.dumps(policy)}
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn, Attributes=attributes)
    sns.publish(TopicArn=topic, Message="lost")
    found = received(server, queue)
    message = json.loads(found[0]["Body"])
    assert (message["Type"], message["Message"], message["TopicArn"]) == ("Notification", "lost", topic)


def test_a_rule_gives_its_function_what_the_target_says(server: RuntimeProcess) -> None:
    arn, bus = keeper(server, "on-order"), server.client("events")
    pattern = {"source": ["shop"], "detail": {"amount": [{"numeric": [">", 10]}], "state": [{"anything-but": "held"}]}}
    rule = bus.put_rule(Name="orders", EventPattern=json.dumps(pattern))["RuleArn"]
    allow(server, "on-order", "events.amazonaws.com", rule)
    transformer = {
        "InputPathsMap": {"who": "$.detail.customer.name", "items": "$.detail.items", "none": "$.detail.none"},
        "InputTemplate": '{"text": "for <who>", "items": <items>, "none": <none>, "rule": "<aws.events.rule-name>"}',
    }
    targets = [
        {"Id": "whole", "Arn": arn},
        {"Id": "part", "Arn": arn, "InputPath": "$.detail.items"},
        {"Id": "constant", "Arn": arn, "Input": '{"constant": 1}'},
        {"Id": "made", "Arn": arn, "InputTransformer": transformer},
    ]
    assert bus.put_targets(Rule="orders", Targets=targets)["FailedEntryCount"] == 0
    details = [
        {"amount": 5, "state": "new"},
        {"amount": 50, "state": "held"},
        {"amount": 50, "state": "new", "customer": {"name": "Ann"}, "items": ["a", 1]},
    ]
    entries = [{"Source": "shop", "DetailType": "Order", "Detail": json.dumps(each)} for each in details]
    assert bus.put_events(Entries=entries)["FailedEntryCount"] == 0
    given = events(server, "on-order", 4)
    assert len(given) == 4
    whole = next(each for each in given if isinstance(each, dict) and "detail" in each)
    assert set(whole) == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip
    assert (whole["detail-type"], whole["account"], whole["detail"]) == ("Order", ACCOUNT, details[2])
    assert ["a", 1] in given
    assert {"constant": 1} in given
    assert {"text": "for Ann", "items": ["a", 1], "none": None, "rule": "orders"} in given


def test_a_disabled_rule_and_one_without_permission_invoke_nothing(server: RuntimeProcess) -> None:
    arn, bus, sqs = keeper(server, "silent"), server.client("events"), server.client("sqs")
    queue = sqs.create_queue(QueueName="rule-dead")["QueueUrl"]
    dead = {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:rule-dead"}}
    off = bus.put_rule(Name="off", EventPattern='{"source": ["quiet"]}', State="DISABLED")["RuleArn"]
    allow(server, "silent", "events.amazonaws.com", off)
    bus.put_targets(Rule="off", Targets=[{"Id": "1", "Arn": arn}])
    refused = bus.put_rule(Name="refused", EventPattern='{"source": ["quiet"]}')["RuleArn"]
    bus.put_targets(Rule="refused", Targets=[{"Id": "1", "Arn": arn, **dead}])
    bus.put_events(Entries=[{"Source": "quiet", "DetailType": "x", "Detail": "{}"}])
    found = received(server, queue)
    attributes = {name: each["StringValue"] for name, each in found[0]["MessageAttributes"].items()}
    assert attributes["RULE_ARN"] == refused
    assert attributes["TARGET_ARN"] == arn
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "EVENT" not in server.log_text("silent")


def test_objects_are_told_to_eventbridge_when_the_bucket_asks_for_it(server: RuntimeProcess) -> None:
    arn, s3, bus = keeper(server, "on-object"), server.client("s3"), server.client("events")
    s3.create_bucket(Bucket="bus-uploads")
    s3.put_bucket_notification_configuration(
        Bucket="bus-uploads", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["bus-uploads"]}}}
    rule = bus.put_rule(Name="objects", EventPattern=json.dumps(pattern))["RuleArn"]
    allow(server, "on-object", "events.amazonaws.com", rule)
    bus.put_targets(Rule="objects", Targets=[{"Id": "1", "Arn": arn}])
    s3.put_object(Bucket="bus-uploads", Key="a b", Body=b"12")
    s3.delete_object(Bucket="bus-uploads", Key="a b")
    created, deleted = sorted(events(server, "on-object", 2), key=lambda each: str(each["detail-type"]))
    assert created["detail-type"] == "Object Created"
    assert created["detail"]["object"]["key"] == "a b"
    assert created["detail"]["reason"] == "PutObject"
    assert deleted["detail-type"] == "Object Deleted"
    assert deleted["detail"]["deletion-type"] == "Permanently Deleted"


def test_a_rule_writes_into_a_log_group(server: RuntimeProcess) -> None:
    logs, bus = server.client("logs"), server.client("events")
    logs.create_log_group(logGroupName="/aws/events/all")
    bus.put_rule(Name="to-logs", EventPattern='{"source": ["logged"]}')
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/events/all"
    bus.put_targets(Rule="to-logs", Targets=[{"Id": "1", "Arn": arn}])
    bus.put_events(Entries=[{"Source": "logged", "DetailType": "x", "Detail": '{"n": 1}'}])
    until(lambda: logs.filter_log_events(logGroupName="/aws/events/all")["events"])
    found = logs.filter_log_events(logGroupName="/aws/events/all")["events"]
    assert json.loads(found[0]["message"])["detail"] == {"n": 1}


def test_a_schedule_comes_due_once_and_is_deleted_when_it_asks_for_that(server: RuntimeProcess) -> None:
    arn, scheduler = keeper(server, "on-time"), server.client("scheduler")
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    schedule = scheduler.create_schedule(
        Name="once", ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})", FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": arn, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/scheduler",
            "Input": '{"at": "<aws.scheduler.scheduled-time>", "schedule": "<aws.scheduler.schedule-arn>"}',
        },
    )["ScheduleArn"]  # fmt: skip
    assert events(server, "on-time")[0] == {"at": f"{due:%Y-%m-%dT%H:%M:%SZ}", "schedule": schedule}
    until(lambda: not scheduler.list_schedules()["Schedules"])
    assert len(events(server, "on-time")) == 1


def test_schedule_expressions_that_aws_would_not_take_are_refused(server: RuntimeProcess) -> None:
    bus, scheduler = server.client("events"), server.client("scheduler")
    for expression in ("rate(1 minutes)", "rate(0 minutes)", "cron(0 0 * * * *)", "cron(61 0 * * ? *)"):
        with pytest.raises(ClientError, match="Parameter ScheduleExpression is not valid"):
            bus.put_rule(Name="bad", ScheduleExpression=expression)
    target = {"Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:x", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/x"}
    with pytest.raises(ClientError, match="Invalid Schedule Expression"):
        scheduler.create_schedule(
            Name="bad", ScheduleExpression="at(tomorrow)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
        )


def test_events_wait_for_a_server_that_was_killed(tmp_path: Path) -> None:
    server = RuntimeProcess(tmp_path / "home")
    server.start()
    try:
        arn, scheduler = keeper(server, "patient"), server.client("scheduler")
        assert scheduler.list_schedules()["Schedules"] == []
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        scheduler.create_schedule(
            Name="soon", ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})", FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/scheduler", "Input": '{"kept": true}'},
        )  # fmt: skip
        server.kill()
        until(lambda: datetime.now(UTC) > due + timedelta(seconds=0.5))
        server.start()
        assert events(server, "patient") == [{"kept": True}]
    finally:
        server.stop()
    assert server.descendants() == []

"""What a request to another service needs, told from requests as boto3 really makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from runtime.http import Request
from runtime.names import Scope
from runtime.policy.service_actions import needs

HOME, REGION = "123456789012", "us-east-1"
URL = "http://127.0.0.1:4566"
QUEUE = f"{URL}/{HOME}/jobs"
TABLE = f"arn:aws:dynamodb:{REGION}:{HOME}:table/orders"
BUCKET = "arn:aws:s3:::uploads"


def sent(service: str, call: Callable[[Any], object]) -> Request:
    """What the client would send, as the server sees it."""
    make: Any = boto3.client
    client = make(
        service,
        endpoint_url=URL, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing",
    )  # fmt: skip
    seen: list[Request] = []

    def catch(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        path, query = f"{request.url}?".removeprefix(URL).split("?")[:2]
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in dict(request.headers).items()
        }
        body: Any = request.body or b""
        body = body if isinstance(body, bytes | bytearray | str) else body.read()
        headers.setdefault("host", "127.0.0.1:4566")
        seen.append(
            Request(request.method, path, query, headers, body.encode() if isinstance(body, str) else bytes(body))
        )
        return AWSResponse(request.url, 418, HTTPHeaders(), None)

    client.meta.events.register("before-send", catch)
    with pytest.raises(Exception):  # noqa: B017  (no client understands such an answer)
        call(client)
    return seen[0]


@pytest.mark.parametrize(
    ("service", "call", "expected"),
    [
        ("s3", lambda c: c.list_buckets(), [("s3:ListAllMyBuckets", "*")]),
        ("s3", lambda c: c.create_bucket(Bucket="uploads"), [("s3:CreateBucket", BUCKET)]),
        ("s3", lambda c: c.list_objects_v2(Bucket="uploads", Prefix="a/"), [("s3:ListBucket", BUCKET)]),
        ("s3", lambda c: c.head_bucket(Bucket="uploads"), [("s3:ListBucket", BUCKET)]),
        ("s3", lambda c: c.get_object(Bucket="uploads", Key="a/b c"), [("s3:GetObject", f"{BUCKET}/a/b c")]),
        ("s3", lambda c: c.head_object(Bucket="uploads", Key="a"), [("s3:GetObject", f"{BUCKET}/a")]),
        ("s3", lambda c: c.put_object(Bucket="uploads", Key="a", Body=b"1"), [("s3:PutObject", f"{BUCKET}/a")]),
        ("s3", lambda c: c.delete_object(Bucket="uploads", Key="a"), [("s3:DeleteObject", f"{BUCKET}/a")]),
        ("s3", lambda c: c.get_object_tagging(Bucket="uploads", Key="a"), [("s3:GetObjectTagging", f"{BUCKET}/a")]),
        (
            "s3",
            lambda c: c.upload_part(Bucket="uploads", Key="a", PartNumber=1, UploadId="u", Body=b"1"),
            [("s3:PutObject", f"{BUCKET}/a")],
        ),
        (
            "s3",
            lambda c: c.copy_object(Bucket="uploads", Key="a", CopySource={"Bucket": "other", "Key": "b c"}),
            [("s3:PutObject", f"{BUCKET}/a"), ("s3:GetObject", "arn:aws:s3:::other/b c")],
        ),
        (
            "s3",
            lambda c: c.delete_objects(Bucket="uploads", Delete={"Objects": [{"Key": "a"}]}),
            [("s3:DeleteObject", None)],
        ),
        ("s3", lambda c: c.get_bucket_policy(Bucket="uploads"), [("s3:GetBucketPolicy", BUCKET)]),
        ("s3", lambda c: c.list_bucket_inventory_configurations(Bucket="uploads"), None),
        (
            "sqs",
            lambda c: c.send_message(QueueUrl=QUEUE, MessageBody="x"),
            [("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{HOME}:jobs")],
        ),
        (
            "sqs",
            lambda c: c.send_message_batch(QueueUrl=QUEUE, Entries=[{"Id": "1", "MessageBody": "x"}]),
            [("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{HOME}:jobs")],
        ),
        ("sqs", lambda c: c.list_queues(), [("sqs:ListQueues", "*")]),
        (
            "sns",
            lambda c: c.publish(TopicArn=f"arn:aws:sns:{REGION}:{HOME}:news", Message="x"),
            [("sns:Publish", f"arn:aws:sns:{REGION}:{HOME}:news")],
        ),
        ("dynamodb", lambda c: c.get_item(TableName="orders", Key={"id": {"S": "1"}}), [("dynamodb:GetItem", TABLE)]),
        (
            "dynamodb",
            lambda c: c.query(TableName="orders", IndexName="by-day", KeyConditionExpression="a = b"),
            [("dynamodb:Query", f"{TABLE}/index/by-day")],
        ),
        (
            "dynamodb",
            lambda c: c.batch_get_item(
                RequestItems={name: {"Keys": [{"id": {"S": "1"}}]} for name in ("orders", "lines")}
            ),
            [("dynamodb:BatchGetItem", TABLE), ("dynamodb:BatchGetItem", TABLE.replace("orders", "lines"))],
        ),
        (
            "dynamodb",
            lambda c: c.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": "orders", "Item": {}}},
                    {"Delete": {"TableName": "orders", "Key": {}}},
                ]
            ),
            [("dynamodb:PutItem", TABLE), ("dynamodb:DeleteItem", TABLE)],
        ),
        ("dynamodb", lambda c: c.execute_statement(Statement="SELECT * FROM orders"), None),
        (
            "kinesis",
            lambda c: c.put_record(StreamName="clicks", Data=b"1", PartitionKey="1"),
            [("kinesis:PutRecord", f"arn:aws:kinesis:{REGION}:{HOME}:stream/clicks")],
        ),
        ("secretsmanager", lambda c: c.get_secret_value(SecretId="db"), [("secretsmanager:GetSecretValue", None)]),
        (
            "ssm",
            lambda c: c.get_parameters(Names=["/app/a", "b"]),
            [
                ("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{HOME}:parameter/app/a"),
                ("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{HOME}:parameter/b"),
            ],
        ),
        (
            "events",
            lambda c: c.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}]),
            [("events:PutEvents", f"arn:aws:events:{REGION}:{HOME}:event-bus/default")],
        ),
        (
            "events",
            lambda c: c.put_rule(Name="nightly", ScheduleExpression="rate(1 day)"),
            [("events:PutRule", f"arn:aws:events:{REGION}:{HOME}:rule/nightly")],
        ),
        (
            "sts",
            lambda c: c.assume_role(RoleArn=f"arn:aws:iam::{HOME}:role/r", RoleSessionName="session"),
            [("sts:AssumeRole", f"arn:aws:iam::{HOME}:role/r")],
        ),
        ("sts", lambda c: c.get_caller_identity(), []),
        ("iam", lambda c: c.get_role(RoleName="r"), [("iam:GetRole", None)]),
        (
            "scheduler",
            lambda c: c.get_schedule(Name="s", GroupName="g"),
            [("scheduler:GetSchedule", f"arn:aws:scheduler:{REGION}:{HOME}:schedule/g/s")],
        ),
        ("apigateway", lambda c: c.get_rest_apis(), None),
        (
            "cloudwatch",
            lambda c: c.put_metric_data(Namespace="app", MetricData=[{"MetricName": "m", "Value": 1.0}]),
            [("cloudwatch:PutMetricData", "*")],
        ),
    ],
)
def test_requests_are_mapped_to_actions_and_resources(
    service: str, call: Callable[[Any], object], expected: list[tuple[str, str | None]] | None
) -> None:
    signing_name = {"cloudwatch": "monitoring"}.get(service, service)

    found = needs(signing_name, sent(service, call), Scope(HOME, REGION))

    assert (None if found is None else [(each.action, each.resource) for each in found]) == expected

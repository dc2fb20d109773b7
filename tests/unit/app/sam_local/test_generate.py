"""Sample events: each is complete, and its values are where and how they belong."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

import pytest

from app.sam_local.generate import generate, load, services
from core.errors import InvalidInput

ALL = [(service, name) for service, names in services().items() for name in names]
# Source: SAM CLI's list of services and events
SAM = {
    "alb": ("request",),
    "apigateway": ("authorizer", "aws-proxy", "http-api-proxy", "request-authorizer"),
    "batch": ("get-job", "submit-job"),
    "cloudformation": ("create-request",),
    "cloudwatch": ("logs", "scheduled-event"),
    "codecommit": ("repository",),
    "codepipeline": ("job",),
    "cognito": ("sync-trigger",),
    "config": ("item-change-notification", "oversized-item-change-notification", "periodic-rule"),
    "connect": ("contact-flow-event",),
    "dynamodb": ("update",),
    "kinesis": (
        "analytics", "analytics-compressed", "analytics-dynamodb", "analytics-kpl", "apachelog",
        "cloudwatch-logs-processor", "get-records", "kinesis-firehose", "streams-as-source", "syslog",
    ),
    "lex": ("book-car", "book-hotel", "make-appointment", "order-flowers"),
    "lex-v2": ("banking-bot", "book-car", "book-hotel"),
    "rekognition": ("s3-request",),
    "s3": ("batch-invocation", "delete", "put"),
    "sagemaker": ("ground-truth-annotation-consolidation", "ground-truth-pre-human"),
    "ses": ("email-receiving",),
    "sns": ("notification",),
    "sqs": ("receive-message",),
    "stepfunctions": ("error",),
    "workmail": ("email",),
}  # fmt: skip


def event(service: str, name: str, **given: str) -> Any:
    return generate(load(service, name), {key.replace("_", "-"): value for key, value in given.items()})


@pytest.mark.parametrize(("service", "name"), ALL)
def test_every_event_is_whole(service: str, name: str) -> None:
    """No placeholder is left, every field is used, and every field changes the event."""
    of = load(service, name)
    made = json.dumps(generate(of, {}))
    assert "{{" not in made
    assert of.help
    for field in of.fields.values():
        other = {"number": "77", "json": '{"changed": 77}'}.get(field.type, "changed")
        assert json.dumps(generate(of, {field.name: other})) != made, field.name


def test_everything_sam_has_is_there() -> None:
    """By the same names."""
    for service, names in SAM.items():
        assert set(names) <= set(services()[service])
    assert len(services()["cloudfront"]) == 11


def test_values_are_encoded_where_the_event_needs_it() -> None:
    """URL, base64, MD5, compressed."""
    (record,) = event("s3", "put", key="a b/é.txt", bucket="photos", size="7")["Records"]
    assert record["s3"]["object"]["key"] == "a+b/%C3%A9.txt"
    assert record["s3"]["object"]["size"] == 7
    assert record["s3"]["bucket"]["arn"] == "arn:aws:s3:::photos"
    (record,) = event("sqs", "receive-message", body="héllo")["Records"]
    assert record["md5OfBody"] == hashlib.md5("héllo".encode(), usedforsecurity=False).hexdigest()
    (record,) = event("kinesis", "get-records", data="x")["Records"]
    assert base64.b64decode(record["kinesis"]["data"]) == b"x"
    logs = event("cloudwatch", "logs", message='say "x"', log_group="/aws/lambda/orders")["awslogs"]["data"]
    told = json.loads(gzip.decompress(base64.b64decode(logs)))
    assert told["logGroup"] == "/aws/lambda/orders"
    assert told["logEvents"][0]["message"] == 'say "x"'
    proxy = event("apigateway", "aws-proxy", body="é", path="orders/7")
    assert base64.b64decode(proxy["body"]).decode() == "é"
    assert (proxy["isBase64Encoded"], proxy["path"], proxy["requestContext"]["path"]) == (
        True,
        "/orders/7",
        "/prod/orders/7",
    )
    rule = event("config", "periodic-rule", account_id="1")
    assert json.loads(rule["invokingEvent"])["awsAccountId"] == "1"


def test_an_aggregated_record_is_one_of_the_producer_library() -> None:
    """Its magic number, its checksum, and the data inside."""
    (record,) = event("kinesis", "analytics-kpl", message="x" * 200)["records"]
    raw = base64.b64decode(record["data"])
    assert raw[:4] == b"\xf3\x89\x9a\xc2"
    assert hashlib.md5(raw[4:-16], usedforsecurity=False).digest() == raw[-16:]
    assert b"\x1a\xc8\x01" + b"x" * 200 in raw


def test_the_same_call_gives_the_same_event() -> None:
    """Also where it is compressed."""
    assert event("cloudwatch", "logs") == event("cloudwatch", "logs")


def test_what_is_not_there_is_refused_with_what_is_near() -> None:
    """Services, events, fields, and values that are no numbers."""
    for service, name, given, text in (
        ("snss", "put", {}, "did you mean 'sns'?"),
        ("s3", "putt", {}, "did you mean 'put'?"),
        ("s3", "put", {"buckett": "x"}, "did you mean 'bucket'?"),
        ("s3", "put", {"size": "many"}, "'many' is no number"),
        ("eventbridge", "event", {"detail": "{"}, "is no JSON"),
    ):
        with pytest.raises(InvalidInput) as caught:
            event(service, name, **given)
        assert text in str(caught.value)

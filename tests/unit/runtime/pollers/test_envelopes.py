"""Events as functions get them, and what a destination is told about records that were given up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from runtime.invoke.results import Result
from runtime.pollers import envelopes
from runtime.pollers.discards import Discard, failure_record, object_key

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:jobs"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-11-23T00:00:00.000"
AT = datetime(2026, 11, 23, 17, 45, 0, 123456, tzinfo=UTC)


def test_a_message_as_lambda_shows_it() -> None:
    message = {
        "MessageId": "m1",
        "ReceiptHandle": "r1",
        "Body": "hello",
        "MD5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "Attributes": {"ApproximateReceiveCount": "1"},
        "MessageAttributes": {
            "n": {"DataType": "Number", "StringValue": "7"},
            "b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    }
    assert envelopes.sqs(message, QUEUE) == {
        "messageId": "m1",
        "receiptHandle": "r1",
        "body": "hello",
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {
            "n": {"stringValue": "7", "stringListValues": [], "binaryListValues": [], "dataType": "Number"},
            "b": {"binaryValue": "AP8=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
        },
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": "eu-west-1",
    }


def test_a_kinesis_record_as_lambda_shows_it() -> None:
    record = {"PartitionKey": "pk", "SequenceNumber": "42", "Data": b"\xffdata", "ApproximateArrivalTimestamp": AT}
    assert envelopes.kinesis(record, "shardId-000000000000", STREAM, "arn:aws:iam::123456789012:role/r") == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "pk",
            "sequenceNumber": "42",
            "data": "/2RhdGE=",
            "approximateArrivalTimestamp": AT.timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": "shardId-000000000000:42",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/r",
        "awsRegion": "us-east-1",
        "eventSourceARN": STREAM,
    }


def test_a_change_of_a_table_as_lambda_shows_it() -> None:
    change = {
        "Keys": {"id": {"S": "1"}},
        "NewImage": {
            "id": {"S": "1"},
            "raw": {"B": b"\x00"},
            "many": {"BS": [b"\x01"]},
            "deep": {"M": {"x": {"N": "1"}}},
        },
        "SequenceNumber": "111",
        "SizeBytes": 26,
        "StreamViewType": "NEW_IMAGE",
        "ApproximateCreationDateTime": AT,
    }
    record = {"eventID": "e1", "eventName": "INSERT", "eventVersion": "1.1", "dynamodb": change}
    shown = envelopes.dynamodb(record, TABLE)
    assert shown["dynamodb"]["NewImage"] == {
        "id": {"S": "1"}, "raw": {"B": "AA=="}, "many": {"BS": ["AQ=="]}, "deep": {"M": {"x": {"N": "1"}}},
    }  # fmt: skip
    assert shown["dynamodb"]["ApproximateCreationDateTime"] == int(AT.timestamp())
    assert (shown["eventSource"], shown["awsRegion"], shown["eventSourceARN"]) == ("aws:dynamodb", "us-east-1", TABLE)
    assert json.loads(envelopes.event([envelopes.encoded(shown)])) == {"Records": [shown]}


@dataclass(frozen=True)
class Rec:
    """A record."""

    sequence: str
    arrived_at: float
    encoded: bytes = b"{}"


def discard(stream: str = STREAM, result: Result | None = None) -> Discard:
    """Two records given up."""
    return Discard(
        request_id="r1",
        function_arn="arn:aws:lambda:us-east-1:123456789012:function:orders",
        condition="RetryAttemptsExhausted",
        invoke_count=3,
        records=[Rec("10", AT.timestamp()), Rec("11", AT.timestamp() + 1)],
        shard="shardId-000000000001",
        stream_arn=stream,
        at=AT,
        result=result,
        executed_version="$LATEST",
    )


def test_the_record_about_given_up_records() -> None:
    assert json.loads(failure_record(discard(result=Result(b"{}", "ValueError")))) == {
        "requestContext": {
            "requestId": "r1",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:orders",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-11-23T17:45:00.123Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "10",
            "endSequenceNumber": "11",
            "approximateArrivalOfFirstRecord": "2026-11-23T17:45:00.123Z",
            "approximateArrivalOfLastRecord": "2026-11-23T17:45:01.123Z",
            "batchSize": 2,
            "streamArn": STREAM,
        },
    }


def test_records_that_never_reached_the_function_have_no_response_and_tables_have_their_own_name() -> None:
    record = json.loads(failure_record(discard(TABLE)))
    assert "responseContext" not in record
    assert record["DDBStreamBatchInfo"]["streamArn"] == TABLE


def test_buckets_get_the_event_too() -> None:
    assert json.loads(failure_record(discard(), b'{"Records":[]}'))["payload"] == '{"Records":[]}'
    key = object_key(discard(), "uuid-1")
    assert key.startswith("aws/lambda/uuid-1/shardId-000000000001/2026/11/23/2026-11-23T17.45.00-")
    assert key == object_key(discard(), "uuid-1")

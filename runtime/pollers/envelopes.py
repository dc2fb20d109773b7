"""Events as functions get them from queues and streams. Pure. Source: reference §12, "Event envelope keys"."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Record = dict[str, Any]
PREFIX, SUFFIX = b'{"Records":[', b"]}"


def event(records: Iterable[bytes]) -> bytes:
    """The payload for records that are encoded already."""
    return PREFIX + b",".join(records) + SUFFIX


def encoded(record: Mapping[str, Any]) -> bytes:
    """One record as it stands in the payload."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def sqs(message: Mapping[str, Any], arn: str) -> Record:
    """A message as botocore's `receive_message` returns it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        **(
            {"md5OfMessageAttributes": message["MD5OfMessageAttributes"]} if "MD5OfMessageAttributes" in message else {}
        ),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": _region(arn),
    }


def _attribute(value: Mapping[str, Any]) -> Record:
    shown: Record = {}
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shown["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return {**shown, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def kinesis(record: Mapping[str, Any], shard: str, arn: str, role: str) -> Record:
    """A record as botocore's `get_records` of Kinesis returns it; `role` is the function's execution role."""
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role,
        "awsRegion": _region(arn),
        "eventSourceARN": arn,
    }


def dynamodb(record: Mapping[str, Any], arn: str) -> Record:
    """A record as botocore's `get_records` of DynamoDB streams returns it."""
    change = record["dynamodb"]
    shown = {
        name: _typed(value) if name in {"Keys", "NewImage", "OldImage"} else value for name, value in change.items()
    }
    created = change.get("ApproximateCreationDateTime")
    if isinstance(created, datetime):
        shown["ApproximateCreationDateTime"] = int(created.timestamp())
    return {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": record.get("eventVersion", "1.1"),
        "eventSource": "aws:dynamodb",
        "awsRegion": _region(arn),
        "dynamodb": shown,
        "eventSourceARN": arn,
    }


def _typed(value: Any) -> Any:
    """DynamoDB's attribute values with their bytes in base64, as they travel in JSON."""
    if isinstance(value, Mapping):
        return {name: _typed(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_typed(each) for each in value]
    return base64.b64encode(value).decode() if isinstance(value, (bytes, bytearray)) else value


def _region(arn: str) -> str:
    return arn.split(":")[3]

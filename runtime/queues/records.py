"""What is told about an asynchronous event that ended: destination records and dead letters. Pure.

Source: reference §11, "Record", "DLQ" and "Destinations".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runtime.invoke.results import Result
from runtime.queues.retry import TOO_OLD
from runtime.reading import json_of

SUCCESS = "Success"
MAX_MESSAGE_CHARS = 1024
MAX_SNS_BYTES = 262_144
"""Source: OnFailure, "Amazon SNS destinations have a message size limit of 256 KB"."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an event ended. `result` is the last invocation's, None when it never ran; `refusal` why it could not run."""

    request_id: str
    function_arn: str
    """Qualified."""
    condition: str
    invoke_count: int
    payload: bytes
    at: datetime
    result: Result | None = None
    executed_version: str = ""
    refusal_status: int = 0
    refusal: str = ""


def destination_record(ending: Ending, *, with_payloads: bool = True) -> bytes:
    """The JSON document that destinations get."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": stamp(ending.at),
        "requestContext": {
            "requestId": ending.request_id,
            "functionArn": ending.function_arn,
            "condition": ending.condition,
            "approximateInvokeCount": ending.invoke_count,
        },
    }
    if with_payloads:
        record["requestPayload"] = _parsed(ending.payload)
    if ending.result is not None:
        record["responseContext"] = _response_context(ending, ending.result)
        if with_payloads:
            record["responsePayload"] = _parsed(ending.result.payload)
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def _response_context(ending: Ending, result: Result) -> dict[str, Any]:
    context: dict[str, Any] = {"statusCode": 200, "executedVersion": ending.executed_version}
    return {**context, "functionError": "Unhandled"} if result.error_type else context


def for_topic(ending: Ending) -> bytes:
    """The record for SNS, which has no room for large payloads: they are left out. Source: OnFailure's note."""
    record = destination_record(ending)
    return record if len(record) <= MAX_SNS_BYTES else destination_record(ending, with_payloads=False)


def dead_letter(ending: Ending) -> dict[str, dict[str, str]]:
    """The attributes of a dead letter, whose body is the event itself: ErrorCode is an HTTP status."""
    if ending.result is not None:
        code, message = 200, _error_message(ending.result.payload)
    elif ending.condition == TOO_OLD and not ending.refusal:
        code, message = 500, "The event's age exceeded the maximum before it could be run."
    else:
        code, message = ending.refusal_status, ending.refusal
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": ending.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": str(code)},
    }
    if message:
        attributes["ErrorMessage"] = {"DataType": "String", "StringValue": _first_kilobyte(message)}
    return attributes


def object_key(ending: Ending) -> str:
    """Where a record lies in a bucket; the same for the same ending, so that writing it twice leaves one object."""
    name = ending.function_arn.split(":")[6]
    digest = hashlib.sha256(f"{ending.request_id}{ending.condition}".encode()).hexdigest()
    at = ending.at.astimezone(UTC)
    tail = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    return f"aws/lambda/async/{name}/{at:%Y/%m/%d}/{name}-{at:%Y-%m-%dT%H.%M.%S}-{tail}"


def stamp(at: datetime) -> str:
    """`2026-11-23T17:45:00.123Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _parsed(payload: bytes) -> Any:
    """The JSON in `payload`; what is no JSON as text."""
    try:
        return json_of(payload) if payload else None
    except ValueError:
        return payload.decode(errors="replace")


def _error_message(payload: bytes) -> str:
    answer = _parsed(payload)
    message = answer.get("errorMessage") if isinstance(answer, dict) else None
    return message if isinstance(message, str) else ""


def _first_kilobyte(text: str) -> str:
    return text.encode()[:MAX_MESSAGE_CHARS].decode(errors="ignore")

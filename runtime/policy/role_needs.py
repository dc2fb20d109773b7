"""What Lambda itself does with a function's execution role: read its queues and streams, write its dead letters. Pure.

AWS refuses to set these up when the role does not allow them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_READING: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "sqs": ("SQS", ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")),
    "kinesis": ("Kinesis", ("GetRecords", "GetShardIterator", "DescribeStream", "ListShards")),
    "dynamodb": ("DynamoDB", ("GetRecords", "GetShardIterator", "DescribeStream")),
}
"""Source: Lambda guide, "Execution role permissions" of each kind of event source."""
_WRITING: Mapping[str, tuple[str, str]] = {"sqs": ("SQS", "SendMessage"), "sns": ("SNS", "Publish")}

_DELIVERING: Mapping[str, str] = {
    "sqs": "SendMessage", "sns": "Publish", "lambda": "InvokeFunction", "events": "PutEvents",
}  # fmt: skip
"""Source: Lambda guide, "Permissions for destinations"."""


@dataclass(frozen=True, slots=True)
class RoleNeed:
    """One permission that the execution role must have, and what is said when it has not."""

    action: str
    resource: str
    problem: str


def role_needs(operation: str, parameters: Mapping[str, Any]) -> list[RoleNeed]:
    """What the operation asks of the function's execution role; nothing for most."""
    if operation == "CreateEventSourceMapping":
        arn = parameters.get("EventSourceArn", "")
        service, actions = _READING.get(_service(arn), ("", ()))
        return [_need(arn, service, action) for action in actions]
    if operation in {"PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"}:
        ends = (parameters.get("DestinationConfig", {}).get(end, {}) for end in ("OnSuccess", "OnFailure"))
        return [need for end in ends for need in _of_destination(end.get("Destination", ""))]
    arn = parameters.get("DeadLetterConfig", {}).get("TargetArn", "")
    if operation in {"CreateFunction", "UpdateFunctionConfiguration"} and _service(arn) in _WRITING:
        return [_need(arn, *_WRITING[_service(arn)])]
    return []


def _of_destination(arn: str) -> list[RoleNeed]:
    action = _DELIVERING.get(_service(arn))
    if action is None:
        return []
    problem = f"The function's execution role does not have permissions to call {action} on {arn}"
    return [RoleNeed(f"{_service(arn)}:{action}", arn, problem)]


def _need(arn: str, service: str, action: str) -> RoleNeed:
    problem = f"The provided execution role does not have permissions to call {action} on {service}"
    return RoleNeed(f"{_service(arn)}:{action}", arn, problem)


def _service(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""

"""How a record reaches each kind of target. Source: reference §11, "Destinations" and "DLQ"."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from runtime.queues.delivery import Delivery
from runtime.queues.services import Services

Sender = Callable[[Services, Delivery], Awaitable[None]]


class Refused(Exception):
    """The target is of a kind that cannot take it, or said no without an error of its own."""


async def send(services: Services, delivery: Delivery) -> None:
    """Nothing, once the target has it.

    Raises:
        Refused: the target cannot take it.
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: as `Services.call`.
    """
    sender = _SENDERS.get(service_of(delivery.target))
    if sender is None:
        raise Refused(f"{delivery.target} is not a destination")
    await sender(services, delivery)


def service_of(arn: str) -> str:
    """The service in an ARN; empty for what is no ARN."""
    parts = arn.split(":", 5)
    return parts[2] if len(parts) == 6 and parts[0] == "arn" else ""


async def _to_queue(services: Services, delivery: Delivery) -> None:
    account, name = delivery.target.split(":")[4:6]
    if name.endswith(".fifo"):
        raise Refused("a FIFO queue cannot be a destination")
    found = await services.call("sqs", "get_queue_url", QueueName=name, QueueOwnerAWSAccountId=account)
    more: dict[str, Any] = {}
    if delivery.attributes:
        more["MessageAttributes"] = delivery.attributes
    if delivery.trace_id:
        header = {"DataType": "String", "StringValue": delivery.trace_id}
        more["MessageSystemAttributes"] = {"AWSTraceHeader": header}
    await services.call("sqs", "send_message", QueueUrl=found["QueueUrl"], MessageBody=delivery.body.decode(), **more)


async def _to_topic(services: Services, delivery: Delivery) -> None:
    if delivery.target.endswith(".fifo"):
        raise Refused("a FIFO topic cannot be a destination")
    more = {"MessageAttributes": delivery.attributes} if delivery.attributes else {}
    await services.call("sns", "publish", TopicArn=delivery.target, Message=delivery.body.decode(), **more)


async def _to_bus(services: Services, delivery: Delivery) -> None:
    entry = {
        "Source": "lambda",
        "DetailType": delivery.detail_type,
        "Detail": delivery.body.decode(),
        "EventBusName": delivery.target,
        "Resources": [delivery.target, delivery.source_arn],
    }
    answer = await services.call("events", "put_events", Entries=[entry])
    if answer.get("FailedEntryCount"):
        raise Refused(json.dumps(answer["Entries"]))


async def _to_bucket(services: Services, delivery: Delivery) -> None:
    bucket = delivery.target.split(":", 5)[5]
    await services.call("s3", "put_object", Bucket=bucket, Key=delivery.object_key, Body=delivery.body)


_SENDERS: Mapping[str, Sender] = {"sqs": _to_queue, "sns": _to_topic, "events": _to_bus, "s3": _to_bucket}

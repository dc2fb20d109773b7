"""One record on its way to a destination, and what follows when sending it fails. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from runtime.queues.journal import Statement

FAILED_DESTINATION, FAILED_DEAD_LETTER = "DestinationDeliveryFailures", "DeadLetterErrors"
_FIRST_WAIT_S, _LAST_WAIT_S = 0.5, 30.0
_MAX_ATTEMPTS = 12
_TRANSIENT = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "Throttling", "ThrottlingException"})

SCHEMA = "CREATE TABLE IF NOT EXISTS deliveries (id INTEGER PRIMARY KEY, document TEXT NOT NULL, body BLOB NOT NULL);"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record for one target."""

    target: str
    """ARN of a queue, topic, function, event bus or bucket."""
    body: bytes
    function: str
    resource: str
    """The function, and what was invoked of it, as metrics name them."""
    request_id: str
    metric: str = FAILED_DESTINATION
    """What is counted when it cannot be delivered."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Message attributes, for queues and topics."""
    trace_id: str = ""
    object_key: str = ""
    """Where it goes in a bucket."""
    detail_type: str = ""
    """What it is called on an event bus."""
    source_arn: str = ""
    """The function's qualified ARN."""
    mapping: str = ""
    """The event source mapping it is about, if any."""


@dataclass(frozen=True, slots=True)
class Later:
    """Send it again after `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Lost:
    """It cannot be delivered; `reason` is for the log."""

    reason: str


def after_failure(attempts: int, code: str, status: int, reason: str) -> Later | Lost:
    """What follows the `attempts`th failure. An empty `code`: the service could not be reached."""
    if code and code not in _TRANSIENT and status < 500:
        return Lost(reason)
    if attempts >= _MAX_ATTEMPTS:
        return Lost(f"{reason} (given up after {attempts} attempts)")
    return Later(min(_FIRST_WAIT_S * 2 ** (attempts - 1), _LAST_WAIT_S))


def inserting(number: int, delivery: Delivery) -> Statement:
    """Keeps `delivery` under `number`."""
    document = asdict(delivery)
    body = document.pop("body")
    return "INSERT INTO deliveries VALUES (?, ?, ?)", (number, json.dumps(document), body)


def deleting(number: int) -> Statement:
    """Forgets it."""
    return "DELETE FROM deliveries WHERE id = ?", (number,)


def restored(document: str, body: bytes) -> Delivery:
    """What `inserting` kept."""
    return Delivery(**json.loads(document), body=body)

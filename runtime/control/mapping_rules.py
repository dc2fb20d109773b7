"""What an event source mapping may say about its source, AWS's defaults, and what changing it does to its state. Pure.

Source: reference §12.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from runtime.api.errors import ApiError, invalid
from runtime.catalog.documents import EventSourceMapping

Settings = dict[str, Any]

_SOURCES = re.compile(
    r"arn:aws[a-zA-Z-]*:(?:(?P<sqs>sqs):(?P<r1>[^:]+):(?P<a1>\d{12}):(?P<queue>[^:/]+)"
    r"|(?P<kinesis>kinesis):(?P<r2>[^:]+):(?P<a2>\d{12}):stream/[^:]+"
    r"|(?P<dynamodb>dynamodb):(?P<r3>[^:]+):(?P<a3>\d{12}):table/[^/]+/stream/.+)"
)
_STREAM_ONLY = (
    "StartingPosition", "StartingPositionTimestamp", "ParallelizationFactor", "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "TumblingWindowInSeconds", "DestinationConfig",
)  # fmt: skip
_SQS_ONLY = ("ScalingConfig",)
_BOTH = ("BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "FunctionResponseTypes", "MetricsConfig")
_KEPT = frozenset((*_STREAM_ONLY, *_SQS_ONLY, *_BOTH))
UNDERSTOOD = _KEPT | {"FunctionName", "EventSourceArn", "Enabled", "UUID", "Tags"}
"""What a request about a mapping may say; anything else is refused by its name."""
_STREAM_DEFAULTS: Mapping[str, Any] = {
    "BatchSize": 100, "MaximumBatchingWindowInSeconds": 0, "ParallelizationFactor": 1,
    "BisectBatchOnFunctionError": False, "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1,
    "TumblingWindowInSeconds": 0, "FunctionResponseTypes": [], "DestinationConfig": {"OnFailure": {}},
}  # fmt: skip
_SQS_DEFAULTS: Mapping[str, Any] = {
    "BatchSize": 10,
    "MaximumBatchingWindowInSeconds": 0,
    "FunctionResponseTypes": [],
}
_LARGEST_WITHOUT_WINDOW = 10
_MIN_AGE_S = 60


@dataclass(frozen=True, slots=True)
class Source:
    """What a mapping reads from. `kind` is sqs, kinesis or dynamodb."""

    arn: str
    kind: str
    account: str
    region: str

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.arn.rpartition(":")[2]

    @property
    def fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self.kind == "sqs" and self.arn.endswith(".fifo")


def source(parameters: Mapping[str, Any]) -> Source:
    """What `parameters` name as their event source.

    Raises:
        ApiError: nothing, or something that is not polled here.
    """
    arn = parameters.get("EventSourceArn", "")
    match = _SOURCES.fullmatch(arn)
    if match is None:
        named = arn or next((name for name in ("SelfManagedEventSource",) if parameters.get(name)), "")
        if not named:
            raise invalid("EventSourceArn is required for this event source type.")
        raise invalid(
            f"Event source {named} is not supported by this local runtime; it polls Amazon SQS queues, Amazon Kinesis "
            "streams and Amazon DynamoDB streams"
        )
    kind = next(each for each in ("sqs", "kinesis", "dynamodb") if match[each])
    account = match["a1"] or match["a2"] or match["a3"]
    return Source(arn, kind, account, match["r1"] or match["r2"] or match["r3"])


def created(parameters: Mapping[str, Any], of: Source) -> Settings:
    """The settings of a new mapping.

    Raises:
        ApiError: a value that AWS refuses for this kind of source, or a feature this runtime does not have.
    """
    defaults = _SQS_DEFAULTS if of.kind == "sqs" else _STREAM_DEFAULTS
    settings = updated(defaults, parameters, of)
    if of.kind != "sqs":
        _check_start(settings, of)
    return settings


def updated(settings: Mapping[str, Any], parameters: Mapping[str, Any], of: Source) -> Settings:
    """`settings` with what `parameters` name replaced; an empty FilterCriteria or ScalingConfig takes it away.

    Raises:
        ApiError: as `created`.
    """
    _check_named(parameters, of)
    result = {**settings, **{name: parameters[name] for name in _KEPT if parameters.get(name) is not None}}
    if not result.get("FilterCriteria", {}).get("Filters"):
        result.pop("FilterCriteria", None)
    if not result.get("ScalingConfig", {}).get("MaximumConcurrency"):
        result.pop("ScalingConfig", None)
    if of.kind == "sqs":
        _check_queue(result, of)
    else:
        _check_stream(result)
    return result


def _check_named(parameters: Mapping[str, Any], of: Source) -> None:
    for name, value in parameters.items():
        if name not in UNDERSTOOD and value:
            raise invalid(f"{name} is not supported by this local runtime")
    excluded, what = (_STREAM_ONLY, "Amazon SQS") if of.kind == "sqs" else (_SQS_ONLY, "stream")
    for name in excluded:
        if parameters.get(name) not in (None, {}):
            raise invalid(f"{name} is not supported for {what} event source mappings.")


def _check_queue(settings: Mapping[str, Any], of: Source) -> None:
    size, window_s = settings["BatchSize"], settings["MaximumBatchingWindowInSeconds"]
    if of.fifo:
        if size > _LARGEST_WITHOUT_WINDOW:
            raise invalid("BatchSize of FIFO queues must not be greater than 10.")
        if window_s:
            raise invalid("Batching window is not supported for FIFO queues.")
    elif size > _LARGEST_WITHOUT_WINDOW and not window_s:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")


def _check_start(settings: Mapping[str, Any], of: Source) -> None:
    position = settings.get("StartingPosition")
    if position is None:
        raise invalid(f"1 validation error detected: StartingPosition is required for {of.kind} event sources.")
    if position == "AT_TIMESTAMP":
        if of.kind != "kinesis":
            raise invalid(f"Unsupported starting position for arn type: {of.arn}")
        if settings.get("StartingPositionTimestamp") is None:
            raise invalid("StartingPositionTimestamp is required with the starting position AT_TIMESTAMP.")
    elif settings.get("StartingPositionTimestamp") is not None:
        raise invalid("StartingPositionTimestamp is used with the starting position AT_TIMESTAMP only.")


def _check_stream(settings: Mapping[str, Any]) -> None:
    age_s = settings["MaximumRecordAgeInSeconds"]
    if -1 < age_s < _MIN_AGE_S:
        raise invalid(f"MaximumRecordAgeInSeconds must be -1, or {_MIN_AGE_S} and more; it is {age_s}.")
    if settings["TumblingWindowInSeconds"]:
        raise invalid("TumblingWindowInSeconds is not supported by this local runtime; it must be 0.")
    destinations = settings["DestinationConfig"]
    if destinations.get("OnSuccess", {}).get("Destination"):
        raise invalid("Unsupported DestinationConfig parameter for given event source mapping type: OnSuccess")


# states -----------------------------------------------------------------------------------------------------------

IN_TRANSITION = frozenset({"Creating", "Enabling", "Disabling", "Updating", "Deleting"})


def changing(mapping: EventSourceMapping, settings: Mapping[str, Any], *, enabled: bool) -> EventSourceMapping:
    """The mapping while an update of it is put into effect."""
    state = "Updating" if enabled == mapping.enabled else "Enabling" if enabled else "Disabling"
    return replace(mapping, settings=settings, enabled=enabled, state=state)


def check_not_in_use(mapping: EventSourceMapping, doing: str) -> None:
    """Nothing when nothing is being changed about the mapping.

    Raises:
        ApiError: ResourceInUseException.
    """
    if mapping.state in IN_TRANSITION:
        raise ApiError("ResourceInUseException", f"Cannot {doing} the event source mapping because it is in use.")

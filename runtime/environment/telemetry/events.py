"""The platform's events: their records, and how important each is. Pure. Source: reference §2 and §7.

The levels follow Lambda's table "System log level event mapping".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any


class Level(IntEnum):
    """How important a system log line is."""

    DEBUG = 10
    INFO = 20
    WARN = 30


@dataclass(frozen=True, slots=True)
class PlatformEvent:
    """One event; `kind` without its prefix (`start`, `initReport`, …)."""

    kind: str
    record: Mapping[str, Any]
    level: Level = Level.INFO

    @property
    def type(self) -> str:
        """As the Telemetry API and JSON logs name it."""
        return f"platform.{self.kind}"


@dataclass(frozen=True, slots=True)
class Initialization:
    """What all events of one init have in common."""

    kind: str
    """`on-demand` or `provisioned-concurrency`."""
    phase: str
    """`init`, or `invoke` when it happens inside an invocation."""


def init_start(
    init: Initialization, function: str, version: str, runtime_version: str, arn: str, instance: str, memory_mb: int
) -> PlatformEvent:
    """Init begins. `runtime_version` and `arn` are empty for images and OS-only runtimes."""
    record: dict[str, Any] = {"initializationType": init.kind, "phase": init.phase}
    if runtime_version:
        record |= {"runtimeVersion": runtime_version, "runtimeVersionArn": arn}
    record |= {
        "functionName": function,
        "functionVersion": version,
        "instanceId": instance,
        "instanceMaxMemory": memory_mb * 1024 * 1024,
    }
    return PlatformEvent("initStart", record, Level.INFO if runtime_version else Level.DEBUG)


def init_runtime_done(init: Initialization, status: str, error_type: str) -> PlatformEvent:
    """The runtime has asked for its first event, or never will."""
    record = {"initializationType": init.kind, "phase": init.phase, "status": status, **_error(error_type)}
    return PlatformEvent("initRuntimeDone", record, Level.DEBUG if status == "success" else Level.WARN)


def init_report(init: Initialization, status: str, error_type: str, duration_ms: float) -> PlatformEvent:
    """Init is over."""
    record = {
        "initializationType": init.kind,
        "phase": init.phase,
        "status": status,
        **_error(error_type),
        "metrics": {"durationMs": round(duration_ms, 3)},
    }
    level = Level.DEBUG if init.kind == "on-demand" else Level.INFO
    return PlatformEvent("initReport", record, level if status == "success" else Level.WARN)


def start(request_id: str, version: str, trace_id: str) -> PlatformEvent:
    """An invocation begins."""
    return PlatformEvent("start", {"requestId": request_id, "version": version, **_tracing(trace_id)})


def runtime_done(
    request_id: str, status: str, error_type: str, duration_ms: float, produced_bytes: int, trace_id: str
) -> PlatformEvent:
    """The runtime has dealt with an invocation; extensions may still be at work."""
    record = {
        "requestId": request_id,
        "status": status,
        **_error(error_type),
        "metrics": {"durationMs": round(duration_ms, 3), "producedBytes": produced_bytes},
        **_tracing(trace_id),
    }
    return PlatformEvent("runtimeDone", record, Level.DEBUG if status == "success" else Level.WARN)


def report(request_id: str, status: str, error_type: str, metrics: Mapping[str, float], trace_id: str) -> PlatformEvent:
    """An invocation is over, extensions included."""
    record = {
        "requestId": request_id,
        "status": status,
        **_error(error_type),
        "metrics": dict(metrics),
        **_tracing(trace_id),
    }
    return PlatformEvent("report", record, Level.INFO if status == "success" else Level.WARN)


def extension(name: str, state: str, subscribed: Sequence[str], error_type: str) -> PlatformEvent:
    """How one extension came through init."""
    record = {"name": name, "state": state, "events": list(subscribed), **_error(error_type)}
    return PlatformEvent("extension", record, Level.INFO if state == "Ready" else Level.WARN)


def telemetry_subscription(name: str, types: Sequence[str]) -> PlatformEvent:
    """An extension subscribed."""
    return PlatformEvent("telemetrySubscription", {"name": name, "state": "Subscribed", "types": list(types)})


def logs_dropped(records: int, size_bytes: int, reason: str) -> PlatformEvent:
    """A subscriber did not get some events."""
    record = {"droppedRecords": records, "droppedBytes": size_bytes, "reason": reason}
    return PlatformEvent("logsDropped", record, Level.WARN)


def line(event: PlatformEvent, at: datetime) -> str:
    """The event as a line of a JSON log, and as the Telemetry API delivers it."""
    return encode(event.type, event.record, at)


def encode(kind: str, record: Any, at: datetime) -> str:
    """`{"time":…,"type":…,"record":…}`."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
    return json.dumps({"time": stamp, "type": kind, "record": record}, separators=(",", ":"))


def _error(error_type: str) -> dict[str, str]:
    return {"errorType": error_type} if error_type else {}


def _tracing(trace_id: str) -> dict[str, Any]:
    return {"tracing": {"type": "X-Amzn-Trace-Id", "value": trace_id}} if trace_id else {}

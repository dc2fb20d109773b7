"""What the platform says about an environment: lines of its log (text or JSON), and telemetry. Source: reference §7."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from runtime.environment.telemetry import events
from runtime.environment.telemetry.events import Initialization, Level, PlatformEvent
from runtime.environment.telemetry.hub import Telemetry
from runtime.invoke import results
from runtime.invoke.results import Result

Write = Callable[[str], None]


class PlatformLog:
    """`write` takes a line of the log; with `level` None the log is text, else JSON lines from that level on."""

    def __init__(
        self, write: Write, now: Callable[[], datetime], level: Level | None, function: str, version: str
    ) -> None:
        self._write = write
        self._now = now
        self._level = level
        self._function = function
        self._version = version
        self.telemetry: Telemetry | None = None
        """Set while there are, or may be, extensions."""

    def open_telemetry(self, host: str) -> Telemetry:
        """Tell subscribers too, from now on; `host` is where ports of the sandbox are reached."""
        self.telemetry = Telemetry(self._now, host, structured=self._level is not None)
        return self.telemetry

    def warn(self, text: str) -> None:
        """What Lambda would not say: something here is not as it is there."""
        if self._level is None:
            self._write(f"[WARN] {text}")
        else:
            stamp = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._write(json.dumps({"timestamp": stamp, "level": "WARN", "message": text}))

    def wrote(self, kind: str, text: str) -> None:
        """The function (`function`) or an extension (`extension`) wrote a line."""
        self._write(text)
        if self.telemetry is not None:
            self.telemetry.log_line(kind, text)

    def _tell(self, event: PlatformEvent, *lines: str) -> None:
        if self._level is None:
            for line in lines:
                self._write(line)
        elif event.level >= self._level:
            self._write(events.line(event, self._now()))
        if self.telemetry is not None:
            self.telemetry.platform(event)

    def _is_plain(self) -> bool:
        return self._level is None and self.telemetry is None

    # init ---------------------------------------------------------------------------------------------------------

    def init_start(self, init: Initialization, runtime_version: str, arn: str, instance: str, memory_mb: int) -> None:
        """Init begins; the text log has a line for the environment's first one only."""
        event = events.init_start(init, self._function, self._version, runtime_version, arn, instance, memory_mb)
        lines = [results.init_start(runtime_version, arn)] if runtime_version and init.phase == "init" else []
        self._tell(event, *lines)

    def init_runtime_done(self, init: Initialization, status: str = "success", error_type: str = "") -> None:
        """The runtime asked for its first event, or never will."""
        self._tell(events.init_runtime_done(init, status, error_type))

    def init_report(
        self, init: Initialization, duration_ms: float, status: str = "success", error_type: str = ""
    ) -> None:
        """Init is over; the text log has a line when it failed."""
        lines = [results.init_report(duration_ms, init.phase, status, error_type)] if status != "success" else []
        self._tell(events.init_report(init, status, error_type, duration_ms), *lines)

    def extension(self, name: str, state: str, subscribed: Sequence[str], error_type: str) -> None:
        """How an extension came through init."""
        line = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{','.join(subscribed)}]"
        if error_type:
            line += f"\tError Type: {error_type}"
        self._tell(events.extension(name, state, subscribed, error_type), line)

    def subscribed(self, name: str, types: Sequence[str]) -> None:
        """An extension subscribed to telemetry."""
        shown = ", ".join(kind.capitalize() for kind in types)
        line = f"TELEMETRY\tName: {name}\tState: Subscribed\tTypes: [{shown}]"
        self._tell(events.telemetry_subscription(name, types), line)

    # invocations --------------------------------------------------------------------------------------------------

    def start(self, request_id: str, trace_id: str) -> None:
        """An invocation begins."""
        line = f"START RequestId: {request_id} Version: {self._version}"
        if self._is_plain():
            self._write(line)
        else:
            self._tell(events.start(request_id, self._version, trace_id), line)

    def runtime_done(self, request_id: str, result: Result, duration_ms: float, trace_id: str) -> None:
        """The runtime has dealt with an invocation."""
        if not self._is_plain():
            status = result.status or "success"
            error_type = result.error_type if result.status == "error" else ""
            size = len(result.payload)
            self._tell(events.runtime_done(request_id, status, error_type, duration_ms, size, trace_id))

    def report(self, request_id: str, result: Result, memory_mb: int, trace_id: str) -> None:
        """An invocation is over."""
        end = f"END RequestId: {request_id}"
        line = results.report(request_id, result, memory_mb, result.used_mb, result.init_ms)
        if self._is_plain():
            self._write(end)
            self._write(line)
            return
        metrics: dict[str, float] = {
            "durationMs": round(result.duration_ms, 3),
            "billedDurationMs": result.billed_ms,
            "memorySizeMB": memory_mb,
            "maxMemoryUsedMB": result.used_mb,
        }
        if result.init_ms is not None:
            metrics["initDurationMs"] = round(result.init_ms, 3)
        error_type = result.error_type if result.status == "error" else ""
        event = events.report(request_id, result.status or "success", error_type, metrics, trace_id)
        self._tell(event, end, line)

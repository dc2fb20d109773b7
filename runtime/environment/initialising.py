"""The Init phase as the log and telemetry tell it: its start, its end, how long it took, what made it fail."""

from __future__ import annotations

import asyncio

from runtime.environment.assembly import Assembly
from runtime.environment.crew import Crew
from runtime.environment.telemetry.events import Initialization
from runtime.environment.telemetry.platform_log import PlatformLog
from runtime.environment.variables import PROVISIONED


class Init:
    """The current, or last, init of one environment. `kind` is on-demand or provisioned-concurrency."""

    def __init__(self, parts: Assembly, log: PlatformLog, kind: str, memory_mb: int) -> None:
        self._parts = parts
        self._log = log
        self._kind = kind
        self._memory_mb = memory_mb
        self._loop = asyncio.get_running_loop()
        self._began_at = 0.0
        self._initialization = Initialization(kind, "init")
        self.error: tuple[str, bytes] | None = None
        """What the runtime reported: the type and the body."""

    def begin(self, phase: str) -> None:
        """`phase` is `init`, or `invoke` inside an invocation."""
        self.error = None
        self._began_at = self._loop.time()
        self._initialization = Initialization(self._kind, phase)
        parts = self._parts
        self._log.init_start(
            self._initialization, parts.runtime_shown, parts.runtime_arn, parts.stream_name, self._memory_mb
        )

    def runtime_ready(self) -> None:
        """The runtime asked for its first event."""
        self._log.init_runtime_done(self._initialization)

    def succeeded(self, crew: Crew) -> float | None:
        """How long it took, in milliseconds; None when that is not the invocations' to be told and billed."""
        passed_ms = self._passed_ms()
        crew.report_extensions()
        self._log.init_report(self._initialization, passed_ms)
        return passed_ms if self._initialization.phase == "init" and self._kind != PROVISIONED else None

    def failed(self, crew: Crew, status: str, error_type: str) -> str:
        """The type of the error: what the runtime reported, if it did."""
        if self.error is not None and status == "error":
            error_type = self.error[0]
        crew.report_extensions()
        self._log.init_runtime_done(self._initialization, status, error_type)
        self._log.init_report(self._initialization, self._passed_ms(), status, error_type)
        return error_type

    def _passed_ms(self) -> float:
        return (self._loop.time() - self._began_at) * 1000

"""One invocation in an environment, from START to REPORT: its clock, its result, what its caller is told and when."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.clock import Clock
from runtime.environment.telemetry.platform_log import PlatformLog
from runtime.invoke.invocation import Invocation
from runtime.invoke.results import Result

_TAIL_BYTES = 4096


class Turn:
    """Begins when it is made."""

    def __init__(self, invocation: Invocation, timeout_s: int, clock: Clock, log: PlatformLog) -> None:
        self.invocation = invocation
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self._answered_at: float | None = None
        self._is_answered = False
        self.deadline_ms = int((clock.now().timestamp() + timeout_s) * 1000)
        self.result: Result | None = None
        """What the runtime answered, while extensions are still at work."""
        log.start(invocation.request_id, invocation.trace_id)

    def runtime_done(self, result: Result) -> None:
        """The runtime is done with it, or never will be."""
        invocation = self.invocation
        self._log.runtime_done(invocation.request_id, result, self._passed_ms(), invocation.trace_id)

    def answered_first(self, result: Result) -> None:
        """The runtime answered, extensions are still at work: the caller has the answer now, unless it wants the log.

        Source: Lambda answers without waiting for extensions.
        """
        self.result = result
        self._answered_at = self._loop.time()
        if self.invocation.answer is not None and not self.invocation.wants_log:
            self._is_answered = True
            self.invocation.answer(replace(result, duration_ms=self._passed_ms()))

    def finish(
        self, result: Result, *, init_ms: float | None, used_mb: int, provisioned: bool, memory_mb: int
    ) -> Result:
        """`result` with all that is known at the end, after END and REPORT were logged; the caller is not told yet."""
        invocation = self.invocation
        now = self._loop.time()
        result = replace(
            result,
            duration_ms=(now - self._began_at) * 1000,
            init_ms=init_ms,
            used_mb=used_mb,
            provisioned=provisioned,
            extensions_ms=None if self._answered_at is None else (now - self._answered_at) * 1000,
            answered=self._is_answered,
        )
        self._log.report(invocation.request_id, result, memory_mb, invocation.trace_id)
        if invocation.wants_log:
            result = replace(result, log_tail="\n".join([*invocation.log, ""]).encode()[-_TAIL_BYTES:])
        return result

    def _passed_ms(self) -> float:
        return (self._loop.time() - self._began_at) * 1000

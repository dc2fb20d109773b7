"""The Shutdown phase of a crew with extensions: SIGTERM to the runtime, SHUTDOWN to extensions, SIGKILL for the rest.

Source: reference §3, "Shutdown".
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from runtime.environment.extensions.api import shutdown_event
from runtime.environment.extensions.machine import Standing
from runtime.environment.extensions.registry import EventKind, Extension

RUNTIME = "runtime"
"""The name of the runtime's process."""
_INTERNAL_S, _EXTERNAL_S = 0.5, 2.0
"""How long the Shutdown phase may take with internal extensions only, and with external ones."""
_RUNTIME_S = 0.3
"""How much of that the runtime has when there are external extensions."""


class Processes(Protocol):
    """Whom the Shutdown phase ends."""

    def is_alive(self, name: str) -> bool:
        """Whether that process has not ended yet."""
        ...

    def signal(self, name: str, number: int) -> None:
        """Send a signal to that process."""
        ...

    def tell(self, extension: Extension, event: Mapping[str, Any]) -> None:
        """Give `event` to an extension that waits."""
        ...


class Ending:
    """One Shutdown phase; `done` is called when every process has ended, or when its time is over."""

    def __init__(
        self, crew: Processes, external: list[Extension], reason: str, now_ms: float, done: Callable[[], None]
    ) -> None:
        self._crew = crew
        self._external = external
        self._reason = reason
        self._limit_s = _EXTERNAL_S if external else _INTERNAL_S
        self._deadline_ms = int(now_ms + self._limit_s * 1000)
        self._done = done
        self._telling = False
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(_RUNTIME_S if external else _INTERNAL_S, self._runtime_over),
            loop.call_later(self._limit_s, self._finish),
        ]

    def begin(self) -> None:
        """Ask the runtime to end, then the extensions."""
        if self._crew.is_alive(RUNTIME):
            self._crew.signal(RUNTIME, signal.SIGTERM)
        else:
            self._tell_all()

    def _runtime_over(self) -> None:
        if self._crew.is_alive(RUNTIME):
            self._crew.signal(RUNTIME, signal.SIGKILL)

    def exited(self, name: str) -> None:
        """A process ended."""
        if name == RUNTIME:
            self._tell_all()
        elif self._telling and not any(self._crew.is_alive(each.name) for each in self._external):
            self._finish()

    def _tell_all(self) -> None:
        self._telling = True
        for extension in self._external:
            if EventKind.SHUTDOWN in extension.events:
                self.tell(extension)
            else:
                self._crew.signal(extension.name, signal.SIGKILL)
        if not any(self._crew.is_alive(each.name) for each in self._external):
            self._finish()

    def tell(self, extension: Extension) -> None:
        """Send SHUTDOWN to an extension that wants it, as soon as it waits."""
        wants = EventKind.SHUTDOWN in extension.events
        if self._telling and wants and extension.standing is Standing.READY:
            self._crew.tell(extension, shutdown_event(self._deadline_ms, self._reason))

    def _finish(self) -> None:
        self.cancel()
        done, self._done = self._done, lambda: None
        done()

    def cancel(self) -> None:
        """No limit ends this any more."""
        for timer in self._timers:
            timer.cancel()

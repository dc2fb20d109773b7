"""Logs as files: one per log stream under `logs/aws/lambda/<function>/`, one line `<iso utc ms>Z <text>` per event.

Lines are gathered and written together a moment later, so that writing never delays an invocation.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from runtime.log_groups.groups import Group, Groups
from runtime.metrics.embedded import MARK

_FLUSH_AFTER_S = 0.05
_MAX_EVENT_CHARS = 262_144
"""Source: reference §7, an event is cut at 256 KB."""


class Logs:
    """Every log stream of one server. `echo` is a file descriptor that gets the text of every event at once, too.

    `embedded(text, time)` is called with what may hold metrics.
    """

    def __init__(self, root: Path, echo: int | None = None) -> None:
        self.groups = Groups(root)
        self.embedded: Callable[[str, float], None] = lambda _text, _at: None
        self._echo = echo
        self._pending: dict[Path, list[str]] = {}
        self._held: set[Path] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._second = -1
        self._stamp = ""

    def stream(self, group: str, name: str) -> LogStream:
        """The stream `name` (`2026/11/23/[1]0123…`) of `group` (`/aws/lambda/orders`)."""
        return LogStream(self, self.groups.for_stream(group), name)

    def stamp(self, at_s: float) -> str:
        """`2026-11-23T12:00:00.000Z`."""
        second = int(at_s)
        if second != self._second:
            self._second = second
            self._stamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._stamp}.{int((at_s - second) * 1000):03d}Z"

    def append(self, path: Path, line: str) -> None:
        """Add one line to a file; it is there 50 ms later."""
        lines = self._pending.get(path)
        if lines is None:
            lines = self._pending[path] = []
        lines.append(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_AFTER_S, self.flush)

    def echo(self, text: str) -> None:
        """Show one event to whoever watches; nobody does when there is no descriptor, or nobody reads it any more."""
        if self._echo is not None:
            with contextlib.suppress(OSError):
                os.write(self._echo, (text.replace("\r", "\n") + "\n").encode(errors="replace"))

    def flush(self) -> None:
        """Write what is pending, but for files that are being rewritten."""
        self._timer = None
        pending, self._pending = self._pending, {}
        for path, lines in pending.items():
            if path in self._held:
                self._pending[path] = lines
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", errors="replace", newline="\n") as file:
                file.writelines(lines)

    @contextlib.contextmanager
    def held(self, path: Path) -> Iterator[None]:
        """While the block lasts nothing is written to that file."""
        self.flush()
        self._held.add(path)
        try:
            yield
        finally:
            self._held.discard(path)
            self.flush()

    def forget(self, directory: Path) -> None:
        """Drop what is pending for files that were deleted with their directory, or are such a file."""
        self._pending = {path: lines for path, lines in self._pending.items() if not path.is_relative_to(directory)}

    def close(self) -> None:
        """Write what is pending and stop."""
        if self._timer is not None:
            self._timer.cancel()
        self.flush()


class LogStream:
    """One environment's log."""

    def __init__(self, logs: Logs, group: Group, name: str) -> None:
        self._logs = logs
        self._group = group
        self._name = name
        self.path = group.stream(name)
        self._begun = False

    def write(self, at_s: float, text: str) -> None:
        """Add one event; line breaks inside it are kept as carriage returns, as Lambda's text logs have them."""
        logs, group = self._logs, self._group
        if not self._begun or group.gone:
            group = self._group = logs.groups.begun(group, round(time.time() * 1000))
            self._begun = True
        text = text[:_MAX_EVENT_CHARS]
        flat = text.replace("\n", "\r") if "\n" in text else text
        logs.append(self.path, f"{logs.stamp(at_s)} {flat}\n")
        if MARK in text:
            logs.embedded(text, at_s)
        for hook in group.hooks:
            hook(self._name, int(at_s * 1000), f"{text}\n")
        logs.echo(text)

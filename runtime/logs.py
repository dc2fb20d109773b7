"""Logs as files: one per log stream under `logs/aws/lambda/<function>/`, one line `<iso utc ms>Z <text>` per event.

Lines are gathered and written together a moment later, so that writing never delays an invocation.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_FLUSH_AFTER_S = 0.05
_MAX_EVENT_CHARS = 262_144
"""Source: reference §7, an event is cut at 256 KB."""


class Logs:
    """Every log stream of one server. `echo` is a file descriptor that gets the text of every event at once, too."""

    def __init__(self, root: Path, echo: int | None = None) -> None:
        self._root = root
        self._echo = echo
        self._pending: dict[Path, list[str]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._second = -1
        self._stamp = ""

    def stream(self, group: str, name: str) -> LogStream:
        """The stream `name` (`2026/11/23/[1]0123…`) of `group` (`/aws/lambda/orders`)."""
        return LogStream(self, self._root.joinpath(*group.strip("/").split("/"), *f"{name}.log".split("/")))

    def append(self, path: Path, at_s: float, text: str) -> None:
        """Add one event of `at_s` (epoch); it is in the file 50 ms later."""
        second = int(at_s)
        if second != self._second:
            self._second = second
            self._stamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        line = f"{self._stamp}.{int((at_s - second) * 1000):03d}Z {text[:_MAX_EVENT_CHARS]}\n"
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
        """Write what is pending."""
        self._timer = None
        pending, self._pending = self._pending, {}
        for path, lines in pending.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", errors="replace", newline="\n") as file:
                file.writelines(lines)

    def close(self) -> None:
        """Write what is pending and stop."""
        if self._timer is not None:
            self._timer.cancel()
        self.flush()


class LogStream:
    """One environment's log."""

    def __init__(self, logs: Logs, path: Path) -> None:
        self._logs = logs
        self.path = path

    def write(self, at_s: float, text: str) -> None:
        """Add one event; line breaks inside it are kept as carriage returns, as Lambda's text logs have them."""
        self._logs.append(self.path, at_s, text.replace("\n", "\r") if "\n" in text else text)
        self._logs.echo(text)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a log."""

    at: datetime
    stream: str
    text: str


def groups(root: Path) -> list[str]:
    """The names of the log groups under `root`, sorted."""
    return sorted(f"/aws/lambda/{path.name}" for path in (root / "aws" / "lambda").glob("*") if path.is_dir())


def streams(root: Path, group: str) -> list[tuple[str, Path]]:
    """The group's streams by name, with their files; by their names' dates that is roughly the oldest first."""
    directory = root.joinpath(*group.strip("/").split("/"))
    found = directory.rglob("*.log")
    return sorted((path.relative_to(directory).as_posix().removesuffix(".log"), path) for path in found)


def read(root: Path, group: str, names: Iterable[str]) -> Iterator[Event]:
    """Every event of these streams, in their order; line breaks inside an event are line breaks again."""
    paths = dict(streams(root, group))
    for name in names:
        with paths[name].open(encoding="utf-8", newline="\n") as file:
            for line in file:
                stamp, _, text = line.rstrip("\n").partition(" ")
                yield Event(datetime.fromisoformat(stamp).astimezone(UTC), name, text.replace("\r", "\n"))

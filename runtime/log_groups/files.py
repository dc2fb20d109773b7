"""The lines of log files: one event each, `<iso utc ms>Z <text>`, or a tab instead of the space for an event that ends
without a line break (functions' events end with one)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_STAMP_CHARS = len("2026-11-23T12:00:00.000Z")
_TAIL_BYTES = 1 << 16
_LATEST_MS = 253_402_300_799_000
"""The end of the year 9999."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `number` is its place in the stream's file, from 0."""

    at_ms: int
    stream: str
    number: int
    message: str

    @property
    def key(self) -> tuple[int, str, int]:
        """The order of events: by time, then by stream and place."""
        return self.at_ms, self.stream, self.number


def line(stamp: str, text: str, *, ends: bool = True) -> str:
    """One line; line breaks inside an event become carriage returns, as Lambda's text logs have them."""
    return f"{stamp}{' ' if ends else chr(9)}{text.replace(chr(10), chr(13)) if chr(10) in text else text}\n"


def stamp(at_ms: int) -> str:
    """`2026-11-23T12:00:00.000Z`."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def millis(text: str) -> int:
    """The time that `stamp` wrote."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def read(path: Path, stream: str, start_ms: int = 0, end_ms: int | None = None) -> Iterator[Event]:
    """The events of a file from `start_ms` (included) to `end_ms` (excluded), in its order."""
    first = stamp(min(max(start_ms, 0), _LATEST_MS))
    last = stamp(end_ms) if end_ms is not None and end_ms < _LATEST_MS else "~"
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for number, text in enumerate(file):
            at = text[:_STAMP_CHARS]
            if first <= at < last:
                message = text[_STAMP_CHARS + 1 :].rstrip("\n").replace("\r", "\n")
                ends = text[_STAMP_CHARS : _STAMP_CHARS + 1] != "\t"
                yield Event(millis(at), stream, number, f"{message}\n" if ends else message)


def read_all(found: Iterable[tuple[str, Path]], start_ms: int = 0, end_ms: int | None = None) -> Iterator[Event]:
    """The events of several streams, one after the other; a file that is gone meanwhile has none."""
    for stream, path in found:
        try:
            yield from read(path, stream, start_ms, end_ms)
        except FileNotFoundError:
            continue


def first_and_last(path: Path) -> tuple[int, int] | None:
    """The times of a file's first and last event; None when it has none."""
    with path.open("rb") as file:
        head = file.read(_STAMP_CHARS)
        if len(head) < _STAMP_CHARS:
            return None
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read().rstrip(b"\n").rpartition(b"\n")[2][:_STAMP_CHARS]
    try:
        first = millis(head.decode())
    except ValueError:
        return None
    try:
        return first, millis(tail.decode())
    except ValueError:  # the last event is longer than what was read
        return first, round(path.stat().st_mtime * 1000)

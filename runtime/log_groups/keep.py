"""Keeps logs within bounds: what is older than a group's retention goes, and so does what grows too large."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock
from runtime.log_groups.files import first_and_last, line, millis, stamp
from runtime.log_groups.groups import Group
from runtime.logs import Logs

_log = logging.getLogger(__name__)
_DAY_MS = 86_400_000
_EVERY_S = 60.0
_STAMP_BYTES = 24


@dataclass(frozen=True, slots=True)
class Limits:
    """What logs may take up on disk: one stream, and all of them."""

    stream_bytes: int = 64 << 20
    all_bytes: int = 2 << 30


class Keeper:
    """Looks at every log once a minute. Files are rewritten in a thread, and not written to meanwhile."""

    def __init__(self, logs: Logs, clock: Clock, limits: Limits | None = None) -> None:
        self._logs = logs
        self._clock = clock
        self._limits = limits or Limits()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Look no longer; what is being rewritten is finished."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _EVERY_S)
                return
            try:
                await self.look()
            except Exception:  # noqa: BLE001  (a log that cannot be trimmed must not end the keeper)
                _log.exception("logs could not be kept within bounds")

    async def look(self) -> None:
        """Trim and remove what has to go, now."""
        now_ms = round(self._clock.now().timestamp() * 1000)
        for group in self._logs.groups.all():
            await self._expire(group, now_ms)
        sizes: list[tuple[float, int, Path]] = await asyncio.to_thread(self._sizes)
        for _, size, path in sizes:
            if size > self._limits.stream_bytes:
                with self._logs.held(path):
                    await asyncio.to_thread(trim, path, self._limits.stream_bytes // 2, None)
        total = sum(min(size, self._limits.stream_bytes) for _, size, _ in sizes)
        for _, size, path in sorted(sizes):
            if total <= self._limits.all_bytes:
                break
            total -= size
            with self._logs.held(path):
                path.unlink(missing_ok=True)

    def _sizes(self) -> list[tuple[float, int, Path]]:
        """Every file with when it was last written and its size."""
        found = []
        for group in self._logs.groups.all():
            for path in group.streams().values():
                with contextlib.suppress(FileNotFoundError):
                    status = path.stat()
                    found.append((status.st_mtime, status.st_size, path))
        return found

    async def _expire(self, group: Group, now_ms: int) -> None:
        days = group.settings.retention_days
        if days is None:
            return
        oldest = now_ms - days * _DAY_MS
        for path in group.streams().values():
            with contextlib.suppress(FileNotFoundError), self._logs.held(path):
                times = first_and_last(path)
                if times is None or times[0] >= oldest:
                    continue
                if times[1] < oldest:
                    path.unlink()
                else:
                    await asyncio.to_thread(trim, path, None, oldest)


def trim(path: Path, most_bytes: int | None, oldest_ms: int | None) -> None:
    """Drop a file's first lines: those older than `oldest_ms`, and as many as keep it under `most_bytes`.

    When it was too large, its first event says so.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        if most_bytes is not None and size > most_bytes:
            file.seek(size - most_bytes)
            file.readline()
        begin = file.tell()
        if oldest_ms is not None:
            mark = stamp(oldest_ms).encode()
            text = file.readline()
            while text and text[:_STAMP_BYTES] < mark:
                begin = file.tell()
                text = file.readline()
        file.seek(begin)
        temporary = path.with_name(f"{path.name}.trimmed")
        with temporary.open("wb") as kept:
            if most_bytes is not None and begin:
                kept.write(_notice(file.readline(), begin))
                file.seek(begin)
            while piece := file.read(1 << 20):
                kept.write(piece)
    temporary.replace(path)


def _notice(following: bytes, dropped: int) -> bytes:
    at = following[:_STAMP_BYTES].decode(errors="replace")
    with contextlib.suppress(ValueError):
        at = stamp(millis(at))
    return line(at, f"[WARN] {dropped} bytes of earlier events were removed: this log was too large").encode()

"""Metrics of every function by the second: counted in memory, written to SQLite once a second by another thread."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from core.clock import Clock
from runtime.invoke.route import Route
from runtime.metrics.buckets import Bucket
from runtime.metrics.keys import Key

_WRITE_EVERY_S = 0.5
_READ_AT_ONCE_S = 120
_FOR_EVER = 1 << 62
_COMPACT_EVERY_S = 60
SECONDS_KEPT_S = 3 * 3600
"""Source: CloudWatch keeps periods below a minute for three hours, minutes for fifteen days."""
MINUTES_KEPT_S = 15 * 86400

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
  function TEXT NOT NULL, resource TEXT NOT NULL, version TEXT NOT NULL, second INTEGER NOT NULL,
  document TEXT NOT NULL, PRIMARY KEY (function, resource, version, second)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS buckets_by_second ON buckets (second);
"""


class Metrics:
    """The recorder of the invoker, and what queries read. Used from the event loop's thread only.

    What is on disk is read in two parts: the last minutes at once, because they may still grow, and the rest in the
    background or when somebody asks for it.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._clock = clock
        self._buckets: dict[Key, dict[int, Bucket]] = {}
        self._changed: set[tuple[Key, int]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._read_from = int(clock.now().timestamp()) - _READ_AT_ONCE_S
        self._complete = False
        self._merge(_read(self._db, self._read_from, _FOR_EVER))

    def start(self) -> None:
        """Begin to write regularly, and to read what is old."""
        self._tasks = [asyncio.create_task(self._read_older()), asyncio.create_task(self._keep_writing())]

    async def stop(self) -> None:
        """Write what is left and close."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        self._write(self._take(), [])
        self._db.close()

    def _merge(self, rows: list[tuple[Key, int, Bucket]]) -> None:
        for key, second, bucket in rows:
            self._buckets.setdefault(key, {}).setdefault(second, bucket)

    async def _read_older(self) -> None:
        rows = await asyncio.to_thread(self._older)
        if not self._complete:
            self._complete = True
            self._merge(rows)

    def _older(self) -> list[tuple[Key, int, Bucket]]:
        with contextlib.closing(sqlite3.connect(self._path)) as database:
            return _read(database, 0, self._read_from)

    def _need_all(self) -> None:
        """Have everything in memory now."""
        if not self._complete:
            self._complete = True
            self._merge(self._older())

    # recording --------------------------------------------------------------------------------------------------

    def started(self, route: Route, second: int, running: int, running_account: int) -> None:
        """An invocation starts, as the `running`th of its function and the `running_account`th of all."""
        self._bucket(Key(route.function), second).concurrent(running)
        self._bucket(Key(""), second).concurrent(running_account)

    def ended(self, route: Route, version: str, second: int, duration_ms: float, *, failed: bool) -> None:
        """An invocation that started in `second` ended (Source: a metric bears the time of the invocation's start)."""
        key = Key(route.function, route.resource, version if route.by_alias else "")
        self._bucket(key, second).ended(duration_ms, failed=failed)

    def throttled(self, route: Route, second: int) -> None:
        """An invocation was refused before a version was chosen."""
        self._bucket(Key(route.function, route.resource), second).throttles += 1

    def _bucket(self, key: Key, second: int) -> Bucket:
        seconds = self._buckets.get(key)
        if seconds is None:
            seconds = self._buckets[key] = {}
        bucket = seconds.get(second)
        if bucket is None:
            bucket = seconds[second] = Bucket()
        self._changed.add((key, second))
        return bucket

    # reading ----------------------------------------------------------------------------------------------------

    def keys(self) -> list[Key]:
        """Everything that was ever counted apart and is still kept."""
        self._need_all()
        return list(self._buckets)

    def between(self, key: Key, start: int, end: int) -> Iterator[tuple[int, Bucket]]:
        """The buckets of `key` from second `start` (included) to `end` (excluded), in no order."""
        self._need_all()
        seconds = self._buckets.get(key, {})
        if end - start < len(seconds):
            return ((second, seconds[second]) for second in range(start, end) if second in seconds)
        return ((second, bucket) for second, bucket in seconds.items() if start <= second < end)

    # keeping ----------------------------------------------------------------------------------------------------

    async def _keep_writing(self) -> None:
        compacted = self._clock.now().timestamp()
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _WRITE_EVERY_S)
            now = self._clock.now().timestamp()
            gone: list[tuple[Key, int]] = []
            if now - compacted >= _COMPACT_EVERY_S:
                compacted = now
                self._need_all()
                gone = self.compact(int(now))
            rows = self._take()
            if rows or gone:
                await asyncio.to_thread(self._write, rows, gone)

    def _take(self) -> list[tuple[str, str, str, int, str]]:
        changed, self._changed = self._changed, set()
        return [(*key, second, _document(self._buckets[key][second])) for key, second in changed]

    def _write(self, rows: list[tuple[str, str, str, int, str]], gone: list[tuple[Key, int]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        delete = "DELETE FROM buckets WHERE function = ? AND resource = ? AND version = ? AND second = ?"
        self._db.executemany(delete, [(*key, second) for key, second in gone])
        self._db.executemany("INSERT OR REPLACE INTO buckets VALUES (?, ?, ?, ?, ?)", rows)
        self._db.execute("COMMIT")

    def compact(self, now: int) -> list[tuple[Key, int]]:
        """Join seconds older than three hours into minutes, drop what is older than fifteen days; what went."""
        gone: list[tuple[Key, int]] = []
        for key, seconds in self._buckets.items():
            for second in [each for each in seconds if each < now - SECONDS_KEPT_S]:
                minute = second - second % 60
                if second < now - MINUTES_KEPT_S:
                    del seconds[second]
                elif second != minute:
                    bucket = seconds.pop(second)
                    seconds.setdefault(minute, Bucket()).add(bucket)
                    self._changed.add((key, minute))
                else:
                    continue
                self._changed.discard((key, second))
                gone.append((key, second))
        return gone


def _document(bucket: Bucket) -> str:
    data = asdict(bucket)
    if bucket.duration_min == float("inf"):
        data["duration_min"] = None
    return json.dumps(data)


def _read(database: sqlite3.Connection, start: int, end: int) -> list[tuple[Key, int, Bucket]]:
    """What the database has from second `start` (included) to `end` (excluded)."""
    rows = []
    query = "SELECT function, resource, version, second, document FROM buckets WHERE second >= ? AND second < ?"
    for function, resource, version, second, document in database.execute(query, (start, end)):
        data = json.loads(document)
        data["durations"] = {int(index): count for index, count in data["durations"].items()}
        if data["duration_min"] is None:
            data["duration_min"] = float("inf")
        rows.append((Key(function, resource, version), second, Bucket(**data)))
    return rows

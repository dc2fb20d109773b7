"""All metrics by the second: counted in memory, written to SQLite twice a second by another thread."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.clock import Clock
from runtime.billing import usage
from runtime.billing.usage import Usage, Use
from runtime.catalog.records import FunctionVersion
from runtime.invoke.results import Result
from runtime.invoke.route import Route
from runtime.metrics.buckets import Bucket
from runtime.metrics.keys import Key
from runtime.metrics.query import NAMESPACE
from runtime.metrics.series import Series, Summary, decode, encode, series
from runtime.metrics.timeline import Form, Row, Timeline, Written

Rows = list[Row[Any, Any]]
Gone = list[tuple[Any, int]]

_WRITE_EVERY_S = 0.5
_READ_AT_ONCE_S = 120
_FOR_EVER = 1 << 62
_COMPACT_EVERY_S = 60


def _document(bucket: Bucket) -> str:
    data = asdict(bucket)
    if bucket.duration_min == float("inf"):
        data["duration_min"] = None
    return json.dumps(data)


def _bucket(document: str) -> Bucket:
    data = json.loads(document)
    data["durations"] = {int(index): count for index, count in data["durations"].items()}
    if data["duration_min"] is None:
        data["duration_min"] = float("inf")
    return Bucket(**data)


_COUNTS = Form("buckets", ("function", "resource", "version"), Key, Bucket, _document, _bucket)
_SAMPLES = Form("samples", ("namespace", "name", "place", "unit"), Series, Summary, encode, decode)
_USES = Form(
    "uses", ("function", "version", "architecture", "memory", "temporary", "kind"), Use, Usage, usage.encode,
    usage.decode, fine_kept_s=15 * 86_400, coarse_s=3600, kept_s=400 * 86_400,
)  # fmt: skip
_UNRESERVED = series(NAMESPACE, "UnreservedConcurrentExecutions", {}, "Count")
_FORMS: tuple[Form[Any, Any], ...] = (_COUNTS, _SAMPLES, _USES)


class Metrics:
    """The recorder of the invoker, and what queries read. Used from the event loop's thread only.

    Invocations are counted apart from all other metrics, because they are many and add up over dimensions. What is on
    disk is read in two parts: the last minutes at once, because they may still grow, and the rest in the background or
    when somebody asks for it.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._counts, self._samples, self._uses = Timeline(_COUNTS), Timeline(_SAMPLES), Timeline(_USES)
        self._timelines: tuple[Timeline[Any, Any], ...] = (self._counts, self._samples, self._uses)
        for form in _FORMS:
            form.create(self._db)
        self.clock = clock
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
        self._write([timeline.take() for timeline in self._timelines], None)
        self._db.close()

    def _merge(self, rows: list[Rows]) -> None:
        for timeline, found in zip(self._timelines, rows, strict=True):
            timeline.merge(found)

    async def _read_older(self) -> None:
        rows = await asyncio.to_thread(self._older)
        if not self._complete:
            self._complete = True
            self._merge(rows)

    def _older(self) -> list[Rows]:
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
        self._counts.bucket(Key(route.function), second).concurrent(running)
        self._counts.bucket(Key(""), second).concurrent(running_account)

    def ended(self, route: Route, version: FunctionVersion, second: int, result: Result) -> None:
        """An invocation that started in `second` ended (Source: a metric bears the time of the invocation's start)."""
        key = Key(route.function, route.resource, version.version if route.by_alias else "")
        self._counts.bucket(key, second).ended(result.duration_ms, failed=bool(result.error_type))
        kind = usage.PROVISIONED if result.provisioned else usage.ON_DEMAND
        self._uses.bucket(usage.use_of(version, kind), second - second % usage.MINUTE_S).ended(result)
        if result.provisioned or result.extensions_ms is not None:
            self._rarer(key, second, result)

    def _rarer(self, key: Key, second: int, result: Result) -> None:
        place = {"resource": key.resource, "version": key.version}
        if result.provisioned:
            self.put_lambda("ProvisionedConcurrencyInvocations", key.function, 1.0, second, **place)
        if result.extensions_ms is not None:
            name, unit = "PostRuntimeExtensionsDuration", "Milliseconds"
            self.put_lambda(name, key.function, result.extensions_ms, second, **place, unit=unit)

    def throttled(self, route: Route, second: int) -> None:
        """An invocation was refused before a version was chosen."""
        self._counts.bucket(Key(route.function, route.resource), second).throttles += 1

    def unreserved(self, second: int, running: int) -> None:
        """An invocation starts, as the `running`th of those without a concurrency of their own."""
        self._samples.bucket(_UNRESERVED, second).sample(float(running))

    def provisioned_busy(
        self, route: Route, version: str, second: int, busy: int, ready: int, *, spilled: bool
    ) -> None:
        """An invocation starts of a version with `ready` environments ahead of time, `busy` of them at work now."""
        place = {"resource": route.resource, "version": version if route.by_alias else ""}
        self.put_lambda("ProvisionedConcurrentExecutions", route.function, busy, second, **place)
        self.put_lambda("ProvisionedConcurrencyUtilization", route.function, busy / ready, second, **place)
        if spilled:
            self.put_lambda("ProvisionedConcurrencySpilloverInvocations", route.function, 1.0, second, **place)

    def provisioned(self, version: FunctionVersion, at: float, seconds: float) -> None:
        """Provisioned environments of `version` were there for that many seconds, added up."""
        use = usage.use_of(version, usage.PROVISIONED)
        self._uses.bucket(use, int(at) - int(at) % usage.MINUTE_S).provisioned_s += seconds

    def put(
        self, name: str, dimensions: Mapping[str, str], value: float, at: float,
        *, unit: str = "Count", namespace: str = NAMESPACE, count: float = 1.0,
    ) -> None:  # fmt: skip
        """A sample of any metric at `at` (epoch seconds), under exactly these dimensions; `count` equal ones."""
        self.summary(series(namespace, name, dimensions, unit), int(at)).sample(value, count)

    def put_lambda(
        self, name: str, function: str, value: float, at: float,
        *, resource: str = "", version: str = "", unit: str = "Count",
    ) -> None:  # fmt: skip
        """A sample of one of Lambda's metrics, under every set of dimensions Lambda publishes it with.

        `resource` is `orders`, `orders:live` or `orders:3`; `version` what an alias chose. Source: Lambda, "Viewing
        metrics": for the account, the function, the resource, and the executed version of an alias.
        """
        parts = [("FunctionName", function), ("Resource", resource), ("ExecutedVersion", version)]
        known = [part for part in parts if part[1]]
        for depth in range(len(known) + 1):
            self.put(name, dict(known[:depth]), value, at, unit=unit)

    def summary(self, key: Series, second: int) -> Summary:
        """The samples of `key` in `second`, to be added to."""
        if second < self._read_from:
            self._need_all()
        return self._samples.bucket(key, second)

    # reading ----------------------------------------------------------------------------------------------------

    def keys(self) -> list[Key]:
        """Every count of invocations that is still kept."""
        self._need_all()
        return self._counts.keys()

    def between(self, key: Key, start: int, end: int) -> Iterator[tuple[int, Bucket]]:
        """The buckets of `key` from second `start` (included) to `end` (excluded), in no order."""
        self._need_all()
        return self._counts.between(key, start, end)

    def series(self) -> list[Series]:
        """Every other metric that is still kept."""
        self._need_all()
        return self._samples.keys()

    def samples(self, key: Series, start: int, end: int) -> Iterator[tuple[int, Summary]]:
        """The samples of `key` from second `start` (included) to `end` (excluded), in no order."""
        self._need_all()
        return self._samples.between(key, start, end)

    def used(self, start: int, end: int) -> list[tuple[Use, Usage]]:
        """What functions used in the minutes that begin from `start` (rounded down) to before `end`."""
        self._need_all()
        found: list[tuple[Use, Usage]] = []
        uses = self._uses.keys()
        for use in uses:
            whole = Usage()
            for _, each in self._uses.between(use, start - start % usage.MINUTE_S, end):
                whole.add(each)
            found.append((use, whole))
        return [(use, whole) for use, whole in found if whole.requests or whole.provisioned_s]

    # keeping ----------------------------------------------------------------------------------------------------

    async def _keep_writing(self) -> None:
        compacted = self.clock.now().timestamp()
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _WRITE_EVERY_S)
            now = self.clock.now().timestamp()
            gone: list[Gone] | None = None
            if now - compacted >= _COMPACT_EVERY_S:
                compacted = now
                gone = self.compact(int(now))
            rows = [timeline.take() for timeline in self._timelines]
            if any(rows) or (gone is not None and any(gone)):
                await asyncio.to_thread(self._write, rows, gone)

    def _write(self, rows: list[list[Written]], gone: list[Gone] | None) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        for form, written, old in zip(_FORMS, rows, gone or [[] for _ in _FORMS], strict=True):
            form.write(self._db, written, old)
        self._db.execute("COMMIT")

    def compact(self, now: int) -> list[Gone]:
        """Join seconds older than three hours into minutes, drop what is older than fifteen days; what went.

        What functions used is kept by the minute for fifteen days and by the hour for more than a year.
        """
        self._need_all()
        return [timeline.compact(now) for timeline in self._timelines]


def _read(database: sqlite3.Connection, start: int, end: int) -> list[Rows]:
    """What the database has from second `start` (included) to `end` (excluded), in the order of the forms."""
    return [form.read(database, start, end) for form in _FORMS]

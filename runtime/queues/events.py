"""The queue of asynchronous invocations: on disk before 202 is answered, delivered at least once afterwards."""

from __future__ import annotations

import asyncio
import heapq
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock
from runtime.api.errors import ApiError
from runtime.invoke.invoker import Call, Invoker
from runtime.queues.retry import RETRY_DELAYS_S, Again, GiveUp, after_function_error, after_refusal

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT, payload BLOB NOT NULL,
  trace_id TEXT NOT NULL, client_context TEXT NOT NULL, accepted_at REAL NOT NULL, due_at REAL NOT NULL,
  failures INTEGER NOT NULL, refusals INTEGER NOT NULL);
"""
_COLUMNS = "request_id, name, qualifier, payload, trace_id, client_context, accepted_at, due_at, failures, refusals"


@dataclass(frozen=True, slots=True)
class _Event:
    name: str
    qualifier: str | None
    call: Call
    accepted_at: float
    failures: int
    refusals: int


class Events:
    """Accepts, keeps and delivers. Commits of many events that come together are one commit."""

    def __init__(
        self, path: Path, invoker: Invoker, clock: Clock, retry_delays_s: Sequence[float] = RETRY_DELAYS_S
    ) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        self._reader = sqlite3.connect(path, isolation_level=None)  # the other one is the writing thread's
        self._invoker = invoker
        self._clock = clock
        self._retry_delays_s = tuple(retry_delays_s)
        self._arriving: list[tuple[_Event, Callable[[], None]]] = []
        self._ended: list[int] = []
        self._postponed: list[tuple[float, int, int, int]] = []
        self._due: list[tuple[float, int]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False

    def start(self) -> None:
        """Deliver what an earlier server accepted."""
        self._due = [(due_at, number) for due_at, number in self._reader.execute("SELECT due_at, id FROM events")]
        heapq.heapify(self._due)
        self._deliver()

    async def stop(self) -> None:
        """Stop delivering; what is not delivered stays on disk."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._writer is not None:
            await self._writer
        self._reader.close()
        self._db.close()

    def accept(self, name: str, qualifier: str | None, call: Call, accepted: Callable[[], None]) -> None:
        """Keep the event on disk, then call `accepted` and deliver it."""
        now = self._clock.now().timestamp()
        self._arriving.append((_Event(name, qualifier, call, now, 0, 0), accepted))
        self._write_soon()

    # the disk ---------------------------------------------------------------------------------------------------

    def _write_soon(self) -> None:
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._arriving or self._ended or self._postponed:
            arriving, self._arriving = self._arriving, []
            ended, self._ended = self._ended, []
            postponed, self._postponed = self._postponed, []
            numbers = await asyncio.to_thread(self._write, [event for event, _ in arriving], ended, postponed)
            for number, (event, accepted) in zip(numbers, arriving, strict=True):
                accepted()
                heapq.heappush(self._due, (event.accepted_at, number))
            self._deliver()
        self._writer = None

    def _write(
        self, arriving: list[_Event], ended: list[int], postponed: list[tuple[float, int, int, int]]
    ) -> list[int]:
        """The row numbers of the events that arrived."""
        db, numbers = self._db, []
        db.execute("BEGIN IMMEDIATE")
        for event in arriving:
            call = event.call
            row = (call.request_id, event.name, event.qualifier, call.payload, call.trace_id, call.client_context)
            cursor = db.execute(
                f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",  # noqa: S608  (ours)
                (*row, event.accepted_at, event.accepted_at),
            )
            numbers.append(cursor.lastrowid or 0)
        db.executemany("DELETE FROM events WHERE id = ?", [(number,) for number in ended])
        db.executemany("UPDATE events SET due_at = ?, failures = ?, refusals = ? WHERE id = ?", postponed)
        db.execute("COMMIT")
        return numbers

    def _read(self, number: int) -> _Event | None:
        query = f"SELECT {_COLUMNS} FROM events WHERE id = ?"  # noqa: S608  (ours)
        row = self._reader.execute(query, (number,)).fetchone()
        if row is None:
            return None
        request_id, name, qualifier, payload, trace_id, context, accepted_at, _, failures, refusals = row
        return _Event(name, qualifier, Call(request_id, payload, trace_id, context), accepted_at, failures, refusals)

    # delivery ---------------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Start every event that is due, up to a limit, and come back when the next one is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.now().timestamp()
        while self._due and self._due[0][0] <= now and len(self._running) < _AT_ONCE and not self._stopping:
            _, number = heapq.heappop(self._due)
            task = asyncio.create_task(self._run(number))
            self._running.add(task)
            task.add_done_callback(self._finished)
        if self._due and len(self._running) < _AT_ONCE and not self._stopping:
            wait_s = max(0.0, self._due[0][0] - now)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._deliver)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not self._stopping:
            self._deliver()

    async def _run(self, number: int) -> None:
        event = self._read(number)
        if event is None:
            return
        now = self._clock.now().timestamp()
        failures, refusals = event.failures, event.refusals
        try:
            result, _ = await self._invoker.run(event.name, event.qualifier, event.call)
        except ApiError as error:
            if error.code == "ResourceNotFoundException":
                _log.warning("event %s dropped: %s", event.call.request_id, error.message)
                self._end(number)
                return
            refusals += 1
            decision = after_refusal(refusals, now - event.accepted_at)
        else:
            if not result.error_type:
                self._end(number)
                return
            failures += 1
            decision = after_function_error(failures, self._retry_delays_s)
        self._decide(number, event, decision, failures, refusals)

    def _decide(self, number: int, event: _Event, decision: Again | GiveUp, failures: int, refusals: int) -> None:
        if isinstance(decision, GiveUp):
            _log.warning("event %s for %s given up: %s", event.call.request_id, event.name, decision.condition)
            self._end(number)
            return
        due_at = self._clock.now().timestamp() + decision.delay_s
        self._postponed.append((due_at, failures, refusals, number))
        heapq.heappush(self._due, (due_at, number))
        self._write_soon()

    def _end(self, number: int) -> None:
        self._ended.append(number)
        self._write_soon()

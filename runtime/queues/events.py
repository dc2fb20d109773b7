"""The queue of asynchronous invocations: on disk before 202 is answered, delivered at least once afterwards."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import ApiError
from runtime.catalog.store import Catalog
from runtime.invoke.invoker import Call, Invoker
from runtime.invoke.results import Result
from runtime.invoke.route import Route
from runtime.names import LATEST
from runtime.queues import retry
from runtime.queues.endings import Place, deliveries
from runtime.queues.journal import Journal, Statement
from runtime.queues.outbox import Outbox
from runtime.queues.records import SUCCESS, Ending
from runtime.queues.retry import RETRY_DELAYS_S, Again, GiveUp, Rules

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, request_id TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT, payload BLOB NOT NULL,
  trace_id TEXT NOT NULL, client_context TEXT NOT NULL, accepted_at REAL NOT NULL, due_at REAL NOT NULL,
  failures INTEGER NOT NULL, refusals INTEGER NOT NULL);
"""
_COLUMNS = "request_id, name, qualifier, payload, trace_id, client_context, accepted_at, due_at, failures, refusals"
_INSERT = f"INSERT INTO events (id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  (ours)
_SELECT = f"SELECT {_COLUMNS} FROM events WHERE id = ?"  # noqa: S608  (ours)
_NOT_RUNNABLE_STATUS = {"TooManyRequestsException": 429, "ResourceConflictException": 409}


class Recorder(Protocol):
    """Who counts what becomes of events."""

    def put_lambda(
        self, name: str, function: str, value: float, at: float,
        *, resource: str = "", version: str = "", unit: str = "Count",
    ) -> None:  # fmt: skip
        """A sample of one of Lambda's metrics."""
        ...


@dataclass(frozen=True, slots=True)
class _Event:
    number: int
    name: str
    qualifier: str | None
    call: Call
    accepted_at: float
    failures: int = 0
    refusals: int = 0


class Events:
    """Accepts, keeps and delivers."""

    def __init__(
        self, journal: Journal, outbox: Outbox, invoker: Invoker, catalog: Catalog, recorder: Recorder, clock: Clock,
        ids: Ids, retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
    ) -> None:  # fmt: skip
        journal.prepare(_SCHEMA)
        self._journal = journal
        self._outbox = outbox
        self._invoker = invoker
        self._catalog = catalog
        self._recorder = recorder
        self._clock = clock
        self._ids = ids
        self._delays_s = tuple(retry_delays_s)
        self._numbers = itertools.count(1)
        self._due: list[tuple[float, int]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False

    def start(self) -> None:
        """Deliver what an earlier server accepted."""
        self._due = [(due_at, number) for due_at, number in self._journal.read("SELECT due_at, id FROM events")]
        self._numbers = itertools.count(max((number for _, number in self._due), default=0) + 1)
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

    def accept(self, name: str, qualifier: str | None, call: Call, accepted: Callable[[], None]) -> None:
        """Keep the event on disk, then call `accepted` and deliver it.

        Raises:
            ApiError: no such function, version or alias.
        """
        statement, kept = self._keeping(name, qualifier, call)

        def written(future: asyncio.Future[None]) -> None:
            if future.cancelled() or future.exception() is not None:
                _log.error("event %s was not kept, and is not answered", call.request_id)
                return
            accepted()
            kept()

        self._journal.write([statement]).add_done_callback(written)

    def forwarding(self, function_arn: str, call: Call) -> tuple[Statement, Callable[[], None]]:
        """What keeps `call` as a new event for the function, and what begins to deliver it once it is kept.

        Raises:
            ApiError: no such function, version or alias.
        """
        return self._keeping(function_arn, None, replace(call, request_id=self._ids.uuid()))

    def _keeping(self, name: str, qualifier: str | None, call: Call) -> tuple[Statement, Callable[[], None]]:
        route, _ = self._invoker.route(name, qualifier)
        now = self._now()
        number = next(self._numbers)
        row = (number, call.request_id, name, qualifier, call.payload, call.trace_id, call.client_context)

        def kept() -> None:
            self._count("AsyncEventsReceived", route, 1)
            heapq.heappush(self._due, (now, number))
            self._deliver()

        return (_INSERT, (*row, now, now, 0, 0)), kept

    # delivery ---------------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Start every event that is due, up to a limit, and come back when the next one is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._now()
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
        if not task.cancelled() and task.exception() is not None:
            _log.error("delivering an event failed; it is tried again at the next start", exc_info=task.exception())
        if not self._stopping:
            self._deliver()

    async def _run(self, number: int) -> None:
        event = self._read(number)
        if event is None:
            return
        try:
            route, arn = self._invoker.route(event.name, event.qualifier)
        except ApiError as error:
            await self._gone(event, error)
            return
        rules, age_s = self._rules(route), self._now() - event.accepted_at
        place = Place(route, arn if route.resource != route.function else f"{arn}:{LATEST}")
        refused = retry.before_invoking(age_s, rules, concurrency=self._catalog.reserved(route.function))
        if refused is not None:
            await self._end(event, place, refused.condition, refusal=_refusal(refused))
            return
        self._count("AsyncEventAge", route, age_s * 1000, "Milliseconds")
        try:
            result, version = await self._invoker.run(event.name, event.qualifier, event.call)
        except ApiError as error:
            await self._refused(event, place, rules, error)
        else:
            await self._ran(event, place, rules, result, version)

    async def _ran(self, event: _Event, place: Place, rules: Rules, result: Result, version: str) -> None:
        if not result.error_type:
            await self._end(event, place, SUCCESS, result=result, version=version)
            return
        event = replace(event, failures=event.failures + 1)
        decision = retry.after_function_error(event.failures, self._now() - event.accepted_at, rules)
        if isinstance(decision, Again):
            await self._postpone(event, decision)
        else:
            await self._end(event, place, decision.condition, result=result, version=version)

    async def _refused(self, event: _Event, place: Place, rules: Rules, error: ApiError) -> None:
        if error.code == "ResourceNotFoundException":
            await self._gone(event, error)
            return
        event = replace(event, refusals=event.refusals + 1)
        recursive = error.code == "RecursiveInvocationException"
        age_s = self._now() - event.accepted_at
        decision = retry.after_refusal(event.refusals, age_s, rules, recursive=recursive)
        if isinstance(decision, Again):
            await self._postpone(event, decision)
            return
        status = 400 if recursive else _NOT_RUNNABLE_STATUS.get(error.code, 500)
        await self._end(event, place, decision.condition, refusal=(status, error.message))

    async def _postpone(self, event: _Event, decision: Again) -> None:
        due_at = self._now() + decision.delay_s
        update = "UPDATE events SET due_at = ?, failures = ?, refusals = ? WHERE id = ?"
        await self._journal.write([(update, (due_at, event.failures, event.refusals, event.number))])
        heapq.heappush(self._due, (due_at, event.number))
        self._deliver()

    async def _gone(self, event: _Event, error: ApiError) -> None:
        _log.warning("event %s dropped: %s", event.call.request_id, error.message)
        await self._journal.write([_deleting(event)])

    async def _end(
        self, event: _Event, place: Place, condition: str, *, result: Result | None = None, version: str = "",
        refusal: tuple[int, str] = (0, ""),
    ) -> None:  # fmt: skip
        """Forget the event and keep what is told about it, in one write."""
        succeeded = condition == SUCCESS
        ending = Ending(
            request_id=event.call.request_id,
            function_arn=place.arn,
            condition=condition,
            invoke_count=event.failures + (1 if succeeded else 0),
            payload=event.call.payload,
            at=self._clock.now(),
            result=result,
            executed_version=version,
            refusal_status=refusal[0],
            refusal=refusal[1],
        )
        if not succeeded:
            _log.warning("event %s for %s given up: %s", ending.request_id, event.name, condition)
            self._count("AsyncEventsDropped", place.route, 1)
        records = deliveries(self._catalog, place, ending, event.call.trace_id)
        statements, kept = self._outbox.keeping(records)
        await self._journal.write([_deleting(event), *statements])
        kept()

    # parts ------------------------------------------------------------------------------------------------------

    def _read(self, number: int) -> _Event | None:
        rows = self._journal.read(_SELECT, (number,))
        if not rows:
            return None
        request_id, name, qualifier, payload, trace_id, context, accepted_at, _, failures, refusals = rows[0]
        call = Call(request_id, payload, trace_id, context)
        return _Event(number, name, qualifier, call, accepted_at, failures, refusals)

    def _rules(self, route: Route) -> Rules:
        config = self._catalog.event_invoke_config(route.function, route.resource.partition(":")[2] or None)
        if config is None:
            return Rules(delays_s=self._delays_s)
        retries, age_s = config.maximum_retry_attempts, config.maximum_event_age_s
        return Rules(
            retries=retry.MAX_RETRIES if retries is None else retries,
            max_age_s=retry.MAX_AGE_S if age_s is None else age_s,
            delays_s=self._delays_s,
        )

    def _count(self, name: str, route: Route, value: float, unit: str = "Count") -> None:
        self._recorder.put_lambda(name, route.function, value, self._now(), resource=route.resource, unit=unit)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _deleting(event: _Event) -> Statement:
    return "DELETE FROM events WHERE id = ?", (event.number,)


def _refusal(decision: GiveUp) -> tuple[int, str]:
    return (429, "Rate Exceeded.") if decision.condition == retry.NO_CONCURRENCY else (0, "")

"""Records on their way to destinations: on disk together with what they tell about, sent afterwards, then forgotten."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable

from core.clock import Clock
from runtime.api.errors import ApiError
from runtime.invoke.invoker import Call
from runtime.queues import delivery as deliveries
from runtime.queues.delivery import Delivery, Later, Lost
from runtime.queues.journal import Journal, Statement
from runtime.queues.senders import Refused, send, service_of
from runtime.queues.services import Services

_log = logging.getLogger(__name__)
_AT_ONCE = 16

Accepting = Callable[[str, Call], tuple[Statement, Callable[[], None]]]
"""For a function's ARN and an event: what keeps the event, and what is to be called once it is kept."""
Count = Callable[[Delivery, float], None]
"""Counts a record that was lost at this time (epoch)."""


class Outbox:
    """`keeping` is written with what it belongs to, then `kept` is called; a restart sends what was not sent."""

    def __init__(self, journal: Journal, services: Services, clock: Clock, count: Count) -> None:
        journal.prepare(deliveries.SCHEMA)
        self._journal = journal
        self._services = services
        self._clock = clock
        self._count = count
        self._accepting: Accepting | None = None
        self._numbers = itertools.count(1)
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, accepting: Accepting) -> None:
        """Send what an earlier server did not; `accepting` takes events for functions that are destinations."""
        self._accepting = accepting
        rows = self._journal.read("SELECT id, document, body FROM deliveries ORDER BY id")
        self._numbers = itertools.count(rows[-1][0] + 1 if rows else 1)
        for number, document, body in rows:
            self._begin(number, deliveries.restored(document, body))

    async def stop(self) -> None:
        """Stop sending; what is not sent stays on disk."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def keeping(self, records: Iterable[Delivery]) -> tuple[list[Statement], Callable[[], None]]:
        """What keeps `records`, and what begins to send them once they are kept."""
        numbered = [(next(self._numbers), record) for record in records]

        def kept() -> None:
            for number, record in numbered:
                self._begin(number, record)

        return [deliveries.inserting(number, record) for number, record in numbered], kept

    def _begin(self, number: int, delivery: Delivery) -> None:
        task = asyncio.create_task(self._deliver(number, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, number: int, delivery: Delivery) -> None:
        attempts = 0
        while True:
            async with self._room:
                outcome = await self._try(number, delivery, attempts + 1)
            attempts += 1
            if isinstance(outcome, Later):
                await asyncio.sleep(outcome.delay_s)
                continue
            if isinstance(outcome, Lost):
                _log.warning("record of %s for %s lost: %s", delivery.request_id, delivery.target, outcome.reason)
                self._count(delivery, self._clock.now().timestamp())
                await self._journal.write([deliveries.deleting(number)])
            return

    async def _try(self, number: int, delivery: Delivery, attempt: int) -> Later | Lost | None:
        """None when it has been delivered and forgotten."""
        if service_of(delivery.target) == "lambda":
            return await self._to_function(number, delivery)
        try:
            await send(self._services, delivery)
        except Refused as refusal:
            return Lost(str(refusal))
        except Exception as error:  # noqa: BLE001  (whatever a client raises is the service's answer)
            code, status = _answer(error)
            return deliveries.after_failure(attempt, code, status, str(error))
        await self._journal.write([deliveries.deleting(number)])
        return None

    async def _to_function(self, number: int, delivery: Delivery) -> Lost | None:
        """The event for the function is accepted in the same write that forgets the record: exactly once."""
        assert self._accepting is not None
        call = Call(delivery.request_id, delivery.body, delivery.trace_id)
        try:
            statement, accepted = self._accepting(delivery.target, call)
        except ApiError as error:
            return Lost(error.message)
        await self._journal.write([statement, deliveries.deleting(number)])
        accepted()
        return None


def _answer(error: Exception) -> tuple[str, int]:
    """The error code and HTTP status a service answered with; ("", 0) when it was not reached."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return "", 0
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(response.get("Error", {}).get("Code", "Unknown")), int(status)

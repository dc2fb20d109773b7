"""Asynchronous invocation put together: the journal, the outbox and the events, started and stopped in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.clock import Clock
from core.ids import Ids
from runtime.catalog.store import Catalog
from runtime.invoke.invoker import Invoker
from runtime.queues.delivery import Delivery
from runtime.queues.events import Events, Recorder
from runtime.queues.journal import Journal
from runtime.queues.outbox import Outbox
from runtime.queues.services import Clients, Services


class Queues:
    """What the server holds; `events` takes invocations, `journal`, `outbox` and `services` are the pollers' too."""

    def __init__(
        self, path: Path, invoker: Invoker, catalog: Catalog, recorder: Recorder, clients: Clients, clock: Clock,
        ids: Ids, retry_delays_s: Sequence[float],
    ) -> None:  # fmt: skip
        self._recorder = recorder
        self.services = Services(clients)
        self.journal = Journal(path)
        self.outbox = Outbox(self.journal, self.services, clock, self._lost)
        self.events = Events(
            self.journal, self.outbox, invoker, catalog, recorder, clock, ids, retry_delays_s
        )  # fmt: skip

    def start(self) -> None:
        """Go on with what an earlier server accepted and did not finish."""
        self.outbox.start(self.events.forwarding)
        self.events.start()

    async def stop(self) -> None:
        """Stop; what is not done stays on disk."""
        await self.events.stop()
        await self.outbox.stop()
        await self.journal.close()

    def _lost(self, delivery: Delivery, at: float) -> None:
        self._recorder.put_lambda(delivery.metric, delivery.function, 1, at, resource=delivery.resource)

"""Every event source mapping of a server: its poller follows what the catalog says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from core.clock import Clock
from core.ids import Ids
from runtime.catalog.documents import EventSourceMapping
from runtime.catalog.store import Catalog, Change
from runtime.invoke.invoker import Invoker
from runtime.names import Scope
from runtime.pollers import positions, states
from runtime.pollers.kit import Kit, Recorder
from runtime.pollers.patterns import BadPattern
from runtime.pollers.sqs import SqsPoller
from runtime.pollers.states import Task
from runtime.pollers.stream import StreamPoller
from runtime.queues.queues import Queues

_log = logging.getLogger(__name__)


class Poller(Protocol):
    """What reads one source."""

    def start(self) -> None:
        """Begin."""
        ...

    async def stop(self) -> None:
        """End after what runs."""
        ...

    def abandon(self) -> None:
        """End at once; nothing is lost."""
        ...


_KINDS: dict[str, Callable[[EventSourceMapping, Kit], Poller]] = {
    "sqs": SqsPoller,
    "kinesis": StreamPoller,
    "dynamodb": StreamPoller,
}


class Pollers:
    """Mappings are created, changed and deleted in the catalog; this settles them and does what they say."""

    def __init__(
        self, queues: Queues, invoker: Invoker, catalog: Catalog, recorder: Recorder, scope: Scope, clock: Clock,
        ids: Ids,
    ) -> None:  # fmt: skip
        queues.journal.prepare(positions.SCHEMA)
        self._catalog = catalog
        self._clock = clock
        self._kit = Kit(
            services=queues.services, invoker=invoker, catalog=catalog, journal=queues.journal, outbox=queues.outbox,
            recorder=recorder, scope=scope, clock=clock, ids=ids, report=self._report,
        )  # fmt: skip
        self._running: dict[str, Poller] = {}
        self._settling: dict[str, asyncio.Task[None]] = {}
        self._writing = False

    def start(self) -> None:
        """Take up what an earlier server polled, and follow the catalog from now on."""
        self._catalog.on_change(self._changed)
        for mapping in self._catalog.mappings():
            self._settle_soon(mapping.uuid)

    async def stop(self) -> None:
        """Stop polling. What is not dealt with is read again, or comes back by itself."""
        for task in self._settling.values():
            task.cancel()
        await asyncio.gather(*self._settling.values(), return_exceptions=True)
        for poller in self._running.values():
            poller.abandon()
        self._running.clear()
        await asyncio.sleep(0)

    def _changed(self, change: Change) -> None:
        if change.kind == EventSourceMapping.KIND and not self._writing:
            self._settle_soon(change.key)

    def _settle_soon(self, uuid: str) -> None:
        before = self._settling.get(uuid)
        task = self._settling[uuid] = asyncio.create_task(self._settle(uuid, before))
        task.add_done_callback(lambda done: self._settled(uuid, done))

    def _settled(self, uuid: str, task: asyncio.Task[None]) -> None:
        if self._settling.get(uuid) is task:
            del self._settling[uuid]
        if not task.cancelled() and task.exception() is not None:
            _log.error("event source mapping %s", uuid, exc_info=task.exception())

    async def _settle(self, uuid: str, before: asyncio.Task[None] | None) -> None:
        """Bring what runs to what the mapping says, one change after the other."""
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        mapping = self._catalog.find(EventSourceMapping, "", uuid)
        running = self._running.get(uuid)
        if mapping is None:
            await self._end(uuid)
            return
        task, state = states.task(mapping.state, enabled=mapping.enabled, polling=running is not None)
        if task is not Task.NOTHING:
            await self._end(uuid)
        if task is Task.FORGET:
            await self._kit.journal.write([positions.forgetting(uuid)])
            self._write(lambda: self._catalog.remove(EventSourceMapping, "", uuid))
            return
        self._put(uuid, mapping, state)
        if task is Task.POLL:
            self._begin(replace(mapping, state=state))

    def _begin(self, mapping: EventSourceMapping) -> None:
        kind = _KINDS.get(mapping.source.split(":")[2])
        if kind is None:
            self._report(mapping.uuid, f"PROBLEM: {mapping.source} cannot be polled by this local runtime")
            return
        try:
            poller = kind(mapping, self._kit)
        except BadPattern as error:
            self._report(mapping.uuid, f"PROBLEM: {error}")
            return
        self._running[mapping.uuid] = poller
        poller.start()

    async def _end(self, uuid: str) -> None:
        poller = self._running.pop(uuid, None)
        if poller is not None:
            await poller.stop()

    def _put(self, uuid: str, seen: EventSourceMapping, state: str) -> None:
        """Write the state, unless somebody changed the mapping meanwhile: then it is settled again."""
        now = self._catalog.find(EventSourceMapping, "", uuid)
        if now is not None and now.state == seen.state and now.state != state:
            self._write(lambda: self._catalog.put(replace(now, state=state, last_modified=self._kit.now())))

    def _report(self, uuid: str, result: str) -> None:
        """Keep what the last processing came to, when it is something else than before."""
        mapping = self._catalog.find(EventSourceMapping, "", uuid)
        if mapping is not None and mapping.last_processing_result != result:
            self._write(lambda: self._catalog.put(replace(mapping, last_processing_result=result)))

    def _write(self, write: Callable[[], None]) -> None:
        self._writing = True
        try:
            write()
        finally:
            self._writing = False

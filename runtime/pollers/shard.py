"""The poller of one shard: reads in order, hands records to lanes, keeps on disk how far all of them are."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from runtime.pollers.filters import filters
from runtime.pollers.kit import Kit, Target
from runtime.pollers.lane import Lane
from runtime.pollers.pieces import Record
from runtime.pollers.positions import Kept, keeping
from runtime.pollers.progress import Progress
from runtime.pollers.streams import After, Page, Position, Reader, Since
from runtime.queues.journal import Statement

_log = logging.getLogger(__name__)
_MOST_AT_ONCE = 1000
_BUSY_S, _IDLE_S, _LONG_IDLE_S = 0.25, 1.0, 2.0
"""Source: Lambda polls each shard once per second (Kinesis) or four times (DynamoDB); a shard that has been empty for a
while is asked less often here, so that it costs nothing to leave it."""
_LONG_IDLE_AFTER = 30
_AGAIN_S = 2.0
_SAVE_SKIPPED_S = 1.0


class ShardPoller:
    """`finished` is called when the shard is closed and everything in it is done."""

    def __init__(
        self, target: Target, kit: Kit, reader: Reader, kept: Kept, position: Position,
        finished: Callable[[str], None],
    ) -> None:  # fmt: skip
        settings = target.mapping.settings
        self._target = target
        self._kit = kit
        self._reader = reader
        self._kept = kept
        self._position = position
        self._since = position.at if isinstance(position, Since) else 0.0
        self._finished = finished
        self._filters = filters(settings.get("FilterCriteria", {}))
        self._progress = Progress()
        self._lanes = [
            Lane(target, kit, kept.shard, self._conclude) for _ in range(settings.get("ParallelizationFactor", 1))
        ]
        self._most_buffered = max(_MOST_AT_ONCE, 2 * settings.get("BatchSize", 100) * len(self._lanes))
        self._saved_at = 0.0
        self._empty = 0
        self._task: asyncio.Task[None] | None = None
        self.closed = False
        """Whether nothing is added to the shard any more."""

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._run())
        for lane in self._lanes:
            lane.start()

    async def stop(self) -> None:
        """Read no more, and wait for the batches that run."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(lane.stop() for lane in self._lanes))

    def abandon(self) -> None:
        """End at once."""
        if self._task is not None:
            self._task.cancel()
        for lane in self._lanes:
            lane.abandon()

    async def _run(self) -> None:
        iterator = ""
        while True:
            try:
                iterator = iterator or await self._reader.iterator(self._kept.shard, self._position)
                page = await self._reader.read(self._kept.shard, iterator, _MOST_AT_ONCE)
            except Exception as error:  # noqa: BLE001  (an iterator that expired, a service that is away: begin anew)
                _log.info("shard %s of %s: %s", self._kept.shard, self._target.mapping.source, error)
                iterator = ""
                await asyncio.sleep(_AGAIN_S)
                continue
            await self._take(page)
            if page.following is None or (self.closed and not page.records):
                await self._finish()
                return
            iterator = page.following
            await self._pause(page)

    async def _pause(self, page: Page) -> None:
        while self._progress.left >= self._most_buffered:
            await asyncio.sleep(_BUSY_S)
        self._empty = 0 if page.records else self._empty + 1
        if len(page.records) < _MOST_AT_ONCE:
            idle_s = _IDLE_S if self._empty < _LONG_IDLE_AFTER else _LONG_IDLE_S
            await asyncio.sleep(_BUSY_S if page.records else idle_s)

    async def _take(self, page: Page) -> None:
        """Hand the records to the lanes; those that the filters stop are done."""
        stopped = []
        for record in page.records:
            self._position = After(record.sequence)
            if record.arrived_at < self._since:
                continue
            self._progress.read(record.sequence)
            if self._filters.passes(record.record):
                self._lanes[_lane(record.partition, len(self._lanes))].put(record)
            else:
                stopped.append(record)
        self._target.count("PolledEventCount", len(page.records))
        self._target.count("FilteredOutEventCount", len(stopped))
        if stopped and self._progress.done(record.sequence for record in stopped):
            now = self._kit.now()
            if now - self._saved_at >= _SAVE_SKIPPED_S or not self._progress.left:
                self._saved_at = now
                await self._kit.journal.write([self._keeping()])

    async def _conclude(self, records: Sequence[Record], told: Iterable[Statement]) -> None:
        """`records` are done: keep that, together with what is `told` about them."""
        self._progress.done(record.sequence for record in records)
        await self._kit.journal.write([*told, self._keeping()])

    def _keeping(self, *, finished: bool = False) -> Statement:
        sequence = self._progress.checkpoint or self._kept.sequence
        self._kept = replace(self._kept, sequence=sequence, finished=finished)
        return keeping(self._target.mapping.uuid, self._kept)

    async def _finish(self) -> None:
        while self._progress.left:
            await asyncio.sleep(_BUSY_S)
        for lane in self._lanes:
            await lane.stop()
        await self._kit.journal.write([self._keeping(finished=True)])
        self._finished(self._kept.shard)


def _lane(partition: str, lanes: int) -> int:
    """Records with the same partition key go through the same lane."""
    return zlib.crc32(partition.encode()) % lanes

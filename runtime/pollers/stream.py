"""The poller of one stream: which shards are read, from where, and when the list of shards is looked at again."""

from __future__ import annotations

import asyncio
import logging

from runtime.catalog.documents import EventSourceMapping
from runtime.pollers import shards
from runtime.pollers.kit import Kit, Target
from runtime.pollers.positions import Kept, forgetting, keeping, positions
from runtime.pollers.shard import ShardPoller
from runtime.pollers.shards import Shard, Stream
from runtime.pollers.streams import After, DynamoDbReader, Horizon, KinesisReader, Latest, Position, Reader, Since

_log = logging.getLogger(__name__)
_LOOK_AGAIN_S = 30.0
_PAUSE_LAST_S = 30.0


class StreamPoller:
    """Call `start`, later `stop`. `reader` is for tests; usually the mapping's source says how it is read."""

    def __init__(self, mapping: EventSourceMapping, kit: Kit, reader: Reader | None = None) -> None:
        self._mapping = mapping
        self._kit = kit
        self._target = Target(mapping, kit)
        self._reader = reader or _reader(mapping, kit, self._target.role())
        self._shards: dict[str, ShardPoller] = {}
        self._kept: dict[str, Kept] = {}
        self._look = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Read no more, and wait for the batches that run."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(shard.stop() for shard in self._shards.values()), return_exceptions=True)

    def abandon(self) -> None:
        """End at once; what is not dealt with is read again."""
        if self._task is not None:
            self._task.cancel()
        for shard in self._shards.values():
            shard.abandon()

    async def _run(self) -> None:
        pause_s = 1.0
        while True:
            try:
                await self._look_at(await self._reader.describe())
                pause_s = 1.0
                self._look.clear()
                await _either(self._look, _LOOK_AGAIN_S)
                continue
            except Exception as error:  # noqa: BLE001  (whatever goes wrong, polling goes on)
                _log.warning("reading %s: %s", self._mapping.source, error)
                self._kit.report(self._mapping.uuid, f"PROBLEM: {error}")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _PAUSE_LAST_S)

    async def _look_at(self, stream: Stream) -> None:
        """Read every shard that may be read, and no other."""
        self._kept = positions(self._kit.journal, self._mapping.uuid)
        if any(kept.stream != stream.identity for kept in self._kept.values()):
            _log.warning("%s is another stream than before: it is read from its beginning", self._mapping.source)
            await asyncio.gather(*(shard.stop() for shard in self._shards.values()))
            self._shards.clear()
            await self._kit.journal.write([forgetting(self._mapping.uuid)])
            self._kept = {}
        first_look = not self._kept
        finished = {kept.shard for kept in self._kept.values() if kept.finished}
        for shard in shards.readable(stream.shards, finished):
            known = self._shards.get(shard.id)
            if known is not None:
                known.closed = shard.closed
            else:
                await self._open(shard, stream, first_look=first_look)

    async def _open(self, shard: Shard, stream: Stream, *, first_look: bool) -> None:
        """Begin to read a shard: after what is done; else where the mapping begins; a shard that came later, wholly."""
        kept = self._kept.get(shard.id)
        position: Position
        if kept is None:
            position = self._starting() if first_look else Horizon()
            opened_at = self._kit.now()
            kept = Kept(shard.id, stream.identity, "", opened_at if isinstance(position, Latest) else _since(position))
            await self._kit.journal.write([keeping(self._mapping.uuid, kept)])
        elif kept.sequence:
            position = After(kept.sequence)
        else:
            position = Since(kept.opened_at) if kept.opened_at else Horizon()
        poller = ShardPoller(self._target, self._kit, self._reader, kept, position, self._finished)
        poller.closed = shard.closed
        self._shards[shard.id] = poller
        poller.start()

    def _starting(self) -> Position:
        settings = self._mapping.settings
        if settings.get("StartingPosition") == "AT_TIMESTAMP":
            return Since(float(settings["StartingPositionTimestamp"]))
        return Latest() if settings.get("StartingPosition") == "LATEST" else Horizon()

    def _finished(self, shard: str) -> None:
        """A closed shard is done: its children may be read."""
        self._shards.pop(shard, None)
        self._look.set()


def _since(position: Position) -> float:
    return position.at if isinstance(position, Since) else 0.0


def _reader(mapping: EventSourceMapping, kit: Kit, role: str) -> Reader:
    if mapping.source.split(":")[2] == "kinesis":
        return KinesisReader(mapping.source, role, kit.services)
    return DynamoDbReader(mapping.source, kit.services)


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for `event`, but no longer than that."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return

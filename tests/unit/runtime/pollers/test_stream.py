"""A stream that is split, read anew, made again, or away for a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from core.clock import SystemClock
from core.ids import RandomIds
from runtime.api.errors import not_found
from runtime.catalog.documents import EventSourceMapping
from runtime.catalog.store import Catalog
from runtime.invoke.invoker import Call
from runtime.invoke.results import Result
from runtime.invoke.route import Route
from runtime.names import Scope
from runtime.pollers import positions
from runtime.pollers.kit import Kit
from runtime.pollers.shards import Shard, Stream
from runtime.pollers.stream import StreamPoller
from runtime.pollers.streams import After, Page, Position, StreamRecord
from runtime.queues.journal import Journal
from runtime.queues.outbox import Outbox
from runtime.queues.services import Services
from tests.unit.runtime.records import version

SOURCE = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"


class Fake:
    """A stream, and a function that reads it: `records` by shard, `seen` as the function got them."""

    def __init__(self) -> None:
        self.identity = "one"
        self.shards: list[Shard] = [Shard("a")]
        self.records: dict[str, list[str]] = {"a": []}
        self.seen: list[str] = []
        self.away = 0

    async def describe(self) -> Stream:
        """The stream."""
        return Stream(self.identity, tuple(self.shards))

    async def iterator(self, shard: str, position: Position) -> str:
        """The index to read from."""
        return str(self.records[shard].index(position.sequence) + 1 if isinstance(position, After) else 0)

    async def read(self, shard: str, iterator: str, most: int) -> Page:
        """The records from there on."""
        if self.away:
            self.away -= 1
            raise ConnectionError("away")
        found = self.records[shard][int(iterator) :]
        closed = next(each.closed for each in self.shards if each.id == shard)
        following = None if closed else str(int(iterator) + len(found))
        made = [StreamRecord(each, 1.0, each, {}, json.dumps(each).encode()) for each in found]
        return Page(tuple(made), following)

    # the function ---------------------------------------------------------------------------------------------------

    def route(self, name: str, qualifier: str | None) -> tuple[Route, str]:
        """As the invoker."""
        if name != "orders":
            raise not_found(name)
        return Route(name, name, "$LATEST"), name

    async def run(self, name: str, qualifier: str | None, call: Call) -> tuple[Result, str]:
        """As the invoker."""
        self.seen += json.loads(call.payload)["Records"]
        return Result(b"null"), "$LATEST"

    def put_lambda(self, *_: Any, **__: Any) -> None:
        """As the recorder."""


def polled(tmp_path: Path, fake: Fake, act: Callable[[StreamPoller], Any]) -> None:
    """Poll `fake` while `act` runs."""

    async def run() -> None:
        catalog = Catalog(tmp_path / "catalog.db")
        catalog.save(version())
        journal = Journal(tmp_path / "events.db")
        journal.prepare(positions.SCHEMA)
        services = Services(cast(Any, None))
        clock = SystemClock()
        outbox = Outbox(journal, services, clock, lambda *_: None)
        kit = Kit(
            services, cast(Any, fake), catalog, journal, outbox, cast(Any, fake), Scope("123456789012", "us-east-1"),
            clock, RandomIds(), lambda *_: None,
        )  # fmt: skip
        settings = {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10}
        mapping = EventSourceMapping("uuid", "orders", "", SOURCE, settings, True, "Enabled", 0.0)
        poller = StreamPoller(mapping, kit, fake)
        poller.start()
        try:
            await asyncio.wait_for(act(poller), 20)
        finally:
            await poller.stop()
            await journal.close()
            catalog.close()

    asyncio.run(run())


async def _seen(fake: Fake, expected: list[str]) -> None:
    while fake.seen != expected:
        assert len(fake.seen) <= len(expected)
        await asyncio.sleep(0.01)


def test_children_are_read_after_their_parent_is_done(tmp_path: Path) -> None:
    fake = Fake()
    fake.shards = [Shard("a", closed=True), Shard("b", ("a",)), Shard("c", ("a",))]
    fake.records = {"a": ["1", "2"], "b": ["3"], "c": ["4"]}

    async def act(_: StreamPoller) -> None:
        while len(fake.seen) < 4:
            await asyncio.sleep(0.01)

    polled(tmp_path, fake, act)
    assert fake.seen[:2] == ["1", "2"]
    assert sorted(fake.seen[2:]) == ["3", "4"]
    fake.records["b"].append("5")
    polled(tmp_path, fake, lambda _: _seen(fake, [*fake.seen[:4], "5"]))


def test_reading_goes_on_after_what_was_done_when_a_poller_begins_anew(tmp_path: Path) -> None:
    fake = Fake()
    fake.records["a"] = ["1", "2"]
    polled(tmp_path, fake, lambda _: _seen(fake, ["1", "2"]))
    fake.records["a"].append("3")
    polled(tmp_path, fake, lambda _: _seen(fake, ["1", "2", "3"]))


def test_another_stream_of_the_same_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    fake = Fake()
    fake.records["a"] = ["1", "2"]
    polled(tmp_path, fake, lambda _: _seen(fake, ["1", "2"]))
    fake.identity, fake.records = "two", {"a": ["1"]}
    polled(tmp_path, fake, lambda _: _seen(fake, ["1", "2", "1"]))


def test_a_stream_that_does_not_answer_is_asked_again_where_reading_was(tmp_path: Path) -> None:
    fake = Fake()
    fake.records["a"] = ["1"]

    async def act(_: StreamPoller) -> None:
        await _seen(fake, ["1"])
        fake.away = 1
        fake.records["a"].append("2")
        await _seen(fake, ["1", "2"])

    polled(tmp_path, fake, act)

"""Pieces on their way: event stream messages as botocore reads them, channels, bodies as they arrive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from runtime.api.event_stream import message
from runtime.channel import Broken, Channel
from runtime.incoming import Incoming


@pytest.mark.parametrize("payload", [b"", b"hello", bytes(range(256)) * 100])
def test_botocore_reads_our_messages(payload: bytes) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(message("PayloadChunk", "application/octet-stream", payload))
    buffer.add_data(message("InvokeComplete", "application/json", b"{}"))
    messages: list[Any] = [*buffer]
    first, second = messages
    assert first.payload == payload
    assert first.headers == {
        ":event-type": "PayloadChunk", ":content-type": "application/octet-stream", ":message-type": "event",
    }  # fmt: skip
    assert second.headers[":event-type"] == "InvokeComplete"


def test_a_channel_makes_its_writer_wait_for_its_reader() -> None:
    async def run() -> list[int]:
        channel = Channel()
        written: list[int] = []

        async def write() -> None:
            for number in range(10):
                await channel.push(b"x" * 100_000)
                written.append(number)
            channel.end()

        task = asyncio.create_task(write())
        await asyncio.sleep(0.01)
        before = len(written)
        assert sum([len(piece) async for piece in channel]) == 1_000_000
        await task
        return [before, len(written)]

    before, after = asyncio.run(run())
    assert before < 4
    assert after == 10


def test_a_channel_nobody_reads_any_more_takes_everything_and_keeps_nothing() -> None:
    async def run() -> None:
        channel = Channel()
        await channel.aclose()
        for _ in range(100):
            await channel.push(b"x" * 100_000)
        channel.end()
        assert [piece async for piece in channel] == []

    asyncio.run(asyncio.wait_for(run(), 5))


def test_a_channel_that_broke_off_says_so_after_what_it_had() -> None:
    async def run() -> None:
        channel = Channel()
        channel.put(b"some")
        channel.break_off()
        assert await anext(channel) == b"some"
        with pytest.raises(Broken):
            await anext(channel)

    asyncio.run(run())


class Transport(asyncio.Transport):
    """Counts what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return False


def test_a_body_nobody_reads_stops_the_connection_until_somebody_does() -> None:
    async def run() -> None:
        transport = Transport()
        body = Incoming(transport)
        for _ in range(3):
            body.feed(b"x" * 500_000)
        assert transport.paused
        for _ in range(3):
            await anext(body)
        assert not transport.paused
        body.end()
        assert await body.read() == b""

    asyncio.run(run())


def test_a_body_that_is_discarded_is_read_and_dropped() -> None:
    transport = Transport()
    body = Incoming(transport)
    body.feed(b"x" * 2_000_000)
    body.discard()
    assert not transport.paused
    body.feed(b"x" * 2_000_000)
    assert not transport.paused


def test_a_client_that_goes_away_is_noticed_by_whoever_reads() -> None:
    async def run() -> None:
        body = Incoming(None)
        body.feed(b"half")
        body.fail()
        assert await anext(body) == b"half"
        with pytest.raises(ConnectionResetError):
            await anext(body)

    asyncio.run(run())

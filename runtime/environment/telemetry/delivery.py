"""Batches on their way into the sandbox: to an HTTP or a TCP listener of an extension."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from runtime.environment.telemetry.batch import Backlog
from runtime.environment.telemetry.subscription import Destination, Subscription

_TIMEOUT_S = 5.0


class Subscriber:
    """Delivers what `add` is given. `on_dropped(events, bytes, why)` is told what could not be delivered."""

    def __init__(self, host: str, subscription: Subscription, on_dropped: Callable[[int, int, str], None]) -> None:
        self.types = frozenset(subscription.types)
        self._host = host
        self._destination: Destination = subscription.destination
        self._backlog = Backlog(subscription.buffering)
        self._on_dropped = on_dropped
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._flushing = False
        self._writer: asyncio.StreamWriter | None = None
        self._task = asyncio.get_running_loop().create_task(self._deliver())

    def add(self, event: str) -> None:
        """Deliver `event` (JSON) with the next batch."""
        first = not self._backlog.waiting
        if self._backlog.add(event) or first:
            self._idle.clear()
            self._wake.set()

    async def flush(self) -> None:
        """Send what waits, now, and return when it was sent or could not be."""
        self._flushing = True
        self._wake.set()
        await self._idle.wait()

    def close(self) -> None:
        """Send nothing more."""
        self._task.cancel()
        if self._writer is not None:
            self._writer.close()

    async def _deliver(self) -> None:
        buffering = self._backlog.buffering
        loop = asyncio.get_running_loop()
        while True:
            if not self._backlog.waiting:
                self._flushing = False
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
            end = loop.time() + buffering.timeout_s
            while not self._due() and (left := end - loop.time()) > 0:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), left)
            batch = self._backlog.take()
            why = ""
            if batch:
                try:
                    await asyncio.wait_for(self._send(batch), _TIMEOUT_S)
                except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
                    self._backlog.lost(batch)
                    why = f"could not send events: {error or type(error).__name__}"
            self._tell_dropped(why)

    def _due(self) -> bool:
        backlog = self._backlog
        full = len(backlog.waiting) >= backlog.buffering.max_items or backlog.size_bytes >= backlog.buffering.max_bytes
        return self._flushing or full

    def _tell_dropped(self, why: str) -> None:
        count, size = self._backlog.take_dropped()
        if count:
            slow = "some events were dropped because the subscriber is slower than events are produced"
            self._on_dropped(count, size, why or slow)

    async def _send(self, batch: list[str]) -> None:
        if self._destination.protocol == "TCP":
            await self._send_lines(batch)
        else:
            await self._post(batch)

    async def _send_lines(self, batch: list[str]) -> None:
        """Newline-delimited JSON on a connection that stays."""
        if self._writer is None:
            _, self._writer = await asyncio.open_connection(self._host, self._destination.port)
        try:
            self._writer.write("".join(f"{event}\n" for event in batch).encode())
            await self._writer.drain()
        except OSError:
            self._writer = None
            raise

    async def _post(self, batch: list[str]) -> None:
        """One request with a JSON array.

        Raises:
            ValueError: the listener answered with an error.
        """
        destination = self._destination
        body = f"[{','.join(batch)}]".encode()
        head = (
            f"POST {destination.path} HTTP/1.1\r\nHost: sandbox.localdomain:{destination.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(self._host, destination.port)
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            status = (await reader.readuntil(b"\n")).split()
            if len(status) < 2 or not status[1].startswith(b"2"):
                raise ValueError(f"the listener answered {status[1:2] or status}")
        finally:
            writer.close()

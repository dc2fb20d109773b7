"""The body of a request as it arrives, for those that are too long to hold."""

from __future__ import annotations

import asyncio
from collections import deque

_HIGH_BYTES = 1 << 20
_LOW_BYTES = 1 << 18


class Incoming:
    """An iterator of pieces; the connection is not read while too much of them waits here."""

    def __init__(self, transport: asyncio.Transport | None) -> None:
        self._transport = transport
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = self._failed = self._discarding = self._paused = False
        self._waiter: asyncio.Future[None] | None = None

    def __aiter__(self) -> Incoming:
        return self

    async def __anext__(self) -> bytes:
        """The next piece, never empty.

        Raises:
            ConnectionResetError: the client went away before the end.
        """
        while not self._pieces:
            if self._failed:
                raise ConnectionResetError("the client went away before its request was complete")
            if self._ended or self._discarding:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._size < _LOW_BYTES:
            self._resume()
        return piece

    async def read(self) -> bytes:
        """All that is still to come, as one.

        Raises:
            ConnectionResetError: the client went away before the end.
        """
        return b"".join([piece async for piece in self])

    # the connection's side --------------------------------------------------------------------------------------

    def feed(self, piece: bytes) -> None:
        """More has come."""
        if self._discarding:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _HIGH_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def end(self) -> None:
        """That was all."""
        self._ended = True
        self._wake()

    def fail(self) -> None:
        """Nothing more will come, although there should."""
        self._failed = True
        self._wake()

    def discard(self) -> None:
        """Nobody reads on: what still comes is dropped."""
        self._discarding = True
        self._pieces.clear()
        self._size = 0
        self._resume()
        self._wake()

    def _resume(self) -> None:
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._paused = False

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

"""A pipe between two coroutines: pieces of a streamed result, from the function to whoever reads it."""

from __future__ import annotations

import asyncio
from collections import deque

_HIGH_BYTES = 1 << 18


class Broken(Exception):
    """The stream ended before it was complete."""


class Channel:
    """Iterate over it to read; `push` waits while the reader has not taken what is there already."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._ended = self._broken = self._unread = False
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def __aiter__(self) -> Channel:
        return self

    async def __anext__(self) -> bytes:
        """The next piece.

        Raises:
            Broken: what was streamed is not the whole.
        """
        while not self._pieces:
            if self._broken:
                raise Broken("the function broke off")
            if self._ended:
                raise StopAsyncIteration
            self._readable.clear()
            await self._readable.wait()
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._size < _HIGH_BYTES:
            self._writable.set()
        return piece

    async def aclose(self) -> None:
        """Nobody reads any more: what is still pushed is dropped."""
        self._unread = True
        self._pieces.clear()
        self._writable.set()

    def put(self, piece: bytes) -> None:
        """Add a piece without waiting."""
        if self._unread or not piece:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _HIGH_BYTES:
            self._writable.clear()
        self._readable.set()

    async def push(self, piece: bytes) -> None:
        """Add a piece, and wait until there is room for another."""
        self.put(piece)
        await self._writable.wait()

    def end(self) -> None:
        """That was all."""
        self._ended = True
        self._readable.set()

    def break_off(self) -> None:
        """There should have been more."""
        self._broken = True
        self._readable.set()

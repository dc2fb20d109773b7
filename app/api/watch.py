"""Telling many followers that the store has changed, at the price of one cheap look every few milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

INTERVAL_S = 0.01


class Watch:
    """`changed(marker)` gives another marker when the store has changed; it is only ever called from one thread."""

    def __init__(self, changed: Callable[[Any], Any], interval_s: float = INTERVAL_S) -> None:
        self._changed = changed
        self._interval_s = interval_s
        self._looker = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._followers: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def following(self) -> AsyncIterator[asyncio.Event]:
        """An event that is set at first and after every change; the follower clears it."""
        event = asyncio.Event()
        event.set()
        self._followers.add(event)
        if self._task is None:
            self._task = asyncio.create_task(self._look())
        try:
            yield event
        finally:
            self._followers.discard(event)

    def close(self) -> None:
        """Stop looking and wake every follower."""
        if self._task is not None:
            self._task.cancel()
        self._looker.shutdown(wait=False)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        marker: Any = await loop.run_in_executor(self._looker, self._changed, None)
        self._wake()  # what changed between a follower's first read and this marker would be missed
        while self._followers:
            await asyncio.sleep(self._interval_s)
            now = await loop.run_in_executor(self._looker, self._changed, marker)
            if now != marker:
                marker = now
                self._wake()
        self._task = None

    def _wake(self) -> None:
        for event in self._followers:
            event.set()

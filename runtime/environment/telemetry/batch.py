"""Events that wait to be delivered to one subscriber: when a batch is full, and what is dropped. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from runtime.environment.telemetry.subscription import Buffering

_BATCHES_KEPT = 8
"""How many batches may wait while the subscriber does not take them, before events are dropped."""


@dataclass(slots=True)
class Backlog:
    """Encoded events, oldest first."""

    buffering: Buffering
    waiting: deque[str] = field(default_factory=deque)
    size_bytes: int = 0
    dropped: int = 0
    dropped_bytes: int = 0

    def add(self, event: str) -> bool:
        """Whether there is a full batch now; an event there is no room for is counted and dropped."""
        size = len(event)
        full = self.size_bytes + size > self.buffering.max_bytes * _BATCHES_KEPT
        if full or len(self.waiting) >= self.buffering.max_items * _BATCHES_KEPT:
            self.dropped += 1
            self.dropped_bytes += size
            return True
        self.waiting.append(event)
        self.size_bytes += size
        return len(self.waiting) >= self.buffering.max_items or self.size_bytes >= self.buffering.max_bytes

    def take(self) -> list[str]:
        """The next batch: no more items and bytes than asked for, but at least one event if there is one."""
        batch: list[str] = []
        size = 0
        while self.waiting and len(batch) < self.buffering.max_items:
            if batch and size + len(self.waiting[0]) > self.buffering.max_bytes:
                break
            event = self.waiting.popleft()
            size += len(event)
            batch.append(event)
        self.size_bytes -= size
        return batch

    def lost(self, batch: list[str]) -> None:
        """`batch` could not be delivered."""
        self.dropped += len(batch)
        self.dropped_bytes += sum(map(len, batch))

    def take_dropped(self) -> tuple[int, int]:
        """How many events and bytes were dropped since this was last asked."""
        counts = (self.dropped, self.dropped_bytes)
        self.dropped = self.dropped_bytes = 0
        return counts

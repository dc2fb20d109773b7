"""How far a shard has been dealt with when its records are dealt with in several lanes. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class Progress:
    """Records are read in order and done in any; the checkpoint is the last one before which nothing is left."""

    def __init__(self) -> None:
        self._pending: deque[str] = deque()
        self._done: set[str] = set()
        self.checkpoint = ""
        """The sequence number after which reading goes on; empty until the first record is done."""

    def read(self, sequence: str) -> None:
        """A record was read."""
        self._pending.append(sequence)

    def done(self, sequences: Iterable[str]) -> bool:
        """These are dealt with; whether the checkpoint moved."""
        self._done.update(sequences)
        moved = False
        while self._pending and self._pending[0] in self._done:
            self.checkpoint = self._pending.popleft()
            self._done.discard(self.checkpoint)
            moved = True
        return moved

    @property
    def left(self) -> int:
        """How many records were read and are not behind the checkpoint."""
        return len(self._pending)

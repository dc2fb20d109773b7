"""When a batch is complete: by its number of records, its bytes, or its time. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from runtime.invoke.results import MAX_PAYLOAD_BYTES
from runtime.pollers.envelopes import PREFIX, SUFFIX


class Sized(Protocol):
    """A record that knows how it stands in a payload."""

    @property
    def encoded(self) -> bytes:
        """Its JSON."""
        ...


R = TypeVar("R", bound=Sized)


@dataclass(slots=True)
class Batch(Generic[R]):
    """Records gathered for one invocation: at most `size`, at most 6 MB, waiting at most `window_s` since the first.

    A record that is too large on its own makes a batch of one: the function is then refused it, as on AWS.
    """

    size: int
    window_s: float
    records: list[R] = field(default_factory=list)
    began_at: float = 0.0
    _bytes: int = len(PREFIX) + len(SUFFIX)
    _full: bool = False

    def add(self, record: R, now: float) -> bool:
        """Whether it was taken; once one was not, the batch is complete. Its window does not keep out what is there."""
        grown = self._bytes + len(record.encoded) + (1 if self.records else 0)
        if self._full or not self.room() or (self.records and grown > MAX_PAYLOAD_BYTES):
            self._full = True
            return False
        if not self.records:
            self.began_at = now
        self.records.append(record)
        self._bytes = grown
        return True

    def add_all(self, records: Iterable[R], now: float) -> list[R]:
        """Those that were not taken, in order."""
        rest = list(records)
        while rest and self.add(rest[0], now):
            rest.pop(0)
        return rest

    def complete(self, now: float) -> bool:
        """Whether it is to be invoked now; never while it is empty."""
        if not self.records:
            return False
        return self._full or len(self.records) >= self.size or now >= self.began_at + self.window_s

    def room(self) -> int:
        """How many more records it takes by number."""
        return self.size - len(self.records)

    def left_s(self, now: float) -> float:
        """How long it may still wait for more; the whole window while it is empty."""
        return max(0.0, self.began_at + self.window_s - now) if self.records else self.window_s

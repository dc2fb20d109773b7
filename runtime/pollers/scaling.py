"""How many batches of a queue may run at once. Pure: time is an argument.

Source: reference §12, "starts with 5 concurrent batches, +300 per minute up to 1250"; Lambda backs off when the
function fails or is throttled.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST, LAST = 5.0, 1250.0
_PER_SECOND = 300 / 60


@dataclass(slots=True)
class Scale:
    """The limit of one mapping. `maximum` is its MaximumConcurrency; None when it has none."""

    maximum: int | None = None
    _limit: float = FIRST
    _since: float = 0.0

    @property
    def limit(self) -> int:
        """Batches that may run now; at least one."""
        return max(1, int(min(self._limit, self._ceiling)))

    @property
    def _ceiling(self) -> float:
        return LAST if self.maximum is None else float(self.maximum)

    def wanting(self, now: float) -> None:
        """All that may run do run, and there is more: the limit grows with time."""
        if self._since:
            self._limit = min(self._limit + (now - self._since) * _PER_SECOND, self._ceiling)
        self._since = now

    def satisfied(self) -> None:
        """Not all that may run do: time that passes now does not count."""
        self._since = 0.0

    def idle(self) -> None:
        """The queue is empty: the next messages find the limit of the beginning."""
        self._limit, self._since = FIRST, 0.0

    def failed(self) -> None:
        """A batch failed or could not be run: fewer at once."""
        self._limit, self._since = max(1.0, min(self._limit, self._ceiling) / 2), 0.0

"""An event loop whose time passes only when nothing is left to do: timers fire in order, at once."""

from __future__ import annotations

import asyncio


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time` starts at 0.0."""

    def __init__(self) -> None:
        self._virtual = 0.0
        super().__init__()

    def time(self) -> float:
        return self._virtual

    def _run_once(self) -> None:
        if not self._ready:  # type: ignore[attr-defined]
            due = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
            self._virtual = max(self._virtual, min(due, default=self._virtual))
        super()._run_once()  # type: ignore[misc]

    def settle(self) -> None:
        """Run what is ready now; no time passes."""

        async def nothing() -> None:
            for _ in range(20):
                await asyncio.sleep(0)

        self.run_until_complete(nothing())

    def pass_time(self, seconds: float) -> None:
        """Let that much time pass."""
        self.run_until_complete(asyncio.sleep(seconds))
        self.settle()

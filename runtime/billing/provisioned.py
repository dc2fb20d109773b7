"""Meters provisioned concurrency: from when it is configured, by five minutes. Source: reference §15."""

from __future__ import annotations

import asyncio
import contextlib

from core.clock import Clock
from runtime.catalog.documents import ProvisionedConcurrency
from runtime.catalog.records import FunctionVersion
from runtime.catalog.store import Catalog
from runtime.metrics.store import Metrics

_UNIT_S = 300
_LOOK_EVERY_S = 5.0


class ProvisionedMeter:
    """Counts begun units of five minutes for as long as the server runs."""

    def __init__(self, catalog: Catalog, metrics: Metrics, clock: Clock) -> None:
        self._catalog = catalog
        self._metrics = metrics
        self._clock = clock
        self._counted: dict[ProvisionedConcurrency, tuple[float, int]] = {}
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Look no longer."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while not self._stopping.is_set():
            self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _LOOK_EVERY_S)

    def look(self) -> None:
        """Count what has begun since the last look."""
        now = self._clock.now().timestamp()
        configured = self._catalog.all(ProvisionedConcurrency)
        self._counted = {each: known for each, known in self._counted.items() if each in configured}
        for each in configured:
            began, counted = self._counted.get(each, (now, 0))
            units = int((now - began) // _UNIT_S) + 1
            version = self._version(each)
            if units > counted and version is not None:
                self._metrics.provisioned(version, now, (units - counted) * _UNIT_S * each.requested)
            self._counted[each] = (began, units)

    def _version(self, configured: ProvisionedConcurrency) -> FunctionVersion | None:
        alias = self._catalog.alias(configured.function, configured.qualifier)
        return self._catalog.version(configured.function, alias.version if alias is not None else configured.qualifier)

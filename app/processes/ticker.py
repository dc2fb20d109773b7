"""The engine's ticker thread: looks for spooled git events and due schedules, twice a second."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from app import wiring
from app.settings import Settings
from core.clock import Clock
from pipelines import definition
from pipelines.service import Service
from pipelines.triggers.ticker import Ticker
from store.database import Database

INTERVAL_S = 0.5

_log = logging.getLogger("penstock.triggers")


class TickerThread:
    """Ticks from `start` to `stop`. A look that fails is logged and repeated at the next tick."""

    def __init__(self, service: Service, store: Database, clock: Clock, here: Settings) -> None:
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)
        self._problems: list[str] = []
        self._ticker = Ticker(
            service,
            store,
            here.home,
            load=wiring.load,
            restore=definition.from_data,
            files=lambda: _existing(here.pipeline_file),
        )

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """End after the tick that runs now."""
        self._stopped.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            try:
                self._tick()
            except Exception:  # noqa: BLE001 - the thread must go on; the next look may fare better
                _log.exception("a look for triggers failed")

    def _tick(self) -> None:
        report = self._ticker.tick(self._clock.now())
        for execution in report.started:
            _log.info("%s started %s #%d", execution.trigger_detail, execution.pipeline, execution.number)
        for ignored in report.ignored:
            _log.info("%s starts nothing: %s", ignored.key, ignored.why)
        if report.problems != self._problems:
            self._problems = report.problems
            for problem in report.problems:
                _log.warning("%s", problem)


def _existing(file: Path) -> list[Path]:
    return [file] if file.is_file() else []

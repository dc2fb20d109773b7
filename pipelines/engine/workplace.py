"""The place where one start of one attempt is worked on: directories, inputs, and whether it may go on."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from pathlib import Path

from core.clock import Clock
from core.errors import NotFound
from core.units import duration
from pipelines.engine.holding import Holding
from store.artifacts import ArtifactStore
from store.database import Database
from store.records import ActionRecord, ActionStatus, ArtifactRef, StopMode

_LOOK_EVERY_S = 0.2


class Workplace:
    """The directories of one start: an empty `work` below `root`, and each input artifact when first asked for."""

    def __init__(self, root: Path, inputs: tuple[ArtifactRef, ...], artifacts: ArtifactStore) -> None:
        self.root = root
        self.directory = root / "work"
        self._inputs = {ref.name: ref for ref in inputs}
        self._artifacts = artifacts
        self._lock = threading.Lock()

    def make(self) -> None:
        """Create the empty workspace."""
        self.directory.mkdir(parents=True, mode=0o700)

    def input(self, name: str) -> Path:
        """The directory with the input artifact's files, unpacked on the first call.

        Raises:
            NotFound: the action has no such input artifact.
        """
        if name not in self._inputs:
            known = ", ".join(self._inputs) or "none"
            raise NotFound(f"there is no input artifact {name!r}", hint=f"there are: {known}")
        directory = self.root / "inputs" / name
        with self._lock:
            if not directory.exists():
                self._artifacts.unpack(self._inputs[name], directory)
        return directory


class StopAsked:
    """Whether an attempt must end, and why; cheap enough to be asked all the time.

    Calling it gives "" or the reason. It raises LeaseLost when the work is to be left as it is, for another driver.
    """

    def __init__(
        self, database: Database, holding: Holding, clock: Clock, record: ActionRecord, deadline: datetime | None
    ) -> None:
        self._database = database
        self._holding = holding
        self._clock = clock
        self._record = record
        self._deadline = deadline
        self._asked_at = -_LOOK_EVERY_S
        self._requested = ""

    @property
    def timed_out(self) -> bool:
        """Whether its time is over."""
        return self._deadline is not None and self._clock.now() >= self._deadline

    def __call__(self) -> str:
        self._holding.check()
        if self.timed_out and self._deadline is not None:
            limit = (self._deadline - self._record.started_at).total_seconds()
            return f"it took longer than {duration(limit)}"
        if not self._requested and time.monotonic() - self._asked_at >= _LOOK_EVERY_S:
            self._asked_at = time.monotonic()
            self._requested = self._look()
        return self._requested

    def _look(self) -> str:
        with self._database.snapshot() as reader:
            execution = reader.execution(self._record.execution_id)
            status = reader.action(self._record.id).status
        if execution.stop is StopMode.ABANDON:
            return f"asked to stop: {execution.stop_reason}" if execution.stop_reason else "asked to stop"
        return "" if status is ActionStatus.IN_PROGRESS else f"the action is {status.value} already"

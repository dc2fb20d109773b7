"""Deciding and applying until nothing can be done now, in one transaction: who reads that a stage is free takes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.errors import PenstockError
from core.ids import Ids
from pipelines.engine.apply import Writing
from pipelines.engine.commands import Decision
from pipelines.engine.decide import decide
from pipelines.engine.machine import LIVE_EXECUTION
from pipelines.engine.observe import Definitions, look_around, observe
from pipelines.engine.snapshot import ExecutionSnapshot
from store.database import Database
from store.records import ActionRecord, ExecutionRecord, Lease
from store.transaction import Snapshot, Transaction

_MOST_LAYERS = 1000  # no pipeline has that many; more would mean that deciding goes round in circles


@dataclass(frozen=True, slots=True)
class Settled:
    """What is left after every possible command: the attempts that need performing, and when to look again.

    `begun` are the ids of those attempts that were started just now, their first start counted already.
    """

    execution: ExecutionRecord
    work: tuple[ActionRecord, ...]
    begun: frozenset[str]
    wake_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settler:
    """Advances executions as far as they can go without anybody's work."""

    database: Database
    definitions: Definitions
    clock: Clock
    ids: Ids

    def settle(self, execution_id: str, lease: Lease) -> Settled:
        """What is left to perform, after every command that was possible has been applied.

        Raises:
            LeaseLost: somebody else drives the execution now; nothing was written.
            NotFound: no such execution.
        """
        with self.database.snapshot() as reader:
            snapshot, decision = self._look(reader, execution_id)
        if not decision.commands:
            return Settled(snapshot.execution, decision.work, frozenset(), decision.wake_at)
        with self.database.transaction(lease=lease) as tx:
            return self.advance(tx, execution_id)

    def park(self, execution_id: str, lease: Lease) -> bool:
        """Whether nothing is left to do now: then the next wake-up is written and the lease given back with it.

        Otherwise (something happened since the last look) what was possible has been written, and there is work.

        Raises:
            LeaseLost: somebody else drives the execution now.
        """
        with self.database.transaction(lease=lease) as tx:
            settled = self.advance(tx, execution_id)
            if settled.work:
                return False
            wake_at = settled.wake_at if settled.execution.status in LIVE_EXECUTION else None
            if settled.execution.wake_at != wake_at:
                tx.update_execution(settled.execution, wake_at=wake_at)
            tx.release_lease(lease)
        return True

    def advance(self, tx: Transaction, execution_id: str) -> Settled:
        """As `settle`, as a part of `tx`."""
        snapshot, decision = self._look(tx, execution_id)
        definition = self.definitions.of(tx, snapshot.execution)
        writing = Writing(tx, snapshot, self.ids, self.clock)
        for _ in range(_MOST_LAYERS):
            if not decision.commands:
                writing.finish()
                return Settled(snapshot.execution, decision.work, frozenset(writing.started), decision.wake_at)
            for command in decision.commands:
                writing.apply(command)
            snapshot = look_around(tx, writing.snapshot, definition)
            decision = decide(definition, snapshot, self.clock.now())
        raise PenstockError("deciding found no end", where=f"execution {execution_id}")

    def _look(self, reader: Snapshot, execution_id: str) -> tuple[ExecutionSnapshot, Decision]:
        snapshot = observe(reader, execution_id, self.definitions)
        return snapshot, decide(self.definitions.of(reader, snapshot.execution), snapshot, self.clock.now())

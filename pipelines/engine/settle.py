"""Deciding and applying until nothing can be done now, in one transaction: who reads that a stage is free takes it."""

from __future__ import annotations

from dataclasses import dataclass

from core.clock import Clock
from core.errors import PenstockError
from core.ids import Ids
from pipelines.engine.apply import apply
from pipelines.engine.commands import Decision
from pipelines.engine.decide import decide
from pipelines.engine.machine import LIVE_EXECUTION
from pipelines.engine.observe import Definitions, observe
from pipelines.engine.snapshot import ExecutionSnapshot
from store.database import Database
from store.records import Lease
from store.transaction import Snapshot, Transaction

_MOST_LAYERS = 1000  # no pipeline has that many; more would mean that deciding goes round in circles


@dataclass(frozen=True, slots=True)
class Settler:
    """Advances executions as far as they can go without anybody's work."""

    database: Database
    definitions: Definitions
    clock: Clock
    ids: Ids

    def settle(self, execution_id: str, lease: Lease) -> Decision:
        """What is left to perform and when to look again, after every command that was possible has been applied.

        Raises:
            LeaseLost: somebody else drives the execution now; nothing was written.
            NotFound: no such execution.
        """
        with self.database.snapshot() as reader:
            _, decision = self._look(reader, execution_id)
        if not decision.commands:
            return decision
        with self.database.transaction(lease=lease) as tx:
            return self._advance(tx, execution_id)

    def park(self, execution_id: str, lease: Lease) -> bool:
        """Whether nothing is left to do now: then the next wake-up is written and the lease given back with it.

        Otherwise (something happened since the last look) nothing but what was possible has been written.

        Raises:
            LeaseLost: somebody else drives the execution now.
        """
        with self.database.transaction(lease=lease) as tx:
            decision = self._advance(tx, execution_id)
            if decision.work:
                return False
            execution = tx.execution(execution_id)
            wake_at = decision.wake_at if execution.status in LIVE_EXECUTION else None
            if execution.wake_at != wake_at:
                tx.update_execution(execution, wake_at=wake_at)
            tx.release_lease(lease)
        return True

    def _look(self, reader: Snapshot, execution_id: str) -> tuple[ExecutionSnapshot, Decision]:
        definition = self.definitions.of(reader, reader.execution(execution_id))
        snapshot = observe(reader, execution_id, definition)
        return snapshot, decide(definition, snapshot, self.clock.now())

    def _advance(self, tx: Transaction, execution_id: str) -> Decision:
        for _ in range(_MOST_LAYERS):
            snapshot, decision = self._look(tx, execution_id)
            if not decision.commands:
                return decision
            apply(tx, snapshot, decision.commands, ids=self.ids, now=self.clock.now())
        raise PenstockError("deciding found no end", where=f"execution {execution_id}")

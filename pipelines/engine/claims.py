"""Which executions are due, and the leases under which this process drives them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.clock import Clock
from core.errors import LeaseLost, PenstockError
from pipelines.engine.holding import Holding
from store.database import Database
from store.records import ExecutionRecord, Lease, NewEvent

LEASE_TTL_S = 10.0
RENEW_EVERY_S = 3.0

_log = logging.getLogger(__name__)


def lease_name(execution_id: str) -> str:
    """The lease that guards one driver per execution."""
    return f"execution:{execution_id}"


@dataclass(frozen=True, slots=True)
class Claims:
    """Finds due executions and takes their leases for `holder`."""

    database: Database
    clock: Clock
    holder: str

    def look(
        self, driven: Collection[str], room: int
    ) -> tuple[list[ExecutionRecord], list[tuple[ExecutionRecord, Lease]]]:
        """The due executions among `driven` (ours already), and up to `room` others whose lease we now hold."""
        with self.database.snapshot() as reader:
            due = reader.due_executions(self.clock.now())
        ours = [execution for execution in due if execution.id in driven]
        others = [execution for execution in due if execution.id not in driven]
        if not others or room <= 0:
            return ours, []
        taken: list[tuple[ExecutionRecord, Lease]] = []
        with self.database.transaction() as tx:
            for execution in others:
                lease = tx.take_lease(lease_name(execution.id), self.holder, LEASE_TTL_S)
                if lease is not None:
                    taken.append((execution, lease))
                if len(taken) == room:
                    break
        return ours, taken

    def hand_back(self, execution_id: str, lease: Lease, problem: str = "") -> None:
        """Let another driver have the execution now, which stays due; nothing happens when the lease is lost.

        A `problem` (why we could not advance it) is told in the ledger, so that `why` and `run` show it.
        """
        try:
            with self.database.transaction(lease=lease) as tx:
                if problem:
                    execution = tx.execution(execution_id)
                    subject = f"{execution.pipeline}/{execution.number}"
                    tx.append(NewEvent("AdvanceFailed", subject, problem, execution_id))
                tx.release_lease(lease)
        except LeaseLost:
            _log.debug("execution %s is not ours to hand back", execution_id)


class Renewer:
    """A thread that keeps leases alive, and lets go of what was lost. `on_lost` is called from that thread."""

    def __init__(self, database: Database, clock: Clock, on_lost: Callable[[Holding], None]) -> None:
        self._database = database
        self._clock = clock
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._holdings: set[Holding] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        """Begin renewing."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more; what is held expires by itself."""
        self._stopped.set()
        self._thread.join(timeout=RENEW_EVERY_S)

    def keep(self, holding: Holding) -> None:
        """Renew it from now on."""
        with self._lock:
            self._holdings.add(holding)

    def forget(self, holding: Holding) -> None:
        """Renew it no more."""
        with self._lock:
            self._holdings.discard(holding)

    def _run(self) -> None:
        while not self._stopped.wait(RENEW_EVERY_S):
            with self._lock:
                holdings = list(self._holdings)
            for holding in holdings:
                self._renew(holding)

    def _renew(self, holding: Holding) -> None:
        try:
            with self._database.transaction() as tx:
                holding.renewed(tx.renew_lease(holding.lease, LEASE_TTL_S))
        except LeaseLost as problem:
            self._lose(holding, str(problem))
        except PenstockError as problem:
            _log.warning("the lease %s could not be renewed: %s", holding.lease.name, problem)
            if self._clock.now() >= holding.lease.expires_at:
                self._lose(holding, f"it could not be renewed: {problem}")

    def _lose(self, holding: Holding, why: str) -> None:
        with self._lock:
            known = holding in self._holdings
            self._holdings.discard(holding)
        if known:
            _log.warning("lease %s: %s", holding.lease.name, why)
            holding.let_go(why)
            self._on_lost(holding)

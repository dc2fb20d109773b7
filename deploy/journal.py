"""Where a release writes itself down: deployment records and ledger events, fenced by the release's lease."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from core.clock import Clock
from core.errors import Conflict
from core.ids import Ids
from deploy import rollback
from deploy.traffic.machine import DEPLOYMENT, Status
from deploy.traffic.notes import Note
from deploy.traffic.state import Rollout, from_data, to_data
from store.database import Database
from store.records import DeploymentRecord, Lease, NewEvent
from store.transaction import Transaction

LEASE_TTL_S = 30.0
CREATOR_USER = "user"
CREATOR_ROLLBACK = "codeDeployRollback"
_UNFINISHED = (Status.CREATED.value, Status.IN_PROGRESS.value)
_HISTORY = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Which alias of which function on which target; `str` is its lease's name."""

    target: str
    function: str
    alias: str

    def __str__(self) -> str:
        return f"release:{self.target}/{self.function}/{self.alias}"


@dataclass
class Journal:
    """The record of releases to one place, held by whoever has its lease.

    `fence(transaction)` raises when the caller itself may no longer write; it is asked in every transaction.
    """

    database: Database
    clock: Clock
    ids: Ids
    place: Place
    lease: Lease
    fence: Callable[[Any], None]
    log: Callable[[str], None]
    execution_id: str = ""
    action_execution_id: str = ""

    def open(self, state: Rollout, creator: str, *told: Note) -> DeploymentRecord:
        """A new deployment, on record as Created."""
        with self._writing() as transaction:
            record = self._add(transaction, state, creator)
            self._append(transaction, state.deployment_id, told)
        return record

    def save(self, record: DeploymentRecord, state: Rollout, told: Sequence[Note]) -> DeploymentRecord:
        """`record` with that state, its events and, when one is due, the rollback: all of them or none."""
        with self._writing() as transaction:
            if state.rollback_due and not state.rollback_deployment_id:
                state, undoing = self._with_rollback(state)
                self._add(transaction, undoing, CREATOR_ROLLBACK)
                told = (*told, rollback.begun(undoing))
            now = self.clock.now()
            ended_at = now if DEPLOYMENT.final(state.status) else None
            record = transaction.update_deployment(
                record, status=state.status.value, state=to_data(state), ended_at=ended_at
            )
            self._append(transaction, state.deployment_id, told)
        return record

    def tell(self, *told: Note) -> None:
        """Events that belong to no deployment (yet)."""
        with self._writing() as transaction:
            self._append(transaction, "", told)

    def check(self) -> None:
        """Return if we may still write. Raises: LeaseLost."""
        with self._writing():
            return

    def keep(self) -> None:
        """Renew the lease when a third of its time is over. Raises: LeaseLost."""
        if self.lease.expires_at - self.clock.now() < timedelta(seconds=LEASE_TTL_S * 2 / 3):
            with self._writing() as transaction:
                self.lease = transaction.renew_lease(self.lease, LEASE_TTL_S)

    def rollback_of(self, undone: DeploymentRecord, why: str) -> DeploymentRecord:
        """The deployment that undoes a finished one; the one on record already when there is one."""
        known = from_data(undone.state).rollback_deployment_id
        if known:
            with self.database.snapshot() as snapshot:
                return snapshot.deployment(known)
        state = replace(from_data(undone.state), rollback_due=True, why=why, detected_at=self.clock.now())
        undone = self.save(undone, state, ())
        return self.rollback_of(undone, why)

    def history(self) -> list[DeploymentRecord]:
        """This place's deployments, newest first."""
        place = self.place
        with self.database.snapshot() as snapshot:
            return snapshot.deployments(target=place.target, function=place.function, alias=place.alias, limit=_HISTORY)

    def unfinished(self) -> list[DeploymentRecord]:
        """Those whose driver ended before they did, oldest first."""
        return [record for record in reversed(self.history()) if record.status in _UNFINISHED]

    def deployment(self, deployment_id: str) -> DeploymentRecord | None:
        """The deployment with that id, None when there is none at this place."""
        return next((record for record in self.history() if record.id == deployment_id), None)

    @contextmanager
    def _writing(self) -> Iterator[Transaction]:
        with self.database.transaction(durable=True, lease=self.lease) as transaction:
            self.fence(transaction)
            yield transaction

    def _with_rollback(self, state: Rollout) -> tuple[Rollout, Rollout]:
        undoing = rollback.undoing(state, self.ids.deployment(), state.why)
        return replace(state, rollback_deployment_id=undoing.deployment_id), undoing

    def _add(self, transaction: Transaction, state: Rollout, creator: str) -> DeploymentRecord:
        now = self.clock.now()
        record = DeploymentRecord(
            id=state.deployment_id,
            execution_id=self.execution_id,
            action_execution_id=self.action_execution_id,
            target=self.place.target,
            function=self.place.function,
            alias=self.place.alias,
            status=state.status.value,
            creator=creator,
            state=to_data(state),
            created_at=now,
            updated_at=now,
        )
        transaction.add_deployment(record)
        return record

    def _append(self, transaction: Transaction, deployment_id: str, told: Sequence[Note]) -> None:
        place = self.place
        about = {"target": place.target, "function": place.function, "alias": place.alias}
        if deployment_id:
            about["deployment"] = deployment_id
        for note in told:
            subject = f"{place.function}:{place.alias}"
            event = NewEvent(note.kind, subject, note.why, self.execution_id, {**about, **note.facts})
            transaction.append(event)
            self.log(note.why)


@contextmanager
def holding(database: Database, place: Place, holder: str, clock: Clock) -> Iterator[Lease]:
    """The lease on releases to `place`, given back at the end of the block.

    Raises:
        Conflict: another release is going on there, in this process or another living one.
    """
    name = str(place)
    with database.transaction() as transaction:
        held = transaction.lease(name)
        ours = held is not None and held.holder == holder and held.expires_at > clock.now()
        lease = None if ours else transaction.take_lease(name, holder, LEASE_TTL_S)
    if lease is None:
        raise Conflict(
            f"{place.function}:{place.alias} on target {place.target} is being released already",
            hint="wait for that release's end, or stop its execution",
        )
    try:
        yield lease
    finally:
        with database.transaction() as transaction:
            transaction.release_lease(lease)

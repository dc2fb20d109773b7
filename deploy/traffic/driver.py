"""The hands of a rollout: observe, tick, write down, act, wait; again until its record is final.

Every write to the alias is on record before it is made: this may be killed anywhere, and drive the same record again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from core.clock import Clock
from core.errors import Conflict, LeaseLost, PenstockError, Unavailable
from deploy import hooks, rollback
from deploy.analysis.verdict import Verdict
from deploy.analysis.watch import Watch
from deploy.journal import Journal
from deploy.ports import Clients
from deploy.traffic.ending import failed_by_us
from deploy.traffic.machine import DEPLOYMENT, Status
from deploy.traffic.notes import Note
from deploy.traffic.rollout import Act, Facts, HookResult, RunHook, Seen, WriteAlias, needs, step_ends_at, tick
from deploy.traffic.state import Harm, Rollout, from_data
from store.records import DeploymentRecord

POLL_S = 1.0  # alarms and stop requests are looked at this often
LOOK_EVERY_S = 5.0  # the alias, while nothing is to be written to it
PATIENCE_S = 600.0  # how long a target may be unreachable before its deployment is left for a later driver
_SHORTEST_WAIT_S = 0.05
_MOST_WRITES = 20
REFUSED = "WRITE_REFUSED"

StopRequested = Callable[[], str]
Report = Callable[[Rollout], None]


@dataclass
class _Carried:
    """What an act brought to light, for the next tick."""

    alias: Seen | None = None
    hook: HookResult | None = None
    refused: PenstockError | None = None


class Driver:
    """Drives deployments of one place. `stop_requested()` is "" or why to stop; `report` sees every new state."""

    def __init__(
        self, clients: Clients, journal: Journal, clock: Clock, stop_requested: StopRequested, report: Report
    ) -> None:
        self._functions = clients.functions
        self._watch = Watch(clients.metrics)
        self._journal = journal
        self._clock = clock
        self._stop_requested = stop_requested
        self._report = report
        self._looked_at: datetime | None = None
        self._silent_since: datetime | None = None
        self._writes = 0

    def drive(self, record: DeploymentRecord) -> DeploymentRecord:
        """The finished record.

        Raises:
            LeaseLost: somebody else drives this place now.
            Unavailable: the target did not answer for ten minutes; the record stays unfinished and can be driven again.
        """
        state = from_data(record.state)
        carried = _Carried()
        while not DEPLOYMENT.final(state.status):
            self._journal.keep()
            now = self._clock.now()
            facts = self._observe(state, carried, now)
            step = tick(state, facts, now)
            told = step.notes
            if step.state.rollback_of and step.state.status is Status.SUCCEEDED:
                told = (*told, self._rolled_back(step.state, now))
            changed = step.state != state or bool(told)
            if changed:
                record = self._journal.save(record, step.state, told)
                self._report(step.state)
            carried = self._act(step.act, step.state, written=changed)
            state = step.state
            if carried.refused is not None:
                state, told = failed_by_us(state, REFUSED, str(carried.refused), self._clock.now())
                record = self._journal.save(record, state, told)
            elif not changed and carried.alias is None and carried.hook is None:
                self._rest(state)
        return record

    def _observe(self, state: Rollout, carried: _Carried, now: datetime) -> Facts:
        wanted = needs(state, now)
        alias = carried.alias
        if alias is None and (wanted.alias or self._alias_is_due(now)):
            alias = self._look(state, now)
        judgements = self._watch.now(state, now) if wanted.judgements else None
        window = self._watch.whole_step(state, now) if wanted.window else None
        stop = self._stop_requested()
        fires = any(item.verdict is Verdict.BAD for item in (*(judgements or ()), *(window or ())))
        harm = self._watch.harm(state, now) if fires or stop else None
        return Facts(alias, judgements, window, harm, carried.hook, stop)

    def _alias_is_due(self, now: datetime) -> bool:
        return self._looked_at is None or (now - self._looked_at).total_seconds() >= LOOK_EVERY_S

    def _look(self, state: Rollout, now: datetime) -> Seen | None:
        try:
            alias = self._functions.alias(state.function, state.alias)
        except Unavailable as error:
            self._be_patient(error, now)
            return None
        self._looked_at = now
        self._silent_since = None
        return Seen(alias)

    def _act(self, act: Act | None, state: Rollout, *, written: bool) -> _Carried:
        """Do it, fenced: what is not on record since this tick began is checked against the lease first."""
        if act is None:
            return _Carried()
        if not written:
            self._journal.check()
        try:
            match act:
                case WriteAlias():
                    return self._write(act, state)
                case RunHook(stage, function):
                    return _Carried(
                        hook=hooks.run(self._functions, function, state.deployment_id, stage, self._hook_may_run)
                    )
                case _:
                    assert_never(act)
        except Unavailable as error:
            self._be_patient(error, self._clock.now())
        except LeaseLost:
            raise
        except Conflict as error:  # the next look at the alias shows what happened
            self._journal.log(str(error))
        except PenstockError as error:
            return _Carried(refused=error)
        return _Carried()

    def _write(self, act: WriteAlias, state: Rollout) -> _Carried:
        self._writes += 1
        if self._writes > _MOST_WRITES * len(state.steps):
            raise PenstockError(f"{state.function}:{state.alias} does not take the routing {act.routing}")
        if act.revision_id:
            alias = self._functions.update_alias(state.function, state.alias, act.routing, act.revision_id)
        else:
            alias = self._functions.create_alias(state.function, state.alias, act.routing.version)
        self._looked_at = self._clock.now()
        self._silent_since = None
        return _Carried(alias=Seen(alias))

    def _hook_may_run(self) -> bool:
        self._journal.keep()
        return not self._stop_requested()

    def _be_patient(self, error: Unavailable, now: datetime) -> None:
        if self._silent_since is None:
            self._silent_since = now
            self._journal.log(f"{error}; trying again for {PATIENCE_S:g} s")
        elif (now - self._silent_since).total_seconds() > PATIENCE_S:
            raise error

    def _rest(self, state: Rollout) -> None:
        now = self._clock.now()
        left = (step_ends_at(state, now) - now).total_seconds()
        self._clock.sleep(max(_SHORTEST_WAIT_S, min(POLL_S, left)) if left > 0 else POLL_S)

    def _rolled_back(self, state: Rollout, now: datetime) -> Note:
        """What the undone deployment did, counted once more now that it is over."""
        record = self._journal.deployment(state.rollback_of)
        undone = from_data(record.state) if record is not None else None
        harm: Harm | None = self._watch.harm(undone, now) if undone is not None else None
        return rollback.completed(undone, state, harm or (undone.harm if undone else None), now)

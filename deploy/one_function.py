"""Releasing one function: pick up what is on record, else prepare a version, then drive its deployment to the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from core.clock import Clock
from core.errors import Interrupted, Unavailable
from deploy.execute import Executor
from deploy.journal import CREATOR_USER, Journal
from deploy.observe import Observed, observe
from deploy.package.bundle import Package, bundle
from deploy.plan import CreateAlias, Instruction, ShiftTraffic, Wanted, plan
from deploy.ports import AlreadyExists, Clients
from deploy.request import FunctionRelease, ReleaseRequest
from deploy.traffic.driver import PATIENCE_S, POLL_S, Driver, Report
from deploy.traffic.machine import Status
from deploy.traffic.notes import Note
from deploy.traffic.state import EVERY_ROLLBACK, Rollout, from_data, to_data
from deploy.traffic.strategy import Step, Steps, describe
from store.records import DeploymentRecord

_MOST_COLLISIONS = 3  # with somebody else who creates the same function


@dataclass(frozen=True, slots=True)
class Done:
    """How one function's release ended. `record` None: nothing had to be done. `rollback` is what undid it, if any."""

    item: FunctionRelease
    version: str
    record: DeploymentRecord | None = None
    rollback: DeploymentRecord | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the alias is where the release wanted it."""
        return self.record is None or self.record.status == Status.SUCCEEDED


@dataclass(frozen=True, slots=True)
class Planned:
    """What one function's release would do, and from which facts."""

    wanted: Wanted
    observed: Observed
    package: Package
    instructions: tuple[Instruction, ...]


def plan_function(request: ReleaseRequest, item: FunctionRelease, clients: Clients, workspace: Path) -> Planned:
    """The plan for one function, its package made in `workspace`. Nothing on the target is changed.

    Raises:
        InvalidInput: the package is not one that Lambda takes, or a role is needed.
        NotAllowed: the alias is split already.
    """
    file = workspace / f"{item.logical_id}.zip"
    package = bundle(item.directory, file, handler=item.settings.handler, runtime=item.settings.runtime)
    wanted = Wanted(
        item.function, request.alias, item.settings, package.code_sha256, request.steps, request.role_for_new
    )
    observed = observe(clients.functions, item.function, request.alias)
    return Planned(wanted, observed, package, plan(wanted, observed))


@dataclass
class FunctionRun:
    """One function's part of one release."""

    request: ReleaseRequest
    item: FunctionRelease
    clients: Clients
    journal: Journal
    clock: Clock
    stop_requested: Callable[[], str]
    report: Report
    workspace: Path

    def run(self) -> Done:
        """The end of this function's release, which may be one that an earlier driver reached."""
        record = self._mine()
        if record is None:
            self.settle_leftovers()
            begun = self._begin()
            if isinstance(begun, Done):
                return begun
            record = begun
        record = self._driver(self.stop_requested).drive(record)
        return self._done(record, self.finish_rollback(record))

    def begun(self) -> bool:
        """Whether this function's deployment is on record."""
        return self._mine() is not None

    def undo(self, done: Done, why: str) -> Done:
        """Put back what this release did here, because another function of it failed."""
        if done.record is None or not done.succeeded or not from_data(done.record.state).old_version:
            return done
        undoing = self.journal.rollback_of(done.record, why)
        return replace(done, rollback=self._driver(_never).drive(undoing))

    def finish_rollback(self, record: DeploymentRecord) -> DeploymentRecord | None:
        """The finished rollback of a finished deployment, None when none was due. A stop request does not stop it."""
        undoing = self.journal.deployment(from_data(record.state).rollback_deployment_id)
        return self._driver(_never).drive(undoing) if undoing is not None else None

    def settle_leftovers(self) -> None:
        """End the deployments of other releases whose drivers died; what they shifted goes back, asked for or not."""
        for record in self.journal.unfinished():
            state = from_data(record.state)
            if not state.rollback_of:
                record = replace(record, state=to_data(replace(state, rollback_on=EVERY_ROLLBACK)))
            record = self._driver(_abandoned).drive(record)
            self.finish_rollback(record)

    def _mine(self) -> DeploymentRecord | None:
        """This action execution's deployment of this function, when there is one on record."""
        for record in self.journal.history():
            if record.action_execution_id == self.request.action_execution_id and record.creator == CREATOR_USER:
                return record
        return None

    def _begin(self) -> DeploymentRecord | Done:
        """A new deployment on record, its version published; or that nothing has to be done.

        A target that does not answer is asked again for ten minutes: every preparation may be done twice.
        """
        collisions = 0
        silent_since: datetime | None = None
        while True:
            reason = self.stop_requested()
            if reason:
                raise Interrupted(f"stopped before {self.item.function} was released", why=reason)
            try:
                return self._prepare(plan_function(self.request, self.item, self.clients, self.workspace))
            except AlreadyExists:
                collisions += 1
                if collisions == _MOST_COLLISIONS:
                    raise
            except Unavailable as error:
                now = self.clock.now()
                if silent_since is None:
                    self.journal.log(f"{error}; trying again for {PATIENCE_S:g} s")
                silent_since = silent_since or now
                if (now - silent_since).total_seconds() > PATIENCE_S:
                    raise
                self.clock.sleep(POLL_S)

    def _prepare(self, planned: Planned) -> DeploymentRecord | Done:
        executor = Executor(self.clients.functions, self.clock, self.journal.tell, self.stop_requested)
        preparations = [item for item in planned.instructions if not isinstance(item, CreateAlias | ShiftTraffic)]
        published = executor.prepare(preparations, planned.package.path.read_bytes)
        alias = planned.observed.alias
        version = published
        for item in planned.instructions:
            if isinstance(item, CreateAlias):
                version = item.version or published
            elif isinstance(item, ShiftTraffic):
                version = item.to_version or published
        if alias is not None and (not planned.instructions or version == alias.routing.version):
            return self._skip(alias.routing.version)
        assert version is not None, "a plan that is not empty ends with a version that gets traffic"
        state = self._rollout(planned, version)
        why = f"{state.function}:{state.alias} goes to version {version}: {describe(state.steps)}"
        facts = {"version": version, "from_version": state.old_version, "code_sha256": planned.package.code_sha256}
        return self.journal.open(state, CREATOR_USER, Note("DeploymentCreated", why, facts))

    def _skip(self, version: str) -> Done:
        where = f"{self.item.function}:{self.request.alias}"
        why = f"{where} is wholly on version {version} already, with this code and configuration"
        self.journal.tell(Note("ReleaseSkipped", why, {"version": version}))
        return Done(self.item, version)

    def _rollout(self, planned: Planned, version: str) -> Rollout:
        request, alias = self.request, planned.observed.alias
        return Rollout(
            deployment_id=self.journal.ids.deployment(),
            function=self.item.function,
            alias=request.alias,
            base=alias.routing if alias else None,
            routing=alias.routing if alias else None,
            new_version=version,
            revision_id=alias.revision_id if alias else "",
            steps=request.steps if alias else _at_once(request.steps),
            before_hook=request.before_hook,
            after_hook=request.after_hook,
            alarms=request.alarms,
            rollback_on=request.rollback_on,
            ignore_unreadable_alarms=request.ignore_unreadable_alarms,
        )

    def _driver(self, stop_requested: Callable[[], str]) -> Driver:
        return Driver(self.clients, self.journal, self.clock, stop_requested, self.report)

    def _done(self, record: DeploymentRecord, rollback: DeploymentRecord | None) -> Done:
        return Done(self.item, from_data(record.state).new_version, record, rollback)


def _at_once(steps: Steps) -> Steps:
    """A first release has nothing to shift from. Source: SAM, "first deployment: alias created directly"."""
    return (Step(100.0, steps[-1].wait_s),)


def _never() -> str:
    return ""


def _abandoned() -> str:
    return "its driver ended before it did, and another release begins"

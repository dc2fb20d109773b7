"""Releasing functions: observe, plan, execute, roll out; and undo all of it when one fails. What the provider calls.

Every step is on record under the action execution's id; running a request again goes on where the record ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.clock import Clock
from core.errors import Conflict, Interrupted, InvalidInput, LeaseLost, NotAllowed, NotFound, PenstockError
from core.ids import Ids
from core.outcome import Abandoned, Failed, Outcome, Succeeded
from deploy import by_hand
from deploy.clients import ClientFactory
from deploy.execute import NotReady
from deploy.journal import Journal, Place, holding
from deploy.one_function import Done, FunctionRun, plan_function
from deploy.plan import Instruction
from deploy.ports import AlreadyExists
from deploy.request import FunctionRelease, ReleaseRequest
from deploy.targets import Target
from deploy.traffic.ending import MANUAL_STOP
from deploy.traffic.machine import Status
from deploy.traffic.state import RollbackEvent, Rollout, from_data
from store.database import Database
from store.records import DeploymentRecord

Log = Callable[[str], None]
StopRequested = Callable[[], str]
Fence = Callable[[Any], None]

BUSY = "DEPLOYMENT_LIMIT_EXCEEDED"  # Source: CodeDeploy DeploymentLimitExceededException
NOT_PREPARED = "INVALID_LAMBDA_CONFIGURATION"


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """How a release ended, and the deployments it made (rollbacks among them), in order."""

    outcome: Outcome
    deployments: tuple[DeploymentRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """What a release of one function would do; no instructions when nothing would change."""

    function: str
    instructions: tuple[Instruction, ...]


class Release:
    """Releases to any target. `holder` names this process in leases (core.holder.this_process)."""

    def __init__(self, clients: ClientFactory, database: Database, clock: Clock, ids: Ids, holder: str) -> None:
        self._clients = clients
        self._database = database
        self._clock = clock
        self._ids = ids
        self._holder = holder

    def run(
        self,
        request: ReleaseRequest,
        *,
        log: Log,
        report: Callable[..., None],
        stop_requested: StopRequested,
        fence: Fence,
    ) -> ReleaseResult:
        """The release's end: Succeeded, Failed (the user's release did not go well), or Abandoned (told to stop).

        Functions are released one after the other. When one fails, those this release had moved go back, too.
        `report(percent_complete=, summary=)` follows the traffic; `stop_requested()` is asked every second;
        `fence(transaction)` raises when the caller may no longer write.
        Output variables: DeploymentId; FunctionVersion when there is one function; `<LogicalId>_FunctionVersion` and
        `<LogicalId>_DeploymentId` always.

        Raises:
            LeaseLost: somebody else drives this release now.
            Unavailable: the target did not answer for ten minutes; run the request again to go on.
        """
        for warning in request.warnings:
            log(warning)
        with ExitStack() as stack:
            workspace = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-release-")))
            try:
                journals = [stack.enter_context(self._journal(request, item, log, fence)) for item in request.functions]
            except LeaseLost:
                raise
            except Conflict as error:
                return ReleaseResult(Failed(BUSY, str(error)))
            runs = self._runs(request, journals, report, stop_requested, workspace)
            return _release(runs, request)

    def plan_only(self, request: ReleaseRequest) -> tuple[FunctionPlan, ...]:
        """What running the request would do now, function by function; nothing is changed.

        Raises:
            InvalidInput, NotAllowed, Unavailable: it cannot be planned.
        """
        clients = self._clients(request.target)
        with tempfile.TemporaryDirectory(prefix="penstock-plan-") as workspace:
            return tuple(
                FunctionPlan(item.function, plan_function(request, item, clients, Path(workspace)).instructions)
                for item in request.functions
            )

    def roll_back(
        self,
        target: Target,
        function: str,
        alias: str,
        to_version: str | None = None,
        *,
        by: str,
        why: str = "",
        execution_id: str = "",
        log: Log = lambda _: None,
    ) -> DeploymentRecord:
        """The finished deployment that put the alias wholly on `to_version` (None: where it was before, on record).

        Raises:
            Conflict: a release is going on there.
            NotFound: no such function, alias or version.
            NotAllowed: it is wholly there already, or no earlier version is on record.
            Unavailable: the target does not answer.
        """
        place = Place(target.name, function, alias)
        with holding(self._database, place, self._holder, self._clock) as lease:
            journal = Journal(
                self._database, self._clock, self._ids, place, lease, _unfenced, log, execution_id=execution_id
            )
            return by_hand.roll_back(self._clients(target), journal, self._clock, to_version, by, why)

    @contextmanager
    def _journal(self, request: ReleaseRequest, item: FunctionRelease, log: Log, fence: Fence) -> Iterator[Journal]:
        place = Place(request.target.name, item.function, request.alias)
        with holding(self._database, place, self._holder, self._clock) as lease:
            yield Journal(
                self._database,
                self._clock,
                self._ids,
                place,
                lease,
                fence,
                log,
                execution_id=request.execution_id,
                action_execution_id=request.action_execution_id,
            )

    def _runs(
        self,
        request: ReleaseRequest,
        journals: Sequence[Journal],
        report: Callable[..., None],
        stop_requested: StopRequested,
        workspace: Path,
    ) -> list[FunctionRun]:
        def asked_to_stop() -> str:
            for journal in journals:
                journal.keep()  # also the leases of functions whose turn has not come
            return stop_requested()

        count = len(request.functions)
        clients = self._clients(request.target)
        return [
            FunctionRun(
                request, item, clients, journal, self._clock, asked_to_stop, _progress(report, index, count), workspace
            )
            for index, (item, journal) in enumerate(zip(request.functions, journals, strict=True))
        ]


def _release(runs: Sequence[FunctionRun], request: ReleaseRequest) -> ReleaseResult:
    done: list[Done] = []
    for run in runs:
        try:
            ended = run.run()
        except LeaseLost:
            raise
        except Interrupted as error:
            undone = _undo(runs, done, str(error)) if RollbackEvent.REQUEST in request.rollback_on else done
            return ReleaseResult(Abandoned(str(error)), _deployments(undone))
        except (InvalidInput, NotAllowed, NotFound, NotReady) as error:
            if run.begun() or _is_ours(error):
                raise
            undone = _undo(runs, done, str(error)) if RollbackEvent.FAILURE in request.rollback_on else done
            return ReleaseResult(Failed(NOT_PREPARED, str(error)), _deployments(undone))
        done.append(ended)
        if not ended.succeeded:
            return _failure(runs, done)
    return ReleaseResult(_success(done), _deployments(done))


def _is_ours(error: PenstockError) -> bool:
    """Whether it is our own store that refused, not the target or the user's input."""
    return isinstance(error, Conflict) and not isinstance(error, AlreadyExists)


def _failure(runs: Sequence[FunctionRun], done: Sequence[Done]) -> ReleaseResult:
    """One function failed; the ones before it go back if that was asked for after such an end."""
    failed = done[-1]
    assert failed.record is not None, "only a deployment can fail"
    state = from_data(failed.record.state)
    others = list(done[:-1])
    message = f"{state.function}:{state.alias}: {state.why}; {_where_it_is(state, failed)}"
    if (state.ended_by or RollbackEvent.FAILURE) in state.rollback_on:
        others = _undo(runs, others, f"{state.function} was released with it and failed")
    deployments = _deployments([*others, failed])
    if state.code == MANUAL_STOP:
        return ReleaseResult(Abandoned(message), deployments)
    return ReleaseResult(Failed(state.code, message, external_id=failed.record.id), deployments)


def _where_it_is(state: Rollout, failed: Done) -> str:
    if failed.rollback is None:
        return f"the alias sends {state.routing}" if state.routing and state.touched else "the alias was not touched"
    if failed.rollback.status == Status.SUCCEEDED:
        return f"rolled back to version {state.old_version}"
    return f"THE ROLLBACK FAILED: {from_data(failed.rollback.state).why}"


def _undo(runs: Sequence[FunctionRun], done: Sequence[Done], why: str) -> list[Done]:
    """The functions that this release moved, moved back; the latest first."""
    undone = [run.undo(ended, why) for run, ended in reversed(list(zip(runs, done, strict=False)))]
    return undone[::-1]


def _success(done: Sequence[Done]) -> Succeeded:
    deployed = [ended.record.id for ended in done if ended.record is not None]
    variables = {"DeploymentId": ",".join(deployed)}
    for ended in done:
        variables[f"{ended.item.logical_id}_FunctionVersion"] = ended.version
        variables[f"{ended.item.logical_id}_DeploymentId"] = ended.record.id if ended.record else ""
    if len(done) == 1:
        variables["FunctionVersion"] = done[0].version
    told = [f"{ended.item.function} version {ended.version}{'' if ended.record else ' (unchanged)'}" for ended in done]
    return Succeeded(", ".join(told), variables, external_id=deployed[0] if deployed else "")


def _deployments(done: Sequence[Done]) -> tuple[DeploymentRecord, ...]:
    return tuple(record for ended in done for record in (ended.record, ended.rollback) if record is not None)


def _progress(report: Callable[..., None], index: int, count: int) -> Callable[[Rollout], None]:
    def tell(state: Rollout) -> None:
        share = 100 - state.weight_pct if state.rollback_of else state.weight_pct
        where = f"{state.function}:{state.alias} {state.stage.value}"
        summary = f"{where}, {state.weight_pct:g} % on version {state.new_version}"
        report(percent_complete=int((index * 100 + share) / count), summary=summary)

    return tell


def _unfenced(_: object) -> None:
    """For what a person does by hand: the release's lease is fence enough."""

"""Performing one attempt at an action: begin, let the provider work, keep what it made, record how it ended.

Every step may be cut off by a crash; the next driver begins again, after killing what the last one left running.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from core.outcome import Abandoned, Failed, Succeeded
from core.process import kill_tagged
from core.secrets import Redactor
from pipelines.definition.expand import resolve
from pipelines.definition.model import ActionDefinition, PipelineDefinition
from pipelines.engine import ready, record, watching
from pipelines.engine.action_log import ActionLog, log_path
from pipelines.engine.holding import Holding
from pipelines.engine.observe import observe
from pipelines.engine.settle import Settled, Settler
from pipelines.engine.starting import CONFIGURATION_ERROR
from pipelines.engine.workplace import StopAsked, Workplace
from stages.base import ActionContext, Provider
from store.artifacts import ArtifactStore
from store.records import ActionRecord, ActionStatus, ExecutionRecord
from store.transaction import Snapshot

INTERNAL_ERROR = "InternalError"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What performing needs. `provider` gives the provider of that name; `tidy` removes a directory some time later."""

    settler: Settler
    artifacts: ArtifactStore
    home: Path
    provider: Callable[[str], Provider]
    tidy: Callable[[Path], None]
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Begun:
    """An attempt whose start has been counted, with everything its provider will be told."""

    record: ActionRecord
    execution: ExecutionRecord
    definition: PipelineDefinition
    action: ActionDefinition
    commands: tuple[str, ...]
    environment: dict[str, str]
    repository_dir: Path


@dataclass(frozen=True, slots=True)
class _Start:
    """One start of one attempt and the things made for it."""

    shop: Workshop
    holding: Holding
    begun: _Begun
    place: Workplace
    log: ActionLog
    redactor: Redactor
    asked: StopAsked


@dataclass(frozen=True, slots=True)
class Performed:
    """The attempt's status afterwards (InProgress: left as it is) and what became possible (None: not known)."""

    status: ActionStatus
    settled: Settled | None


def perform(shop: Workshop, holding: Holding, attempt: ActionRecord, *, begun: bool) -> Performed:
    """Work on the attempt until its outcome is recorded, or until `holding` is let go of.

    `begun`: it was started for us just now. Otherwise this is counted as another start, and what an earlier one may
    have left running is killed first. Recording the outcome advances the execution in the same transaction.

    Raises:
        LeaseLost: somebody else drives the execution; nothing was recorded.
    """
    work = _as_begun(shop, attempt) if begun else _begin(shop, holding, attempt.id)
    if work is None:
        return Performed(ActionStatus.IN_PROGRESS, None)
    if work.record.starts > 1:
        kill_tagged(attempt.id)
    start = _set_up(shop, holding, work)
    try:
        kept = _run(start)
        if kept is None:
            return Performed(ActionStatus.IN_PROGRESS, None)
        with shop.settler.database.transaction(lease=holding.lease) as tx:
            status = record.outcome(tx, attempt.id, work.action, kept, start.redactor, shop.settler.clock.now())
            return Performed(status, shop.settler.advance(tx, attempt.execution_id))
    finally:
        start.log.close()
        shop.tidy(start.place.root)


def _as_begun(shop: Workshop, attempt: ActionRecord) -> _Begun:
    with shop.settler.database.snapshot() as reader:
        return _gather(shop, reader, attempt)


def _begin(shop: Workshop, holding: Holding, action_id: str) -> _Begun | None:
    """The attempt, another start counted; None when it has ended in the meantime."""
    with shop.settler.database.transaction(lease=holding.lease) as tx:
        before = tx.action(action_id)
        if before.status is not ActionStatus.IN_PROGRESS:
            return None
        at = tx.update_action(before, starts=before.starts + 1)
        record.resumed(tx, at)
        return _gather(shop, tx, at)


def _gather(shop: Workshop, reader: Snapshot, at: ActionRecord) -> _Begun:
    definitions = shop.settler.definitions
    execution = reader.execution(at.execution_id)
    definition = definitions.of(reader, execution)
    action = definition.stage(at.stage).action(at.action)
    commands, environment = action.commands, dict(action.environment)
    if commands or environment:
        scope = ready.scope(definition, observe(reader, execution.id, definitions))
        commands, environment = resolve(commands, scope), resolve(environment, scope)
    directory = Path(reader.pipeline(execution.pipeline).file).parent
    return _Begun(at, execution, definition, action, commands, environment, directory)


def _set_up(shop: Workshop, holding: Holding, begun: _Begun) -> _Start:
    at = begun.record
    redactor = Redactor(shop.secrets)
    place = Workplace(shop.home / "work" / f"{at.id}.{at.starts}", at.input_artifacts, shop.artifacts)
    path = log_path(shop.home / "logs", at.execution_id, at.stage, at.action, at.attempt)
    log = ActionLog(path, redactor, shop.settler.clock)
    asked = StopAsked(shop.settler.database, holding, shop.settler.clock, at, watching.deadline(begun.action, at))
    return _Start(shop, holding, begun, place, log, redactor, asked)


def _run(start: _Start) -> record.Kept | None:
    """How the provider's work ended, artifacts stored; None when it is left for another driver.

    Whatever a provider does, the execution goes on: an exception is our failure, told as the action's.
    """
    at = start.begun.record
    try:
        if at.starts > 1:
            start.log.write(f"-- start {at.starts}: the runner that worked on this is gone, beginning again")
        start.place.make()
        outcome = start.shop.provider(start.begun.action.provider).run(_context(start))
        if isinstance(outcome, Abandoned) and start.asked.timed_out:
            outcome = Failed(watching.TIMED_OUT, outcome.message)
        kept = record.keep_artifacts(start.shop.artifacts, start.begun.action, outcome)
    except Exception as problem:  # noqa: BLE001
        kept = record.Kept(_broken(start, problem), ())
    if start.holding.gone and not isinstance(kept.outcome, Succeeded):
        kill_tagged(at.id)
        return None
    return kept


def _broken(start: _Start, problem: Exception) -> Failed:
    if isinstance(problem, InvalidInput):
        start.log.write(str(problem))
        return Failed(CONFIGURATION_ERROR, str(problem))
    message = str(problem) or type(problem).__name__
    if not start.holding.gone:
        at = start.begun.record
        _log.error("the provider of %s/%s broke (action %s)", at.stage, at.action, at.id, exc_info=problem)
        start.log.write(f"Penstock failed: {message}")
    return Failed(INTERNAL_ERROR, message)


def _context(start: _Start) -> ActionContext:
    begun, at, action = start.begun, start.begun.record, start.begun.action
    return ActionContext(
        pipeline=begun.execution.pipeline,
        execution_id=begun.execution.id,
        stage=at.stage,
        action=at.action,
        action_execution_id=at.id,
        attempt=at.attempt,
        start=at.starts,
        configuration=at.resolved_configuration,
        commands=begun.commands,
        environment=begun.environment,
        input_artifacts=action.input_artifacts,
        output_artifacts=action.output_artifacts,
        target_specs=begun.definition.targets,
        source_revisions=begun.execution.source_revisions,
        repository_dir=begun.repository_dir,
        workspace=start.place.directory,
        tag=at.id,
        deadline=watching.deadline(action, at),
        redactor=start.redactor,
        input=start.place.input,
        log=start.log.write,
        report=record.Reporter(start.shop.settler.database, start.holding, at.id, start.redactor),
        stop_requested=start.asked,
        fence=lambda tx: tx.check_lease(start.holding.lease),
        output_variables=action.output_variables,
    )

"""Performing one attempt at an action: begin, let the provider work, keep what it made, record how it ended.

Every step may be cut off by a crash; the next driver begins again, after killing what the last one left running.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock
from core.errors import InvalidInput, LeaseLost
from core.outcome import Abandoned, Failed, Outcome, Succeeded
from core.process import kill_tagged
from core.secrets import Redactor
from pipelines.definition.expand import resolve
from pipelines.definition.model import ActionDefinition, PipelineDefinition
from pipelines.engine import ready, record, watching
from pipelines.engine.action_log import ActionLog, log_path
from pipelines.engine.holding import Holding
from pipelines.engine.observe import Definitions, observe
from pipelines.engine.starting import CONFIGURATION_ERROR
from pipelines.engine.workplace import StopAsked, Workplace
from stages.base import ActionContext, Provider
from store.artifacts import ArtifactStore
from store.database import Database
from store.records import ActionRecord, ActionStatus, ExecutionRecord

INTERNAL_ERROR = "InternalError"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What performing needs. `provider` gives the provider of that name; `tidy` removes a directory some time later."""

    database: Database
    artifacts: ArtifactStore
    definitions: Definitions
    clock: Clock
    home: Path
    provider: Callable[[str], Provider]
    tidy: Callable[[Path], None]
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Begun:
    record: ActionRecord
    execution: ExecutionRecord
    definition: PipelineDefinition
    action: ActionDefinition
    commands: tuple[str, ...]
    environment: dict[str, str]
    repository_dir: Path


def perform(shop: Workshop, holding: Holding, action_id: str) -> None:
    """Work on the attempt until its outcome is recorded, or until `holding` is let go of (it is left as it is then).

    Raises:
        LeaseLost: somebody else drives the execution; nothing was recorded.
    """
    begun = _begin(shop, holding, action_id)
    if begun is None:
        return
    if begun.record.starts > 1:
        kill_tagged(action_id)
    redactor = Redactor(shop.secrets)
    place = Workplace(_root(shop, begun.record), begun.record.input_artifacts, shop.artifacts)
    at = begun.record
    log = ActionLog(
        log_path(shop.home / "logs", at.execution_id, at.stage, at.action, at.attempt), redactor, shop.clock
    )
    asked = StopAsked(shop.database, holding, shop.clock, at, watching.deadline(begun.action, at))
    try:
        place.make()
        outcome = _run(shop, holding, begun, place, log, redactor, asked)
        if outcome is not None:
            _record(shop, holding, begun, outcome, redactor, asked)
    finally:
        log.close()
        shop.tidy(place.root)


def _begin(shop: Workshop, holding: Holding, action_id: str) -> _Begun | None:
    """The attempt, its start counted; None when it has ended in the meantime."""
    with shop.database.transaction(lease=holding.lease) as tx:
        before = tx.action(action_id)
        if before.status is not ActionStatus.IN_PROGRESS:
            return None
        begun = tx.update_action(before, starts=before.starts + 1)
        execution = tx.execution(begun.execution_id)
        definition = shop.definitions.of(tx, execution)
        action = definition.stage(begun.stage).action(begun.action)
        commands, environment = action.commands, dict(action.environment)
        if commands or environment:
            scope = ready.scope(definition, observe(tx, execution.id, definition))
            commands, environment = resolve(commands, scope), resolve(environment, scope)
        file = Path(tx.pipeline(execution.pipeline).file)
        if begun.starts > 1:
            record.resumed(tx, begun)
    return _Begun(begun, execution, definition, action, commands, environment, file.parent)


def _run(
    shop: Workshop,
    holding: Holding,
    begun: _Begun,
    place: Workplace,
    log: ActionLog,
    redactor: Redactor,
    asked: StopAsked,
) -> Outcome | None:
    """The provider's outcome, or ours when it broke; None when the work is left for another driver."""
    at = begun.record
    if at.starts > 1:
        log.write(f"-- start {at.starts}: the runner that worked on this is gone, beginning again")
    context = _context(shop, holding, begun, place, log, redactor, asked)
    outcome: Outcome
    try:
        outcome = shop.provider(begun.action.provider).run(context)
    except Exception as problem:  # noqa: BLE001 - whatever a provider does, the execution must go on
        if holding.gone or isinstance(problem, LeaseLost):
            return None
        outcome = _broken(at, problem, log)
    if holding.gone and not isinstance(outcome, Succeeded):
        kill_tagged(at.id)
        return None
    return outcome


def _broken(at: ActionRecord, problem: Exception, log: ActionLog) -> Failed:
    if isinstance(problem, InvalidInput):
        log.write(str(problem))
        return Failed(CONFIGURATION_ERROR, str(problem))
    _log.error("the provider of %s/%s broke (action %s)", at.stage, at.action, at.id, exc_info=problem)
    message = str(problem) or type(problem).__name__
    log.write(f"Penstock failed: {message}")
    return Failed(INTERNAL_ERROR, message)


def _record(
    shop: Workshop, holding: Holding, begun: _Begun, outcome: Outcome, redactor: Redactor, asked: StopAsked
) -> None:
    if isinstance(outcome, Abandoned) and asked.timed_out:
        outcome = Failed(watching.TIMED_OUT, outcome.message)
    kept = record.keep_artifacts(shop.artifacts, begun.action, outcome)
    with shop.database.transaction(lease=holding.lease) as tx:
        record.outcome(tx, begun.record.id, begun.action, kept, redactor, shop.clock.now())


def _context(
    shop: Workshop,
    holding: Holding,
    begun: _Begun,
    place: Workplace,
    log: ActionLog,
    redactor: Redactor,
    asked: StopAsked,
) -> ActionContext:
    at, action = begun.record, begun.action
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
        workspace=place.directory,
        tag=at.id,
        deadline=watching.deadline(action, at),
        redactor=redactor,
        input=place.input,
        log=log.write,
        report=record.Reporter(shop.database, holding, at.id, redactor),
        stop_requested=asked,
        fence=lambda tx: tx.check_lease(holding.lease),
        output_variables=action.output_variables,
    )


def _root(shop: Workshop, at: ActionRecord) -> Path:
    return shop.home / "work" / f"{at.id}.{at.starts}"

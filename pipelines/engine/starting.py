"""The command that begins one attempt at an action, its variables resolved and its inputs found. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.errors import PenstockError
from pipelines.definition.expand import resolve
from pipelines.definition.model import ActionDefinition, PipelineDefinition
from pipelines.engine import ready
from pipelines.engine.commands import RefuseAction, RequestApproval, StartAction
from pipelines.engine.snapshot import ExecutionSnapshot
from store.records import StageRecord

CONFIGURATION_ERROR = "ConfigurationError"
APPROVAL_TIMEOUT_S = 7 * 24 * 3600.0  # Source: CodePipeline manual approval, 7 days


def start(
    definition: PipelineDefinition,
    snapshot: ExecutionSnapshot,
    stage: StageRecord,
    action: ActionDefinition,
    now: datetime,
) -> StartAction | RequestApproval | RefuseAction:
    """How to begin `action` now; RefuseAction when a variable or an input artifact is not there."""
    made = ready.artifacts(definition, snapshot)
    missing = [name for name in action.input_artifacts if name not in made]
    if missing:
        return _refuse(stage, action, f"input artifact {', '.join(missing)} was not made")
    try:
        scope = ready.scope(definition, snapshot)
        resolved = resolve(dict(action.configuration), scope)
        resolve([*action.commands, *action.environment.values()], scope)
    except PenstockError as problem:
        return _refuse(stage, action, str(problem))
    if action.category == ready.APPROVAL:
        due_at = now + timedelta(seconds=action.timeout_s or APPROVAL_TIMEOUT_S)
        why = "a person has to answer" if action.run_order == 1 else "everything before it succeeded"
        return RequestApproval(stage.stage, action.name, stage.attempt, action.configuration, resolved, due_at, why)
    return StartAction(
        stage.stage,
        action.name,
        stage.attempt,
        action.configuration,
        resolved,
        tuple(made[name] for name in action.input_artifacts),
        "everything before it succeeded" if stage.attempt == 1 else f"attempt {stage.attempt} of the stage",
    )


def _refuse(stage: StageRecord, action: ActionDefinition, message: str) -> RefuseAction:
    return RefuseAction(
        stage.stage,
        action.name,
        stage.attempt,
        action.configuration,
        CONFIGURATION_ERROR,
        message,
        f"cannot start: {message}",
    )

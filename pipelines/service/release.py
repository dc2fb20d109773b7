"""Undoing a release, and saying what one would do, without running a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import NotAllowed, NotFound
from pipelines.definition.model import ActionDefinition, PipelineDefinition
from pipelines.service import lookup, variables
from pipelines.service.ports import Ports
from store.database import Snapshot
from store.records import ArtifactRef, DeploymentRecord, ExecutionRecord

RELEASE_PROVIDER = "CodeDeploy"
_FINISHED = ("Succeeded", "Failed", "Stopped")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which release: by deployment id, or the newest that fits function, alias and target ("" fits all)."""

    deployment: str = ""
    function: str = ""
    alias: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """What one release action would do now, one line each; empty when nothing would change."""

    stage: str
    action: str
    artifact: str
    lines: tuple[str, ...]


def roll_back(ports: Ports, choice: Choice, reason: str) -> DeploymentRecord:
    """The deployment that undid the chosen one.

    Raises:
        NotFound: no release fits.
        NotAllowed: it is still going on, or there is nothing to go back to.
    """
    with ports.database.snapshot() as snapshot:
        deployment = _choose(snapshot, choice)
        execution = snapshot.execution(deployment.execution_id)
        data = snapshot.definition(execution.pipeline, execution.pipeline_version)
    if deployment.status not in _FINISHED:
        raise NotAllowed(
            f"release {deployment.id} of {deployment.function} is still going on",
            hint="stop its execution with `penstock stop`, it rolls back by itself",
        )
    spec = data.get("targets", {}).get(deployment.target) or {}
    undone = ports.releases.roll_back(deployment, spec, reason)
    ports.nudge()
    return undone


def _choose(snapshot: Snapshot, choice: Choice) -> DeploymentRecord:
    if choice.deployment:
        return snapshot.deployment(choice.deployment)
    fitting = snapshot.deployments(
        function=choice.function or None, alias=choice.alias or None, target=choice.target or None, limit=50
    )
    if not fitting:
        raise NotFound("there is no release to roll back", hint="`penstock show` lists the releases of an execution")
    places = sorted({f"{item.target}/{item.function}:{item.alias}" for item in fitting})
    if len(places) > 1:
        raise NotAllowed(f"{len(places)} functions were released", hint="name one of: " + ", ".join(places))
    return fitting[0]


def plan(ports: Ports, file_text: str, file: str, given: dict[str, str], action: str = "") -> list[ActionPlan]:
    """What every release action of the file (or the one named) would do with the newest artifact it reads.

    Raises:
        InvalidInput: the file or a variable is wrong.
        NotFound: no release action, or no execution made its artifact yet.
    """
    definition = ports.load(file_text, file)
    values = variables.resolve(definition.variables, given)
    chosen = _release_actions(definition, action)
    plans = []
    for stage, item in chosen:
        artifact = _newest_artifact(ports, definition.name, item.input_artifacts[0])
        lines = ports.releases.plan(definition, item.configuration, artifact.digest, values)
        plans.append(ActionPlan(stage, item.name, artifact.digest, tuple(lines)))
    return plans


def _release_actions(definition: PipelineDefinition, name: str) -> Sequence[tuple[str, ActionDefinition]]:
    found = [
        (stage.name, action)
        for stage in definition.stages
        for action in stage.actions
        if action.provider == RELEASE_PROVIDER and name in ("", action.name)
    ]
    if not found:
        raise NotFound(f"{definition.name} has no release action" + (f" {name!r}" if name else ""))
    return found


def _newest_artifact(ports: Ports, pipeline: str, name: str) -> ArtifactRef:
    with ports.database.snapshot() as snapshot:
        for execution in snapshot.executions(pipeline, limit=50):
            found = _made(snapshot, execution, name)
            if found is not None:
                return found
    raise NotFound(f"no execution of {pipeline} has made artifact {name!r} yet", hint="run it once with `penstock run`")


def _made(snapshot: Snapshot, execution: ExecutionRecord, name: str) -> ArtifactRef | None:
    made = [
        artifact
        for action in sorted(snapshot.actions(execution.id), key=lambda item: item.started_at)
        for artifact in action.output_artifacts
        if artifact.name == name
    ]
    return made[-1] if made else None

"""Undoing a release, and saying what one would do, without running a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import NotAllowed, NotFound
from pipelines.definition.expand import PIPELINE_NAMESPACE, SYSTEM_NAMESPACE, resolve
from pipelines.definition.model import ActionDefinition, PipelineDefinition
from pipelines.service import variables
from pipelines.service.ports import Ports
from store.records import ActionStatus, ArtifactRef, DeploymentRecord, ExecutionRecord
from store.transaction import Snapshot

RELEASE_PROVIDER = "CodeDeploy"
_LOOK_BACK = 50  # so many executions are searched for an artifact


@dataclass(frozen=True, slots=True)
class Choice:
    """Which release: by deployment id, or the newest that fits function, alias and target ("" fits all).

    `to_version` "" is the version before it.
    """

    deployment: str = ""
    function: str = ""
    alias: str = ""
    target: str = ""
    to_version: str = ""


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """What one release action would do now with the artifact of that digest, one line each."""

    stage: str
    action: str
    artifact: str
    lines: tuple[str, ...]


def roll_back(ports: Ports, choice: Choice, by: str, reason: str) -> DeploymentRecord:
    """The finished deployment that undid the chosen one.

    Raises:
        NotFound: no release fits, or there is no such version.
        NotAllowed: several functions fit, there is nothing to go back to, or a release is going on there.
        Unavailable: the target does not answer.
    """
    with ports.database.snapshot() as snapshot:
        chosen = _choose(snapshot, choice)
        execution = snapshot.execution(chosen.execution_id)
        data = snapshot.definition(execution.pipeline, execution.pipeline_version)
    spec = data.get("targets", {}).get(chosen.target) or {}
    to_version = choice.to_version or (chosen.state.get("old_version") if choice.deployment else None)
    return ports.releases().roll_back(chosen, spec, to_version, by, reason)


def _choose(snapshot: Snapshot, choice: Choice) -> DeploymentRecord:
    if choice.deployment:
        return snapshot.deployment(choice.deployment)
    fitting = [
        item
        for item in snapshot.deployments(
            function=choice.function or None, alias=choice.alias or None, target=choice.target or None, limit=200
        )
        if item.execution_id
    ]
    if not fitting:
        raise NotFound("there is no release to roll back", hint="`penstock show` lists the releases of an execution")
    places = sorted({f"{item.function}:{item.alias} on target {item.target}" for item in fitting})
    if len(places) > 1:
        raise NotAllowed(f"{len(places)} aliases were released", hint="name one of: " + ", ".join(places))
    return fitting[0]


def plan(ports: Ports, file_text: str, file: str, given: Mapping[str, str], name: str = "") -> list[ActionPlan]:
    """What every release action of the file (or the one named) would do with the newest artifact it reads.

    Raises:
        InvalidInput: the file, a variable or the artifact's template is wrong.
        NotFound: no release action, or no execution made its artifact yet.
        PenstockError: a variable that only a running execution knows has no value.
        Unavailable: the target does not answer.
    """
    definition = ports.load(file_text, file)
    values = variables.resolve(definition.variables, given)
    plans = []
    for stage, action in _release_actions(definition, name):
        execution, artifact, scope = _newest(ports, definition, action.input_artifacts[0])
        scope |= {PIPELINE_NAMESPACE: values, SYSTEM_NAMESPACE: {"PipelineExecutionId": execution.id}}
        configuration = resolve(action.configuration, scope)
        lines = ports.releases().plan(definition.targets, configuration, artifact)
        plans.append(ActionPlan(stage, action.name, artifact.digest, tuple(lines)))
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


def _newest(
    ports: Ports, definition: PipelineDefinition, name: str
) -> tuple[ExecutionRecord, ArtifactRef, dict[str, Mapping[str, str]]]:
    """The newest execution that made the artifact, the artifact, and the variables its actions put out."""
    with ports.database.snapshot() as snapshot:
        for execution in snapshot.executions(definition.name, limit=_LOOK_BACK):
            actions = [item for item in snapshot.actions(execution.id) if item.status is ActionStatus.SUCCEEDED]
            made = [ref for action in actions for ref in action.output_artifacts if ref.name == name]
            if made:
                outputs = {(item.stage, item.action): item.output_variables for item in actions}
                return execution, made[-1], _scope(definition, outputs)
    raise NotFound(
        f"no execution of {definition.name} has made artifact {name!r} yet", hint="run it once with `penstock run`"
    )


def _scope(definition: PipelineDefinition, outputs: Mapping[tuple[str, str], Any]) -> dict[str, Mapping[str, str]]:
    return {
        action.namespace: outputs[stage.name, action.name]
        for stage in definition.stages
        for action in stage.actions
        if action.namespace and (stage.name, action.name) in outputs
    }

"""A checked document's data as the frozen value the engine works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.definition.model import (
    ActionDefinition,
    Filter,
    OnFailure,
    PipelineDefinition,
    PushTrigger,
    ScheduleTrigger,
    StageDefinition,
    Trigger,
    Variable,
)
from pipelines.definition.view import Catalog


def build(data: Mapping[str, Any], catalog: Catalog) -> PipelineDefinition:
    """The pipeline that good `data` describes; a provider that is gone since it was checked has category ""."""
    return PipelineDefinition(
        name=data["name"],
        stages=tuple(_stage(stage, catalog) for stage in data["stages"]),
        execution_mode=data.get("executionMode", "QUEUED"),
        variables=tuple(_variable(name, item) for name, item in data.get("variables", {}).items()),
        targets=data.get("targets", {}),
        triggers=tuple(_trigger(trigger) for trigger in data.get("triggers", [])),
        data=data,
    )


def _variable(name: str, data: Mapping[str, Any]) -> Variable:
    return Variable(name, data.get("default"), data.get("description", ""), tuple(data.get("allowed", ())))


def _trigger(data: Mapping[str, Any]) -> Trigger:
    if "schedule" in data:
        schedule = data["schedule"]
        return ScheduleTrigger(schedule["cron"], schedule.get("timezone", "UTC"), schedule.get("catchUp", "latest"))
    push = data["push"]
    return PushTrigger(_filter(push.get("branches")), _filter(push.get("tags")), _filter(push.get("filePaths")))


def _filter(data: Mapping[str, Any] | None) -> Filter | None:
    return None if data is None else Filter(tuple(data.get("includes", ())), tuple(data.get("excludes", ())))


def _stage(data: Mapping[str, Any], catalog: Catalog) -> StageDefinition:
    failure = data.get("onFailure")
    on_failure = None
    if failure is not None:
        retry = failure.get("retryConfiguration", {})
        on_failure = OnFailure(failure["result"], retry.get("retryMode", "FAILED_ACTIONS"))
    return StageDefinition(data["name"], tuple(_action(action, catalog) for action in data["actions"]), on_failure)


def _action(data: Mapping[str, Any], catalog: Catalog) -> ActionDefinition:
    action_type = catalog(data["provider"])
    minutes = data.get("timeoutInMinutes")
    return ActionDefinition(
        name=data["name"],
        provider=data["provider"],
        category=action_type.category if action_type is not None else "",
        run_order=int(data.get("runOrder", 1)),
        configuration=data.get("configuration", {}),
        commands=tuple(data.get("commands", ())),
        environment=data.get("environmentVariables", {}),
        input_artifacts=tuple(data.get("inputArtifacts", ())),
        output_artifacts=tuple(data.get("outputArtifacts", ())),
        output_variables=tuple(data.get("outputVariables", ())),
        namespace=data.get("namespace", ""),
        timeout_s=None if minutes is None else float(minutes) * 60,
    )

"""A checked pipeline as frozen values: CodePipeline V2's model with our short names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ExecutionMode = Literal["QUEUED", "SUPERSEDED", "PARALLEL"]


@dataclass(frozen=True, slots=True)
class Variable:
    """A pipeline-level variable; without `default` every start must give it. `allowed` () means any value."""

    name: str
    default: str | None = None
    description: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """Glob patterns; no includes = everything, an exclude beats an include (Source: CodePipeline git triggers)."""

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PushTrigger:
    """Start when a matching push (or local commit) arrives through a git hook. None = dimension not present."""

    branches: Filter | None = None
    tags: Filter | None = None
    file_paths: Filter | None = None


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """Start at due times of a five-field cron in `timezone` (IANA). Of those missed: the latest, all or none."""

    cron: str
    timezone: str = "UTC"
    catch_up: Literal["latest", "all", "none"] = "latest"


Trigger = PushTrigger | ScheduleTrigger


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """One action. `category` comes from the provider's action type. `timeout_s` None = the provider's own limit.

    `commands`, `environment` and `output_variables` (names to export) are only filled for the provider Commands.
    """

    name: str
    provider: str
    category: str
    run_order: int = 1
    configuration: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    input_artifacts: tuple[str, ...] = ()
    output_artifacts: tuple[str, ...] = ()
    output_variables: tuple[str, ...] = ()
    namespace: str = ""
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class OnFailure:
    """What happens by itself when a stage failed. RETRY: one more attempt; ROLLBACK: the last good one's artifacts."""

    result: Literal["ROLLBACK", "RETRY"]
    retry_mode: Literal["FAILED_ACTIONS", "ALL_ACTIONS"] = "FAILED_ACTIONS"


@dataclass(frozen=True, slots=True)
class StageDefinition:
    """A stage: actions grouped by `run_order`, equal numbers in parallel."""

    name: str
    actions: tuple[ActionDefinition, ...]
    on_failure: OnFailure | None = None

    def action(self, name: str) -> ActionDefinition:
        """The action of that name. Raises: KeyError."""
        for action in self.actions:
            if action.name == name:
                return action
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class PipelineDefinition:
    """A pipeline whose every rule has been checked. `data` is the document it was read from, keys as written."""

    name: str
    stages: tuple[StageDefinition, ...]
    execution_mode: ExecutionMode = "QUEUED"
    variables: tuple[Variable, ...] = ()
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    def stage(self, name: str) -> StageDefinition:
        """The stage of that name. Raises: KeyError."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

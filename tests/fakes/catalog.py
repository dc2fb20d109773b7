"""A small catalog of action types, so that checking a pipeline does not depend on what the real providers take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.errors import InvalidInput
from core.source import Diagnostic
from pipelines.definition import load
from stages.base import ActionType, Configuration


class Empty(Configuration):
    """No keys."""


class Git(Configuration):
    repository: str
    branch: str = "main"


class CodeBuild(Configuration):
    buildspec: str = "buildspec.yml"
    project_name: str = ""


class LambdaTest(Configuration):
    events: str
    target: str = "local"


class Manual(Configuration):
    model_config = ConfigDict(alias_generator=None)

    CustomData: str = ""


class Alarm(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    threshold: float = Field(gt=0)


class CodeDeploy(Configuration):
    target: str
    alias: str
    deployment_config: str | list[str] = "AllAtOnce"
    bake_seconds: int = 0
    hooks: dict[Literal["BeforeAllowTraffic", "AfterAllowTraffic"], str] = Field(default={})
    alarms: list[str | Alarm] = Field(default=[])
    rollback: list[Literal["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]] = Field(default=[])

    @field_validator("deployment_config")
    @classmethod
    def known(cls, value: str | list[str]) -> str | list[str]:
        """Refuse what is no strategy."""
        if value == "AllAtOne":
            raise ValueError("'AllAtOne' is no deployment configuration; did you mean 'AllAtOnce'?")
        return value


def aliases(configuration: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """A rule across keys: the alias must not be $LATEST."""
    if configuration["alias"] == "$LATEST":
        return [("alias", "$LATEST is no alias", "name an alias")]
    return []


_TYPES = {
    "Git": ActionType("Source", "Git", (0, 0), (1, 1), Git, ("CommitId", "BranchName", "CommitMessage")),
    "CodeBuild": ActionType("Build", "CodeBuild", (1, 5), (0, 5), CodeBuild, None),
    "LambdaTest": ActionType("Test", "LambdaTest", (1, 1), (0, 0), LambdaTest),
    "Manual": ActionType("Approval", "Manual", (0, 0), (0, 0), Manual),
    "CodeDeploy": ActionType("Deploy", "CodeDeploy", (1, 1), (0, 0), CodeDeploy, ("DeploymentId",), aliases),
    "Commands": ActionType("Compute", "Commands", (1, 10), (0, 1), Empty, None),
}

NAMES = tuple(_TYPES)


def catalog(provider: str) -> ActionType | None:
    """The action type of that provider, None for an unknown one."""
    return _TYPES.get(provider)


def diagnostics(text: str, file: str = "pipeline.yaml") -> tuple[Diagnostic, ...]:
    """Every mistake in `text`, () when it is good."""
    try:
        load(text, file, catalog=catalog, provider_names=NAMES)
    except InvalidInput as error:
        return error.diagnostics
    return ()


def complaints(text: str) -> list[str]:
    """Every mistake in `text` as people read it."""
    return [str(diagnostic) for diagnostic in diagnostics(text)]

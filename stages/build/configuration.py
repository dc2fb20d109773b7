"""What a CodeBuild action's `configuration` may say, and the mistakes a schema cannot express."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.errors import InvalidInput
from stages.base import Configuration

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class EnvironmentVariable(BaseModel):
    """One variable. Source: CodeBuild EnvironmentVariable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    value: str
    type: str = "PLAINTEXT"


class CodeBuildConfiguration(Configuration):
    """How to build the primary input artifact."""

    buildspec: str = Field(
        default="", description="Path in the primary input, or the buildspec itself; buildspec.yml when absent."
    )
    environment_variables: list[EnvironmentVariable] | str = Field(
        default_factory=list, description="Variables that win over the buildspec's; AWS's JSON array text works too."
    )
    primary_source: str | None = Field(default=None, description="The input the build starts in; needed with several.")
    image: str | None = Field(default=None, description="Build in a container of this image instead of this machine.")


_LIST = TypeAdapter(list[EnvironmentVariable])


def variables(written: Sequence[EnvironmentVariable] | str) -> dict[str, str]:
    """Name → value.

    Raises:
        InvalidInput: not AWS's form, a name no shell can have, a reserved name, a type of another version.
    """
    items = _from_json(written) if isinstance(written, str) else written
    problems = [problem for item in items if (problem := _problem(item))]
    if problems:
        raise InvalidInput("; ".join(problems), where="environmentVariables")
    return {item.name: item.value for item in items}


def check(configuration: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Mistakes in the variables that can be seen before the action runs."""
    written = configuration.get("environmentVariables", [])
    if isinstance(written, str):
        try:
            variables(written) if "#{" not in written else None
        except InvalidInput as error:
            return [("environmentVariables", error.what, "")]
        return []
    found = []
    for index, item in enumerate(written if isinstance(written, list) else []):
        try:
            problem = _problem(EnvironmentVariable.model_validate(item))
        except ValidationError:
            continue  # the schema says so itself
        if problem:
            found.append((f"environmentVariables[{index}]", problem, ""))
    return found


def _from_json(text: str) -> list[EnvironmentVariable]:
    try:
        return _LIST.validate_python(json.loads(text) if text.strip() else [])
    except (ValueError, RecursionError):
        what = "this is no JSON array of {name, value, type}"
        raise InvalidInput(what, where="environmentVariables", hint='write a list, or [{"name": …}]') from None


def _problem(item: EnvironmentVariable) -> str:
    if item.type in ("PARAMETER_STORE", "SECRETS_MANAGER"):
        return f"{item.name}: type {item.type} is not supported by this version of Penstock"
    if item.type != "PLAINTEXT":
        return f"{item.name}: there is no type '{item.type}'"
    if not _NAME.fullmatch(item.name):
        return f"'{item.name}' is no name for a variable: letters, digits and _ only"
    return f"{item.name}: names that begin with CODEBUILD_ are reserved" if item.name.startswith("CODEBUILD_") else ""

"""The variables of a function: what the template declares, with values from a file or the shell instead. Pure.

Source: SAM CLI: the file wins over the shell, the shell over the template; what is not declared is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.sam_local.problems import LocalError
from sam.local.model import LocalFunction

_FORMAT = (
    "Environment variables must be in either CloudFormation parameter file format "
    "or in {FunctionName: {key:value}} JSON pairs"
)
_FOR_ALL = "Parameters"
# passed on when the shell has it: `eval "$(penstock env)"` leads a function's own AWS calls to the pipeline's runtime
_ENDPOINT = "AWS_ENDPOINT_URL"


def read_overrides(text: str, file: str) -> dict[str, dict[str, Any]]:
    """The content of an --env-vars file.

    Raises:
        LocalError: not JSON, or of another shape.
    """
    try:
        data = json.loads(text)
    except ValueError as problem:
        what = f"Could not read environment variables overrides from file {file}"
        raise LocalError(what, why=str(problem)) from None
    if not isinstance(data, dict) or not all(isinstance(value, dict) for value in data.values()):
        raise LocalError(_FORMAT, where=file)
    return data


def variables(
    function: LocalFunction, overrides: Mapping[str, Mapping[str, Any]], shell: Mapping[str, str], account: str
) -> dict[str, str]:
    """What the function finds in its environment beside what every function does."""
    chosen = {
        **overrides.get(_FOR_ALL, {}),
        **overrides.get(function.function_name, {}),
        **overrides.get(function.logical_id, {}),
    }
    values = {
        name: _text(chosen[name]) if name in chosen else shell.get(name, value)
        for name, value in function.environment.items()
    }
    passed = {_ENDPOINT: shell[_ENDPOINT]} if shell.get(_ENDPOINT) else {}
    return {"AWS_SAM_LOCAL": "true", "AWS_ACCOUNT_ID": account, **passed, **values}


def _text(value: Any) -> str:
    """A value of the file as a variable holds it; lists, mappings and null are empty. Source: SAM CLI."""
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)

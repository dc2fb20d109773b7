"""Invoking a function on one of a pipeline's targets, for the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from app import wiring
from app.settings import Settings
from core.clock import SystemClock
from core.document import suggest
from core.errors import NotFound
from deploy.lambda_client import LambdaClient
from deploy.ports import InvokeResult


def invoke_on(here: Settings, target: str, function: str, payload: bytes) -> InvokeResult:
    """What the function answered.

    Raises:
        NotFound: the pipeline file has no such target, or the target no such function.
        InvalidInput: the pipeline file has mistakes.
    """
    spec = _spec(here, target)
    return LambdaClient(wiring.targets(here, SystemClock(), os.environ)(target, spec)).invoke(function, payload)


def answer(result: InvokeResult) -> dict[str, Any]:
    """The result as a JSON document; `payload` is the answer itself when it is JSON, else its text."""
    text = result.payload.decode("utf-8", "replace")
    try:
        payload = json.loads(text)
    except ValueError:
        payload = text
    return {
        "payload": payload,
        "functionError": result.function_error or None,
        "executedVersion": result.executed_version,
        "log": result.log_tail,
    }


def _spec(here: Settings, target: str) -> Mapping[str, Any]:
    """The target as the pipeline file describes it; `local` needs no file."""
    if not here.pipeline_file.is_file():
        if target == "local":
            return {}
        raise NotFound(f"there is no {here.pipeline_file} to name target {target!r}")
    targets = wiring.load(here.pipeline_file.read_text("utf-8"), str(here.pipeline_file)).targets
    if target in targets:
        return targets[target]
    if target == "local":
        return {}
    raise NotFound(f"there is no target {target!r}", hint=suggest(target, targets) or f"there are {', '.join(targets)}")

"""What a release is asked for, and how that is read from a CodeDeploy action's configuration and a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.document import suggest
from core.errors import InvalidInput
from core.source import Diagnostic
from deploy.analysis import alarms as alarm_reader
from deploy.analysis.alarms import Alarm, Problem
from deploy.ports import FunctionSettings
from deploy.targets import Target
from deploy.traffic import strategy
from deploy.traffic.state import RollbackEvent
from deploy.traffic.strategy import ALL_AT_ONCE, Steps
from sam.template import SamFunction, Template, load

LOCAL_ROLE = "arn:aws:iam::123456789012:role/penstock"  # for functions created behind an endpoint of one's own
DEFAULT_ROLLBACK = tuple(RollbackEvent)
_VARIABLE = "#{"
_HOOKS = ("BeforeAllowTraffic", "AfterAllowTraffic")


@dataclass(frozen=True, slots=True)
class FunctionRelease:
    """One function of a release: its name on the target, its configuration, and the directory with its code."""

    logical_id: str
    function: str
    settings: FunctionSettings
    directory: Path


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """Everything a release needs to know. The same `action_execution_id` again means: go on with that release."""

    target: Target
    alias: str
    functions: tuple[FunctionRelease, ...]
    execution_id: str
    action_execution_id: str
    steps: Steps = ALL_AT_ONCE
    before_hook: str = ""
    after_hook: str = ""
    alarms: tuple[Alarm, ...] = ()
    rollback_on: tuple[RollbackEvent, ...] = DEFAULT_ROLLBACK
    ignore_unreadable_alarms: bool = False
    role_for_new: str = ""
    warnings: tuple[str, ...] = ()


def from_configuration(
    configuration: Mapping[str, Any], *, directory: Path, target: Target, execution_id: str, action_execution_id: str
) -> ReleaseRequest:
    """The request that a CodeDeploy action's configuration makes, with the template found in `directory`.

    Raises:
        InvalidInput: mistakes in the configuration or the template, all of them.
    """
    problems = check(configuration)
    if problems:
        raise InvalidInput("; ".join(f"{path}: {what}" for path, what, _ in problems), hint=problems[0][2])
    alarms, _ = alarm_reader.read(configuration.get("alarms") or ())
    hooks = configuration.get("hooks") or {}
    role = configuration.get("role") or ""
    template, functions = _functions(configuration, directory)
    return ReleaseRequest(
        target=target,
        alias=configuration["alias"],
        functions=functions,
        execution_id=execution_id,
        action_execution_id=action_execution_id,
        steps=_steps(configuration),
        before_hook=hooks.get(_HOOKS[0], ""),
        after_hook=hooks.get(_HOOKS[1], ""),
        alarms=alarms,
        rollback_on=_rollback_on(configuration.get("rollback")),
        ignore_unreadable_alarms=bool(configuration.get("ignorePollAlarmFailure")),
        role_for_new=role or (LOCAL_ROLE if target.endpoint_url else ""),
        warnings=tuple(str(warning) for warning in template.warnings),
    )


def check(configuration: Mapping[str, Any]) -> list[Problem]:
    """The mistakes that a schema cannot express: (path inside the configuration, what, hint).

    A value that still holds a variable (`#{…}`) is checked when that is known.
    """
    problems: list[Problem] = []
    try:
        if _VARIABLE not in str(configuration.get("deploymentConfig")):
            _steps(configuration)
    except ValueError as error:
        what, _, hint = str(error).partition("; ")
        problems.append(("deploymentConfig", what, hint))
    problems += alarm_reader.read(configuration.get("alarms") or ())[1]
    for hook in configuration.get("hooks") or {}:
        if hook not in _HOOKS:
            hint = suggest(str(hook), _HOOKS) or f"use {' or '.join(_HOOKS)}"
            problems.append((f"hooks.{hook}", f"there is no lifecycle event {hook!r} that takes a hook", hint))
    known = [event.value for event in RollbackEvent]
    for index, event in enumerate(configuration.get("rollback") or ()):
        if event not in known and _VARIABLE not in str(event):
            hint = suggest(str(event), known) or f"use {', '.join(known)}"
            problems.append((f"rollback[{index}]", f"{event!r} is not a rollback event", hint))
    return problems


def _steps(configuration: Mapping[str, Any]) -> Steps:
    value = configuration.get("deploymentConfig") or "AllAtOnce"
    return strategy.parse(value, bake_s=float(configuration.get("bakeSeconds") or 0))


def _rollback_on(events: Sequence[str] | None) -> tuple[RollbackEvent, ...]:
    """`events`, where an empty list means: never."""
    return DEFAULT_ROLLBACK if events is None else tuple(RollbackEvent(event) for event in events)


def _functions(configuration: Mapping[str, Any], directory: Path) -> tuple[Template, tuple[FunctionRelease, ...]]:
    name = configuration.get("template") or "template.yaml"
    file = directory / name
    if not file.is_file():
        raise InvalidInput(f"the input artifact has no {name}", hint="add it to the artifact, or name it in `template`")
    template = load(file.read_bytes(), name)
    chosen = _chosen(template.functions, configuration.get("functions"), name)
    root = file.parent
    return template, tuple(
        FunctionRelease(item.logical_id, item.function_name, _settings(item), _code(root, directory, item))
        for item in chosen
    )


def _chosen(functions: Sequence[SamFunction], wanted: Sequence[str] | None, file: str) -> list[SamFunction]:
    known = {function.logical_id: function for function in functions}
    if not known:
        raise InvalidInput(f"{file} has no function to release")
    unknown = [name for name in wanted or () if name not in known]
    if unknown:
        raise InvalidInput(
            f"{file} has no function {', '.join(map(repr, unknown))}",
            hint=suggest(unknown[0], known) or f"it has {', '.join(known)}",
        )
    return [known[name] for name in wanted or known]


def _settings(function: SamFunction) -> FunctionSettings:
    return FunctionSettings(
        handler=function.handler,
        runtime=function.runtime,
        memory_mb=function.memory_mb,
        timeout_s=function.timeout_s,
        environment=dict(function.environment),
        description=function.description,
        architectures=function.architectures,
        role=function.role,
    )


def _code(root: Path, directory: Path, function: SamFunction) -> Path:
    """The function's directory, which must lie inside the artifact."""
    path = (root / function.code_uri).resolve()
    if not path.is_relative_to(directory.resolve()):
        what = f"CodeUri '{function.code_uri}' leads out of the input artifact"
        raise InvalidInput.of([Diagnostic(function.location, what, where=function.logical_id)])
    return path

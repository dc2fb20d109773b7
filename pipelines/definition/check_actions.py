"""Rules of one action: how many artifacts, which keys its provider has, and its configuration."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from core.document import Path, suggest
from pipelines.definition.expand import holds_reference
from pipelines.definition.mistakes import Mistake, from_pydantic, place, shown, value_at
from pipelines.definition.shape import MAX_CONFIGURATION_BYTES, MIN_APPROVAL_MINUTES
from pipelines.definition.view import ActionView, PipelineView

COMMANDS = "Commands"
_ONLY_COMMANDS = ("commands", "environmentVariables", "outputVariables")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
# What is wrong with the keys themselves is wrong whatever the values will be.
_ABOUT_KEYS = ("missing", "extra_forbidden")


def mistakes(action: ActionView, pipeline: PipelineView) -> Iterator[Mistake]:
    """What is wrong with `action`; nothing more can be said while its provider is unknown."""
    if action.type is None:
        return
    yield from _count_mistakes(action)
    yield from _key_mistakes(action)
    yield from _timeout_mistakes(action)
    prefix: Path = (*action.path, "configuration")
    for mistake in (*_configuration_mistakes(action), *_target_mistakes(action, pipeline)):
        yield replace(mistake, path=prefix + mistake.path)


def _count_mistakes(action: ActionView) -> Iterator[Mistake]:
    assert action.type is not None
    for key, (least, most) in (("inputArtifacts", action.type.inputs), ("outputArtifacts", action.type.outputs)):
        given = action.data.get(key, [])
        if isinstance(given, list) and not least <= len(given) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            kind = "input" if key == "inputArtifacts" else "output"
            what = f"{action.provider} takes {wanted} {kind} artifacts, not {len(given)}"
            yield Mistake((*action.path, key), what, f"add '{key}'" if key not in action.data else "")


def _key_mistakes(action: ActionView) -> Iterator[Mistake]:
    if action.provider == COMMANDS:
        if "commands" not in action.data:
            yield Mistake(action.path, "the key 'commands' is missing", "add 'commands'")
        return
    for key in _ONLY_COMMANDS:
        if key in action.data:
            what = f"only the provider {COMMANDS} has '{key}', not {action.provider}"
            yield Mistake((*action.path, key), what, "remove it", at_key=True)


def _timeout_mistakes(action: ActionView) -> Iterator[Mistake]:
    assert action.type is not None
    minutes = action.data.get("timeoutInMinutes")
    if action.type.category == "Approval" and isinstance(minutes, (int, float)) and 0 < minutes < MIN_APPROVAL_MINUTES:
        what = f"an approval waits at least {MIN_APPROVAL_MINUTES} minutes, not {shown(minutes)}"
        yield Mistake((*action.path, "timeoutInMinutes"), what)


def _configuration_mistakes(action: ActionView) -> list[Mistake]:
    """What the provider says about its configuration; paths are inside it.

    A value with a variable reference may stand for any type, so what is wrong with it shows when the action starts.
    """
    assert action.type is not None
    data = dict(action.configuration)
    too_big = _size_mistakes(data)
    if too_big:
        return too_big
    try:
        action.type.configuration.model_validate(data)
    except ValidationError as error:
        kept = [item for item in error.errors(include_url=False) if not _waits_for_variables(item, data)]
        model = action.type.configuration
        return from_pydantic(kept, data, lambda path: _keys_at(model, path))
    if action.type.check is None:
        return []
    found = [Mistake(_undotted(where), what, hint) for where, what, hint in action.type.check(data)]
    return [mistake for mistake in found if not holds_reference(_nearest(data, mistake.path))]


def _size_mistakes(data: Mapping[str, Any]) -> list[Mistake]:
    try:
        size = len(json.dumps(data))
    except ValueError:
        return [Mistake((), "holds a number that is too large", "put it in quotes")]
    if size > MAX_CONFIGURATION_BYTES:
        return [Mistake((), f"is {size} bytes long, the most is {MAX_CONFIGURATION_BYTES}", "move texts to files")]
    return []


def _waits_for_variables(error: Mapping[str, Any], data: Any) -> bool:
    return error["type"] not in _ABOUT_KEYS and holds_reference(value_at(data, place(error, data)[0]))


def _target_mistakes(action: ActionView, pipeline: PipelineView) -> Iterator[Mistake]:
    assert action.type is not None
    target = action.configuration.get("target")
    if "target" not in _keys(action.type.configuration) or not isinstance(target, str) or holds_reference(target):
        return
    if target not in pipeline.targets:
        known = tuple(pipeline.targets)
        hint = suggest(target, known) or f"declare it under targets: {', '.join(known) or 'there are none'}"
        yield Mistake(("target",), f"there is no target {shown(target)}", hint)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _keys_at(model: type[BaseModel], path: Path) -> Iterable[str]:
    """The keys of the mapping at `path` of a configuration, () when its model cannot be told."""
    for step in path:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if isinstance(step, str):
            inner = _models(fields[step].annotation) if step in fields else []
            if len(inner) != 1:
                return ()
            model = inner[0]
    return _keys(model)


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models an annotation speaks of: its own, or those of its parts."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for part in typing.get_args(annotation) for model in _models(part)]


def _undotted(where: str) -> Path:
    return tuple(int(index) if index else name for name, index in _STEP.findall(where))


def _nearest(data: Any, path: Path) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data

"""Rules of variables: namespaces, `#{namespace.key}` references, and the pipeline's own declarations.

Source: CodePipeline variables reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from core.document import Path, suggest
from pipelines.definition import expand
from pipelines.definition.graph import not_before, producers, strictly_before
from pipelines.definition.mistakes import Mistake, shown
from pipelines.definition.view import ActionView, PipelineView, mapping, sequence, text

_RESERVED = (expand.SYSTEM_NAMESPACE, expand.PIPELINE_NAMESPACE)


def mistakes(pipeline: PipelineView) -> Iterator[Mistake]:
    """What is wrong with the variables of `pipeline`."""
    yield from _declaration_mistakes(pipeline)
    yield from _target_mistakes(pipeline)
    yield from _namespace_mistakes(pipeline)
    spaces = {action.namespace: action for action in reversed(list(pipeline.actions)) if action.namespace}
    for action in pipeline.actions:
        for path, value in _texts(action):
            found = dict.fromkeys(expand.references(value))
            if found and action.source:
                yield Mistake(path, "variables cannot be used in Source actions", "write the value itself")
                continue
            for namespace, key in found:
                yield from _reference_mistakes(action, path, (namespace, key), pipeline, spaces)
            yield from _near_misses(path, value, pipeline, spaces)


def _texts(action: ActionView) -> Iterator[tuple[Path, str]]:
    yield from expand.each_text(action.configuration, (*action.path, "configuration"))
    yield from action.commands
    yield from action.environment


def _declaration_mistakes(pipeline: PipelineView) -> Iterator[Mistake]:
    for name, data in pipeline.variables.items():
        path: Path = ("variables", name)
        declared = mapping(data)
        default, allowed = declared.get("default"), sequence(declared.get("allowed"))
        if isinstance(default, str) and allowed and default not in allowed:
            what = f"the default {shown(default)} is not among the allowed values"
            yield Mistake((*path, "default"), what, suggest(default, [text(item) for item in allowed]))
        for place, value in expand.each_text({key: declared[key] for key in ("default", "allowed") if key in declared}):
            if expand.holds_reference(value):
                yield Mistake(path + place, "variables cannot be used in a variable's declaration")


def _target_mistakes(pipeline: PipelineView) -> Iterator[Mistake]:
    for path, value in expand.each_text(pipeline.targets, ("targets",)):
        if expand.holds_reference(value):
            yield Mistake(path, "variables cannot be used in targets", "declare several targets and choose one by name")


def _namespace_mistakes(pipeline: PipelineView) -> Iterator[Mistake]:
    artifacts = producers(pipeline)
    seen: set[str] = set()
    for action in pipeline.actions:
        path, name = (*action.path, "namespace"), action.namespace
        if not name:
            continue
        if name in seen:
            yield Mistake(path, f"the namespace '{name}' is used twice", "give each its own name")
        if name in _RESERVED:
            yield Mistake(path, f"the namespace '{name}' is reserved", f"use another name, {name}-of-{action.name} say")
        if name in artifacts:
            what = f"the namespace '{name}' is also the name of an artifact"
            yield Mistake(path, what, f"use another name, {name}Variables say")
        seen.add(name)


def _reference_mistakes(
    action: ActionView,
    path: Path,
    reference: expand.Reference,
    pipeline: PipelineView,
    spaces: Mapping[str, ActionView],
) -> Iterator[Mistake]:
    namespace, key = reference
    whole = f"#{{{namespace}.{key}}}"
    if namespace == expand.PIPELINE_NAMESPACE:
        yield from _unknown_key(path, whole, "pipeline variable", key, pipeline.variables)
    elif namespace == expand.SYSTEM_NAMESPACE:
        yield from _unknown_key(path, whole, "system variable", key, expand.SYSTEM_VARIABLES)
    elif namespace not in spaces:
        hint = suggest(namespace, (*spaces, *_RESERVED)) or "give the producing action a 'namespace'"
        yield Mistake(path, f"no action has the namespace '{namespace}' of {whole}", hint)
    else:
        producer = spaces[namespace]
        if strictly_before(producer, action) is False:
            why, hint = not_before(producer, action)
            yield Mistake(path, f"{whole} is produced {why}", hint)
        known = _known_keys(producer)
        if known is not None:
            yield from _unknown_key(path, whole, f"variable of {producer.provider}", key, known)


def _known_keys(producer: ActionView) -> tuple[str, ...] | None:
    """The output variables that are known beforehand, None when only the run will tell."""
    if producer.output_variables:
        return tuple(name for _, name in producer.output_variables)
    return producer.type.variables if producer.type is not None else None


def _unknown_key(path: Path, whole: str, kind: str, key: str, known: Iterable[str]) -> Iterator[Mistake]:
    names = tuple(known)
    if key not in names:
        hint = suggest(key, names) or (f"there are: {', '.join(names)}" if names else "there are none")
        yield Mistake(path, f"there is no {kind} '{key}' for {whole}", hint)


def _near_misses(path: Path, value: str, pipeline: PipelineView, spaces: Mapping[str, ActionView]) -> Iterator[Mistake]:
    """References that were clearly meant: a declared name without its namespace, or without the closing brace."""
    for attempt in expand.malformed(value):
        inside = attempt[2:].removesuffix("}")
        if attempt.endswith("}") and inside in pipeline.variables:
            yield Mistake(path, f"{attempt} names no namespace", f"write #{{variables.{inside}}}")
        elif not attempt.endswith("}") and inside.partition(".")[0] in (*spaces, *_RESERVED):
            yield Mistake(path, f"the reference {shown(attempt)} is not closed", "end it with }")

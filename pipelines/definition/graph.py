"""Who comes before whom: artifacts must be produced strictly before they are used.

Source: CodePipeline, input and output artifacts: an input names an output of an action in an earlier stage, or in the
same stage with a lower runOrder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.document import suggest
from pipelines.definition.mistakes import Mistake
from pipelines.definition.view import ActionView, PipelineView


def strictly_before(first: ActionView, second: ActionView) -> bool | None:
    """Whether `first` has always ended when `second` starts; None when a run order cannot be read."""
    if first.stage != second.stage:
        return first.stage < second.stage
    if first.run_order is None or second.run_order is None:
        return None
    return first.run_order < second.run_order


def not_before(producer: ActionView, consumer: ActionView) -> tuple[str, str]:
    """Why `producer` is too late for `consumer`, in words, and what to do about it."""
    if producer is consumer:
        return "by this action itself", ""
    if producer.stage != consumer.stage:
        return (
            f"only later, by action '{producer.name}' of stage '{producer.stage_name}'",
            "move it to an earlier stage",
        )
    if producer.run_order == consumer.run_order:
        return (
            f"by action '{producer.name}', which runs at the same time",
            f"give this action a higher runOrder than {producer.run_order}",
        )
    return (
        f"only later, by action '{producer.name}' (runOrder {producer.run_order})",
        f"give this action a higher runOrder than {producer.run_order}",
    )


def producers(pipeline: PipelineView) -> Mapping[str, ActionView]:
    """Output artifact name → the first action that declares it."""
    found: dict[str, ActionView] = {}
    for action in pipeline.actions:
        for _, name in action.outputs:
            found.setdefault(name, action)
    return found


def artifact_mistakes(pipeline: PipelineView) -> Iterator[Mistake]:
    """Names of artifacts that are not unique, not produced, or produced too late."""
    made_by = producers(pipeline)
    seen: set[str] = set()
    for action in pipeline.actions:
        for path, name in action.outputs:
            if name in seen:
                yield Mistake(path, f"the output artifact '{name}' is produced twice", "give each its own name")
            seen.add(name)
        mentioned: set[str] = set()
        for path, name in action.inputs:
            if name in mentioned:
                yield Mistake(path, f"the input artifact '{name}' is named twice", "remove one")
            mentioned.add(name)
            producer = made_by.get(name)
            if producer is None:
                yield Mistake(path, f"no action produces the artifact '{name}'", _hint(name, made_by))
            elif strictly_before(producer, action) is False:
                why, hint = not_before(producer, action)
                yield Mistake(path, f"the artifact '{name}' is produced {why}", hint)


def _hint(name: str, made_by: Mapping[str, ActionView]) -> str:
    return suggest(name, made_by) or (f"produced are: {', '.join(made_by)}" if made_by else "")

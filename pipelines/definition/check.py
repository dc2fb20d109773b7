"""Rules of a pipeline's structure: its stages, their names, where Source actions stand, what may follow a failure.

Source: CodePipeline pipeline structure reference, "requirements"; stage rollback and automatic retry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.document import Path, suggest
from pipelines.definition import check_actions, check_triggers, check_variables, graph
from pipelines.definition.mistakes import Mistake
from pipelines.definition.shape import MAX_ACTIONS
from pipelines.definition.view import PipelineView, StageView, mapping


def mistakes(pipeline: PipelineView, provider_names: Iterable[str]) -> Iterator[Mistake]:
    """Everything that is wrong beyond the shape; () for a good pipeline."""
    yield from _stage_mistakes(pipeline)
    yield from _source_mistakes(pipeline)
    yield from _provider_mistakes(pipeline, tuple(provider_names))
    yield from graph.artifact_mistakes(pipeline)
    for action in pipeline.actions:
        yield from check_actions.mistakes(action, pipeline)
    yield from check_variables.mistakes(pipeline)
    yield from check_triggers.mistakes(pipeline)


def _stage_mistakes(pipeline: PipelineView) -> Iterator[Mistake]:
    yield from _repeated("stage", [((*stage.path, "name"), stage.name) for stage in pipeline.stages], "the pipeline")
    for stage in pipeline.stages:
        names = [((*action.path, "name"), action.name) for action in stage.actions]
        yield from _repeated("action", names, f"stage '{stage.name}'")
        yield from _failure_mistakes(stage, pipeline)
    if sum(len(stage.actions) for stage in pipeline.stages) > MAX_ACTIONS:
        yield Mistake(("stages",), f"there are more than {MAX_ACTIONS} actions", "split the pipeline")


def _repeated(kind: str, names: Iterable[tuple[Path, str]], inside: str) -> Iterator[Mistake]:
    seen: set[str] = set()
    for path, name in names:
        if name and name in seen:
            yield Mistake(path, f"the {kind} name '{name}' is used twice in {inside}", "give each its own name")
        seen.add(name)


def _failure_mistakes(stage: StageView, pipeline: PipelineView) -> Iterator[Mistake]:
    failure = mapping(stage.data.get("onFailure"))
    path: Path = (*stage.path, "onFailure", "result")
    if failure.get("result") == "ROLLBACK":
        if pipeline.execution_mode == "PARALLEL":
            yield Mistake(path, "a stage cannot be rolled back in execution mode PARALLEL", "use RETRY or QUEUED")
        if stage.index == 0:
            yield Mistake(path, "the first stage cannot be rolled back", "use RETRY, or put it on a later stage")
        if "retryConfiguration" in failure:
            path = (*stage.path, "onFailure", "retryConfiguration")
            yield Mistake(path, "is only for result: RETRY", "remove it", at_key=True)


def _source_mistakes(pipeline: PipelineView) -> Iterator[Mistake]:
    working = False
    for stage in pipeline.stages:
        for action in stage.actions:
            path: Path = (*action.path, "provider")
            if action.type is None:
                working = True  # its category cannot be known; the unknown provider is the mistake to report
            elif action.source and stage.index > 0:
                yield Mistake(path, f"the Source action '{action.name}' is not in the first stage", "move it there")
            elif not action.source:
                working = True
                if stage.index == 0:
                    what = f"the first stage may only hold Source actions; {action.provider} is {action.type.category}"
                    yield Mistake(path, what, "move it to a later stage")
    if pipeline.stages and not working and any(stage.actions for stage in pipeline.stages[1:]):
        yield Mistake(
            ("stages",), "there is no action besides Source actions", "add one that builds, tests or releases"
        )


def _provider_mistakes(pipeline: PipelineView, names: tuple[str, ...]) -> Iterator[Mistake]:
    for action in pipeline.actions:
        if action.provider and action.type is None:
            hint = suggest(action.provider, names) or f"known are: {', '.join(names)}"
            yield Mistake((*action.path, "provider"), f"there is no provider '{action.provider}'", hint)

"""Which pipelines follow the repository of a git event, and whether the event starts each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipelines.definition.model import ActionDefinition, PipelineDefinition
from pipelines.triggers import match, observe
from pipelines.triggers.event import GitEvent
from pipelines.triggers.match import Push, Verdict
from pipelines.triggers.watch import Watched

SOURCE_PROVIDER = "Git"


@dataclass(frozen=True, slots=True)
class Route:
    """A pipeline that follows the event's repository: start it or not, why, and source action name → commit."""

    pipeline: Watched
    verdict: Verdict
    revisions: Mapping[str, str]


def routes(event: GitEvent, pipelines: Iterable[Watched]) -> Iterator[Route]:
    """One route for each of `pipelines` with a source action on the event's repository. Asks git.

    Raises:
        GitFailed: the commit is no longer in the repository.
    """
    for pipeline in pipelines:
        actions = _following(event, pipeline)
        if actions:
            verdict = _verdict(event, pipeline.definition, actions)
            commit = observe.commit_of(event) if verdict.start else ""
            revisions = {action.name: commit for action in _concerned(event, actions)}
            yield Route(pipeline, verdict, revisions)


def _following(event: GitEvent, pipeline: Watched) -> list[ActionDefinition]:
    """The source actions on the event's repository; one that is pinned to a commit or tag follows nothing."""
    base = pipeline.file.parent
    return [
        action
        for action in pipeline.definition.stages[0].actions
        if action.provider == SOURCE_PROVIDER
        and not (action.configuration.get("commit") or action.configuration.get("tag"))
        and observe.repository_of(str(action.configuration.get("repository", ".")), base) == event.repository
    ]


def _concerned(event: GitEvent, actions: list[ActionDefinition]) -> list[ActionDefinition]:
    """Of several source actions on one repository those that name the event's branch, if any does; else all."""
    naming = [action for action in actions if event.branch and action.configuration.get("branch") == event.branch]
    return naming or actions


def _verdict(event: GitEvent, definition: PipelineDefinition, actions: list[ActionDefinition]) -> Verdict:
    push = Push(event.branch, event.tag)
    if "triggers" in definition.data:
        if match.needs_files(definition.triggers):
            push = Push(event.branch, event.tag, observe.changed_files(event))
        return match.judge(definition.triggers, push)
    # Source: CodePipeline, without a trigger any change of the branch that a source action names starts.
    verdicts = [match.judge_branch(_branch(event, action), push) for action in actions]
    return next((verdict for verdict in verdicts if verdict.start), verdicts[0])


def _branch(event: GitEvent, action: ActionDefinition) -> str:
    return str(action.configuration.get("branch") or "") or observe.head_branch(event.repository)

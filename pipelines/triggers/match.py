"""Whether a push starts a pipeline: filters against facts, pure.

Triggers are alternatives; within one, every dimension present must match; within a dimension a value passes when an
include matches it (or there are no includes) and no exclude does. File paths are judged per changed file: one that
passes is enough. Without a base to compare with (the first push of a new branch) a file path filter does not pass.

Source: CodePipeline, filter triggers on code push or pull requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.definition.model import Filter, PushTrigger, Trigger
from pipelines.definition.patterns import matches


@dataclass(frozen=True, slots=True)
class Push:
    """The facts: `branch` or `tag` ("" for the other); `files` that changed, None when there is nothing to compare."""

    branch: str = ""
    tag: str = ""
    files: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to start, and why or why not, as one sentence."""

    start: bool
    why: str


def needs_files(triggers: Sequence[Trigger]) -> bool:
    """Whether deciding about `triggers` needs to know which files changed."""
    return any(isinstance(trigger, PushTrigger) and trigger.file_paths is not None for trigger in triggers)


def judge(triggers: Sequence[Trigger], push: Push) -> Verdict:
    """Whether any of `triggers` wants `push`; schedules never do."""
    refusals: list[str] = []
    for number, trigger in enumerate(triggers, start=1):
        if not isinstance(trigger, PushTrigger):
            continue
        refusal = _refusal(trigger, push)
        if not refusal:
            return Verdict(True, f"{_named(push)} matches trigger {number}")
        refusals.append(f"trigger {number}: {refusal}")
    return Verdict(False, "; ".join(refusals) or "the pipeline has no push trigger")


def judge_branch(branch: str, push: Push) -> Verdict:
    """Whether `push` moves the one branch that a pipeline without triggers follows."""
    if push.branch and push.branch == branch:
        return Verdict(True, f"{_named(push)} is the one the source action follows")
    return Verdict(False, f"{_named(push)} is not branch {branch!r}, which the source action follows")


def passes(filter_: Filter, value: str) -> bool:
    """Whether `value` gets through; an exclude beats an include."""
    if any(matches(pattern, value) for pattern in filter_.excludes):
        return False
    return not filter_.includes or any(matches(pattern, value) for pattern in filter_.includes)


def _refusal(trigger: PushTrigger, push: Push) -> str:
    """Why `trigger` does not want `push`; "" when it does."""
    if push.tag:
        if trigger.tags is None:
            return "it is for branches"
        return "" if passes(trigger.tags, push.tag) else f"{_named(push)} is filtered out"
    if trigger.branches is None:
        return "it is for tags"
    if not passes(trigger.branches, push.branch):
        return f"{_named(push)} is filtered out"
    if trigger.file_paths is None:
        return ""
    if push.files is None:
        return "a new branch has nothing to compare its files with"
    if any(passes(trigger.file_paths, file) for file in push.files):
        return ""
    return f"none of {len(push.files)} changed files passes its filePaths"


def _named(push: Push) -> str:
    return f"tag {push.tag!r}" if push.tag else f"branch {push.branch!r}"

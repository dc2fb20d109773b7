"""Push filters: alternatives between triggers, all dimensions within one, an exclude beats an include."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.definition.model import Filter, PushTrigger, ScheduleTrigger, Trigger
from pipelines.triggers.match import Push, judge, judge_branch, needs_files, passes

MAIN = PushTrigger(branches=Filter(("main",)))
SOURCES = PushTrigger(branches=Filter(("main", "release/*")), file_paths=Filter(("src/**",), ("**/*.md",)))
RELEASES = PushTrigger(tags=Filter(("v*",), ("v0*",)))
NIGHTLY = ScheduleTrigger("0 3 * * *")


@pytest.mark.parametrize(
    ("triggers", "push", "starts"),
    [
        ((MAIN,), Push("main"), True),
        ((MAIN,), Push("other"), False),
        ((MAIN,), Push(tag="main"), False),
        ((RELEASES,), Push(tag="v1"), True),
        ((RELEASES,), Push(tag="v0.9"), False),
        ((RELEASES,), Push(tag="1"), False),
        ((RELEASES,), Push("v1"), False),
        ((PushTrigger(tags=Filter(excludes=("test-*",))),), Push(tag="v1"), True),
        ((PushTrigger(branches=Filter(excludes=("dependabot/**",))),), Push("main"), True),
        ((PushTrigger(branches=Filter(excludes=("dependabot/**",))),), Push("dependabot/pip/x"), False),
        ((PushTrigger(branches=Filter(("**",), ("main",))),), Push("main"), False),
        ((SOURCES,), Push("main", files=["src/a.py"]), True),
        ((SOURCES,), Push("release/1", files=["docs/a.md", "src/b.py"]), True),
        ((SOURCES,), Push("main", files=["src/a.md"]), False),
        ((SOURCES,), Push("main", files=["docs/a.py"]), False),
        ((SOURCES,), Push("main", files=[]), False),
        ((SOURCES,), Push("other", files=["src/a.py"]), False),
        ((SOURCES,), Push("main", files=None), False),
        ((SOURCES, MAIN), Push("main", files=None), True),
        ((RELEASES, MAIN), Push("main"), True),
        ((RELEASES, MAIN), Push(tag="v2"), True),
        ((NIGHTLY,), Push("main"), False),
        ((), Push("main"), False),
    ],
)
def test_a_push_starts_when_any_trigger_wants_all_of_it(
    triggers: tuple[Trigger, ...], push: Push, starts: bool
) -> None:
    verdict = judge(triggers, push)
    assert verdict.start is starts
    assert verdict.why


def test_the_reason_names_each_trigger_that_said_no() -> None:
    why = judge((NIGHTLY, RELEASES, SOURCES), Push("main", files=["docs/a", "b"])).why
    assert why == "trigger 2: it is for tags; trigger 3: none of 2 changed files passes its filePaths"
    assert judge((SOURCES,), Push("main")).why == "trigger 1: a new branch has nothing to compare its files with"
    assert judge((MAIN,), Push("x")).why == "trigger 1: branch 'x' is filtered out"
    assert judge((NIGHTLY,), Push("x")).why == "the pipeline has no push trigger"
    assert judge((NIGHTLY, MAIN), Push("main")).why == "branch 'main' matches trigger 2"


def test_files_are_only_asked_for_when_a_trigger_filters_them() -> None:
    assert needs_files((MAIN, SOURCES))
    assert not needs_files((MAIN, RELEASES, NIGHTLY))


def test_without_triggers_only_the_followed_branch_starts() -> None:
    assert judge_branch("main", Push("main")).start
    assert not judge_branch("main", Push("dev")).start
    assert not judge_branch("main", Push(tag="main")).start
    assert not judge_branch("", Push(tag="v1")).start


@given(
    st.lists(st.sampled_from(["a", "b", "*", "**", "a/*"])),
    st.lists(st.sampled_from(["a", "b", "a/b"])),
    st.text("ab/"),
)
def test_an_exclude_always_wins(includes: list[str], excludes: list[str], value: str) -> None:
    assert not passes(Filter(tuple(includes), (*excludes, "**")), value)
    if passes(Filter(tuple(includes), tuple(excludes)), value):
        assert value not in excludes
        assert passes(Filter(tuple(includes)), value)

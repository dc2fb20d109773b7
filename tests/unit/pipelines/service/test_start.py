"""Starting an execution."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput, NotAllowed
from store.records import ExecutionStatus
from tests.fakes.serviced import FILE, TEXT, Bench


def test_a_start_is_numbered_due_at_once_and_in_the_ledger(bench: Bench) -> None:
    """The record, its event and the wake-up of a runner come together."""
    execution = bench.start(variables={"level": "all"}, source_revisions={"Checkout": "abc"})
    assert (execution.pipeline, execution.number, execution.status) == ("orders", 1, ExecutionStatus.IN_PROGRESS)
    assert execution.wake_at == bench.clock.now()
    assert (execution.variables, execution.source_revisions) == ({"level": "all"}, {"Checkout": "abc"})
    assert bench.kinds(execution) == ["ExecutionStarted"]
    assert bench.nudges == 1
    assert bench.start().number == 2


def test_a_key_starts_one_execution_only(bench: Bench) -> None:
    """The same event again starts nothing, writes nothing and wakes nobody."""
    first = bench.start(key="git:1")
    again = bench.service.start(TEXT, FILE, variables={}, trigger_type="GitHook", trigger_detail="", key="git:1")
    assert again is None
    assert bench.nudges == 1
    assert [item.id for item in bench.service.executions()] == [first.id]
    with bench.database.snapshot() as snapshot:
        trigger = snapshot.trigger("git:1")
        assert trigger is not None
        assert trigger.execution_id == first.id


def test_a_key_is_free_again_when_its_start_was_refused(bench: Bench) -> None:
    """A refused start leaves no trace, so the event may come again once the file is mended."""
    with pytest.raises(InvalidInput):
        bench.start(variables={"level": "none"}, key="git:1")
    assert bench.start(key="git:1").number == 1


def test_only_a_changed_pipeline_is_a_new_version(bench: Bench) -> None:
    """The same text keeps its version; another text, or the same at another place, gets the next one."""
    assert bench.start().pipeline_version == 1
    assert bench.start().pipeline_version == 1
    assert bench.start(TEXT.replace("good?", "fine?")).pipeline_version == 2
    elsewhere = bench.service.start(
        TEXT, Path("/elsewhere/pipeline.yaml"), variables={}, trigger_type="Schedule", trigger_detail=""
    )
    assert elsewhere is not None
    assert elsewhere.pipeline_version == 3


def test_every_wrong_variable_is_named_at_once(bench: Bench) -> None:
    """Unknown ones with a suggestion, values that are not allowed with those that are."""
    with pytest.raises(InvalidInput) as caught:
        bench.start(variables={"levle": "x", "level": "half"})
    assert "there is no variable 'levle' (did you mean 'level'?)" in str(caught.value)
    assert "variable 'level' cannot be 'half' (allowed are canary, all)" in str(caught.value)


def test_a_variable_without_default_must_be_given(bench: Bench) -> None:
    """Source: CodePipeline rejects a start without a value."""
    text = TEXT.replace("{default: canary, allowed: [canary, all]}", "{description: where to}")
    with pytest.raises(InvalidInput, match="variable 'level' has no default and was not given"):
        bench.start(text)
    assert bench.start(text, variables={"level": "x"}).variables == {"level": "x"}


@pytest.mark.parametrize("value", ["", "x" * 1001])
def test_a_value_has_1_to_1000_characters(bench: Bench, value: str) -> None:
    """Source: CodePipeline PipelineVariable."""
    text = TEXT.replace("{default: canary, allowed: [canary, all]}", "{default: canary}")
    with pytest.raises(InvalidInput, match="must have 1 to 1000 characters"):
        bench.start(text, variables={"level": value})


def test_a_broken_file_starts_nothing(bench: Bench) -> None:
    """Every mistake comes with its place."""
    with pytest.raises(InvalidInput) as caught:
        bench.start(TEXT.replace("provider: Manual", "provider: Manuel"))
    assert [item.location.file for item in caught.value.diagnostics] == [str(FILE)]
    assert bench.service.pipelines() == []


def test_more_than_fifty_in_progress_are_refused(bench: Bench) -> None:
    """Source: CodePipeline ConcurrentPipelineExecutionsLimitExceeded (QUEUED and PARALLEL)."""
    for _ in range(50):
        bench.start()
    with pytest.raises(NotAllowed, match="50 executions of orders are in progress"):
        bench.start()
    superseded = TEXT.replace("name: orders", "name: orders\nexecutionMode: SUPERSEDED", 1)
    assert bench.start(superseded).number == 51

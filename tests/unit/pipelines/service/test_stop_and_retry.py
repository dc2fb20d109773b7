"""Stopping executions and retrying stages."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput, NotAllowed, NotFound
from store.records import ActionStatus, ArtifactRef, ExecutionRecord, ExecutionStatus, StopMode
from tests.fakes.serviced import TEXT, Bench


def test_a_stop_that_waits_may_be_followed_by_one_that_does_not(bench: Bench) -> None:
    """But neither by the same again. Source: CodePipeline DuplicatedStopRequestException."""
    execution = bench.settle(bench.start())
    assert bench.service.stop(None, reason="enough").status is ExecutionStatus.STOPPING
    with pytest.raises(NotAllowed, match="being stopped already"):
        bench.service.stop(execution.id)
    stopping = bench.service.stop(execution.id, abandon=True)
    assert stopping.stop is StopMode.ABANDON
    with pytest.raises(NotAllowed, match="being stopped already"):
        bench.service.stop(execution.id, abandon=True)
    assert bench.kinds(execution).count("StopRequested") == 2


def test_what_ran_keeps_its_result_and_nothing_else_starts(bench: Bench) -> None:
    """After a stop that waits."""
    execution = bench.settle(bench.start())
    bench.service.stop(execution.id)
    ended = bench.finish(
        execution, "Checkout", ActionStatus.SUCCEEDED, output_artifacts=(ArtifactRef("Source", "a" * 64, 1),)
    )
    assert ended.status is ExecutionStatus.STOPPED
    assert bench.action(execution, "Checkout").status is ActionStatus.SUCCEEDED


def test_what_has_ended_cannot_be_stopped(bench: Bench) -> None:
    """Source: CodePipeline PipelineExecutionNotStoppableException."""
    bench.failed_in_build()
    with pytest.raises(NotAllowed, match="orders/1 is Failed and cannot be stopped"):
        bench.service.stop(None)


def test_a_reason_has_200_characters_at_most(bench: Bench) -> None:
    """Source: CodePipeline StopPipelineExecution."""
    bench.start()
    with pytest.raises(InvalidInput, match="200 at most"):
        bench.service.stop(None, reason="x" * 201)


def test_a_retry_runs_only_what_failed(bench: Bench) -> None:
    """The execution goes on from there, with its number and artifacts."""
    execution = bench.failed_in_build()
    again = bench.service.retry(None)
    assert (again.id, again.status, again.ended_at) == (execution.id, ExecutionStatus.IN_PROGRESS, None)
    assert again.wake_at == bench.clock.now()
    bench.settle(execution)
    assert _running(bench, execution) == ["Lint"]
    assert bench.action(execution, "Lint").attempt == 2
    assert bench.finish(execution, "Lint", ActionStatus.SUCCEEDED).status is ExecutionStatus.IN_PROGRESS
    assert bench.action(execution, "Sign-off").status is ActionStatus.IN_PROGRESS


def test_a_retry_of_all_actions_runs_the_whole_stage(bench: Bench) -> None:
    """Source: CodePipeline retryMode ALL_ACTIONS."""
    execution = bench.failed_in_build()
    bench.service.retry(None, "Build", "ALL_ACTIONS")
    bench.settle(execution)
    assert sorted(_running(bench, execution)) == ["Lint", "Package"]


def test_a_stopped_stage_may_be_retried(bench: Bench) -> None:
    """Its abandoned actions run again. Source: CodePipeline allows it from Stopped."""
    execution = bench.settle(bench.start())
    bench.service.stop(None, abandon=True)
    bench.settle(execution)
    bench.clock.advance(60)
    assert bench.settle(execution).status is ExecutionStatus.STOPPED
    assert bench.action(execution, "Checkout").status is ActionStatus.ABANDONED
    again = bench.service.retry(None)
    assert (again.status, again.stop, again.stop_reason) == (ExecutionStatus.IN_PROGRESS, StopMode.NONE, "")
    bench.settle(execution)
    assert _running(bench, execution) == ["Checkout"]


def test_an_execution_stopped_between_two_stages_has_nothing_to_retry(bench: Bench) -> None:
    """Source: CodePipeline, inbound executions may be stopped, not retried."""
    execution = bench.settle(bench.start())
    bench.service.stop(None)
    bench.finish(execution, "Checkout", ActionStatus.SUCCEEDED)
    assert bench.execution(execution.id).status is ExecutionStatus.STOPPED
    with pytest.raises(NotAllowed, match="has no stage to retry"):
        bench.service.retry(None)


def test_only_broken_stages_are_retried(bench: Bench) -> None:
    """Not one that succeeded, one that was never reached, or one of an execution that goes on."""
    bench.failed_in_build()
    with pytest.raises(NotAllowed, match="stage Source is Succeeded"):
        bench.service.retry(None, "Source")
    with pytest.raises(NotFound, match="has not arrived at a stage 'Release'"):
        bench.service.retry(None, "Release")
    bench.service.retry(None)
    with pytest.raises(NotAllowed, match="has no stage to retry"):
        bench.service.retry(None)


def test_a_newer_execution_in_the_stage_forbids_a_retry(bench: Bench) -> None:
    """Source: CodePipeline NotLatestPipelineExecutionException."""
    old = bench.failed_in_build()
    newer = bench.settle(bench.start())
    bench.finish(newer, "Checkout", ActionStatus.SUCCEEDED, output_artifacts=(ArtifactRef("Source", "a" * 64, 1),))
    with pytest.raises(NotAllowed, match="orders/2 has entered stage Build since"):
        bench.service.retry(old.id)


def test_a_newer_execution_that_has_not_come_so_far_does_not(bench: Bench) -> None:
    """It waits for its turn."""
    old = bench.failed_in_build()
    bench.settle(bench.start())
    assert bench.service.retry(old.id).status is ExecutionStatus.IN_PROGRESS


def test_a_changed_structure_forbids_a_retry_and_changed_settings_do_not(bench: Bench) -> None:
    """Source: CodePipeline StageNotRetryableException."""
    old = bench.failed_in_build()
    bench.start(TEXT.replace("good?", "fine?"))
    assert bench.service.retry(old.id).status is ExecutionStatus.IN_PROGRESS
    bench.settle(old)
    bench.finish(old, "Lint", ActionStatus.FAILED)
    bench.start(TEXT.replace("name: Lint", "name: Style"))
    with pytest.raises(NotAllowed, match="the stages of orders have changed"):
        bench.service.retry(old.id)


def _running(bench: Bench, execution: ExecutionRecord) -> list[str]:
    with bench.database.snapshot() as snapshot:
        return [item.action for item in snapshot.actions(execution.id) if item.status is ActionStatus.IN_PROGRESS]

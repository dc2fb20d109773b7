"""The phase machine against the reference's transition table, written down a second time by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import IllegalTransition
from stages.build.phases import COMMAND_PHASES, Context, OnFailure, Phase, PhaseResult, Progress, Status

AT = datetime(2026, 1, 1, tzinfo=UTC)

AFTER_A_FAILURE = {
    "SUBMITTED": "FINALIZING",
    "QUEUED": "FINALIZING",
    "PROVISIONING": "FINALIZING",
    "DOWNLOAD_SOURCE": "FINALIZING",
    "INSTALL": "FINALIZING",
    "PRE_BUILD": "FINALIZING",
    "BUILD": "POST_BUILD",
    "POST_BUILD": "UPLOAD_ARTIFACTS",
    "UPLOAD_ARTIFACTS": "FINALIZING",
    "FINALIZING": "COMPLETED",
}
ORDER = [*AFTER_A_FAILURE, "COMPLETED"]


def _ended(phase: Phase, status: Status) -> PhaseResult:
    return PhaseResult(phase, status, Context(), AT, AT)


@pytest.mark.parametrize("phase", AFTER_A_FAILURE)
def test_a_success_goes_to_the_next_phase_and_a_failure_where_the_table_says(phase: str) -> None:
    here = Progress(Phase(phase))
    assert here.after(_ended(Phase(phase), Status.SUCCEEDED)).phase == ORDER[ORDER.index(phase) + 1]
    assert here.after(_ended(Phase(phase), Status.FAILED)).phase == AFTER_A_FAILURE[phase]


@pytest.mark.parametrize("phase", COMMAND_PHASES)
def test_abort_ends_the_commands_and_continue_goes_on(phase: Phase) -> None:
    failed = _ended(phase, Status.FAILED)
    assert Progress(phase).after(failed, OnFailure.ABORT).phase is Phase.FINALIZING
    assert Progress(phase).after(failed, OnFailure.CONTINUE).phase == ORDER[ORDER.index(phase) + 1]


@pytest.mark.parametrize("status", [Status.STOPPED, Status.TIMED_OUT, Status.FAULT])
@pytest.mark.parametrize("on_failure", OnFailure)
def test_no_phase_follows_one_that_was_broken_off(status: Status, on_failure: OnFailure) -> None:
    for phase in COMMAND_PHASES:
        assert Progress(phase).after(_ended(phase, status), on_failure).phase is Phase.FINALIZING


def test_nothing_follows_the_end() -> None:
    with pytest.raises(IllegalTransition, match="COMPLETED is final"):
        Progress(Phase.COMPLETED).after(_ended(Phase.COMPLETED, Status.SUCCEEDED))


@given(st.lists(st.tuples(st.sampled_from(Status), st.sampled_from(OnFailure)), min_size=10, max_size=10))
def test_every_build_ends_goes_forward_and_says_the_worst(ends: list[tuple[Status, OnFailure]]) -> None:
    """Whatever happens in the phases: at most ten steps, no phase twice, and the status of the reference."""
    progress = Progress()
    for status, on_failure in ends:
        if progress.complete:
            break
        on_failure = on_failure if progress.phase in COMMAND_PHASES else OnFailure.DEFAULT
        before = progress.phase
        progress = progress.after(_ended(before, status), on_failure)
        assert ORDER.index(progress.phase) > ORDER.index(before)
        assert progress.succeeding == all(result.status is Status.SUCCEEDED for result in progress.results)
    assert progress.complete
    seen = [result.status for result in progress.results]
    expected = Status.FAILED if Status.FAILED in seen else Status.SUCCEEDED
    for broken_off in (Status.TIMED_OUT, Status.STOPPED, Status.FAULT):
        expected = broken_off if broken_off in seen else expected
    assert progress.status is expected
    assert [result.status for result in progress.reasons] == [one for one in seen if one is not Status.SUCCEEDED]

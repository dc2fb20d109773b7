"""Answering approvals."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput, NotAllowed, NotFound
from pipelines.service import Answer
from store.records import ActionStatus, ExecutionStatus
from tests.fakes.serviced import Bench

DAY_S = 24 * 60 * 60


def test_the_only_pending_approval_needs_no_name(bench: Bench) -> None:
    """An answer wakes the execution, and the engine goes on with it."""
    execution = bench.to_approval()
    bench.service.answer(Answer("Approved", "fine", "Ada"))
    due = bench.execution(execution.id)
    assert due.wake_at == bench.clock.now()
    bench.settle(execution)
    assert bench.action(execution, "Sign-off").status is ActionStatus.SUCCEEDED
    assert "ApprovalAnswered" in bench.kinds(execution)


def test_a_rejection_fails_the_execution(bench: Bench) -> None:
    """With the reviewer's words."""
    execution = bench.to_approval()
    bench.service.answer(Answer("Rejected", "not on a Friday", "Ada"))
    ended = bench.settle(execution)
    assert ended.status is ExecutionStatus.FAILED
    assert bench.service.why().headline.endswith(
        "because action Approve/Sign-off failed: Ada rejected it: not on a Friday"
    )


def test_several_that_wait_must_be_told_apart(bench: Bench) -> None:
    """By execution here; the hint names them all."""
    parallel = {"text": _parallel()}
    first, second = bench.to_approval(**parallel), bench.to_approval(**parallel)
    with pytest.raises(NotAllowed) as caught:
        bench.service.answer(Answer("Approved"))
    assert first.id[:8] in caught.value.hint
    assert second.id[:8] in caught.value.hint
    assert bench.service.answer(Answer("Approved", execution=second.id)).execution_id == second.id
    assert bench.service.answer(Answer("Approved", stage="Approve", action="Sign-off")).execution_id == first.id


def test_a_token_names_one_approval(bench: Bench) -> None:
    """A wrong one is refused. Source: CodePipeline InvalidApprovalTokenException."""
    execution = bench.to_approval()
    token = bench.action(execution, "Sign-off").token
    with pytest.raises(NotAllowed, match="no approval has this token"):
        bench.service.answer(Answer("Approved", token="nonsense"))
    assert bench.service.answer(Answer("Approved", token=token)).token == token


def test_an_answer_stands(bench: Bench) -> None:
    """Source: CodePipeline ApprovalAlreadyCompletedException."""
    execution = bench.to_approval()
    token = bench.action(execution, "Sign-off").token
    bench.service.answer(Answer("Approved", token=token))
    with pytest.raises(NotAllowed, match="answered before"):
        bench.service.answer(Answer("Rejected", token=token))
    with pytest.raises(NotFound, match="no approval waits"):
        bench.service.answer(Answer("Rejected"))
    bench.settle(execution)
    assert bench.action(execution, "Sign-off").status is ActionStatus.SUCCEEDED


def test_an_expired_approval_takes_no_answer(bench: Bench) -> None:
    """Seven days after it was asked for."""
    bench.to_approval()
    bench.clock.advance(7 * DAY_S)
    with pytest.raises(NotAllowed, match="expired"):
        bench.service.answer(Answer("Approved"))


def test_a_summary_has_512_characters_at_most(bench: Bench) -> None:
    """Source: CodePipeline ApprovalResult."""
    bench.to_approval()
    with pytest.raises(InvalidInput, match="513 characters, 512 at most"):
        bench.service.answer(Answer("Approved", "x" * 513))
    bench.service.answer(Answer("Approved", "x" * 512))


def test_nothing_waits(bench: Bench) -> None:
    """Neither before the first start nor in a place where nothing was asked."""
    with pytest.raises(NotFound, match="no approval waits"):
        bench.service.answer(Answer("Approved"))
    bench.to_approval()
    with pytest.raises(NotFound, match="no approval waits there"):
        bench.service.answer(Answer("Approved", stage="Release"))


def _parallel() -> str:
    from tests.fakes.serviced import TEXT

    return TEXT.replace("name: orders", "name: orders\nexecutionMode: PARALLEL", 1)

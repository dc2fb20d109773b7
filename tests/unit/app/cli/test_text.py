"""Documents as lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app import documents
from app.cli import progress, text
from pipelines.service import Answer
from store.records import ActionStatus, ArtifactRef, ExecutionRecord
from tests.fakes.serviced import Bench


def tree(bench: Bench, execution: ExecutionRecord) -> dict[str, Any]:
    """The execution as the API sends it."""
    return documents.tree(bench.service.show(execution.id))


def state(bench: Bench) -> dict[str, Any]:
    """What `penstock status` gets."""
    return {"pipelines": [documents.state(item) for item in bench.service.status()], "processes": {}}


def test_show_tells_every_stage_with_its_actions(bench: Bench) -> None:
    """What ran, how it ended and why, and what was not reached."""
    lines = text.show(tree(bench, bench.failed_in_build()), bench.clock.now())
    assert lines[0] == "orders #1  Failed  3.0 s"
    assert "  ✗ Lint (CodeBuild)  Failed  2.0 s" in lines
    assert "      BuildFailed: 3 mistakes in app.py" in lines
    assert "· Release  not reached" in lines
    assert "  · Orders (CodeDeploy)  not run" in lines
    assert any(line.startswith("      artifact Source aaaaaaaaaaaa") for line in lines)


def test_a_waiting_execution_says_what_for(bench: Bench) -> None:
    """In show and in status, with the command that answers."""
    execution = bench.to_approval()
    shown = "\n".join(text.show(tree(bench, execution), bench.clock.now()))
    assert "waits for an answer until" in shown
    told = "\n".join(text.status(state(bench), bench.clock.now()))
    assert f"penstock approve {execution.id[:8]}" in told
    assert "processes: none runs; start them with `penstock up`" in told


def test_an_execution_in_front_of_a_taken_stage_waits_to_enter(bench: Bench) -> None:
    """And says so."""
    bench.settle(bench.start())
    second = bench.settle(bench.start())
    assert "● Source  waiting to enter" in text.show(tree(bench, second), bench.clock.now())
    assert "    Source: waiting to enter" in text.status(state(bench), bench.clock.now())
    assert "Source waits: another execution is in this stage" in list(progress.lines(None, tree(bench, second)))


def test_every_end_is_told_once(bench: Bench) -> None:
    """However many looks lie between begin and end."""
    execution = bench.settle(bench.start())
    looks = [tree(bench, execution)]
    made = (ArtifactRef("Source", "a" * 64, 1),)
    bench.finish(execution, "Checkout", ActionStatus.SUCCEEDED, summary="a\nb\x1b[31m", output_artifacts=made)
    looks.append(tree(bench, execution))
    looks.append(tree(bench, execution))
    bench.finish(execution, "Package", ActionStatus.SUCCEEDED)
    bench.finish(execution, "Lint", ActionStatus.FAILED, error_code="BuildFailed", error_message="bad")
    looks.append(tree(bench, execution))
    lines = [
        line for before, after in zip([None, *looks], looks, strict=False) for line in progress.lines(before, after)
    ]
    assert lines == [
        f"orders #1 started  {execution.id}",
        "Source/Checkout started",
        "Source/Checkout Succeeded in 1.0 s: a b [31m",
        "Build/Package started",
        "Build/Lint started",
        "Build/Package Succeeded in 1.0 s",
        "Build/Lint Failed in 2.0 s: BuildFailed: bad",
    ]
    assert progress.outcome(looks[-1]).startswith("orders #1 Failed in 3.0 s: action Lint failed")
    assert [place for place, _ in progress.failed_logs(looks[-1])] == ["Build/Lint"]


def test_a_later_attempt_is_told_as_such(bench: Bench) -> None:
    """By its number."""
    execution = bench.failed_in_build()
    before = tree(bench, execution)
    bench.service.retry(None)
    bench.settle(execution)
    assert list(progress.lines(before, tree(bench, execution))) == ["Build/Lint started, attempt 2"]


def test_a_story_reads_from_top_to_bottom(bench: Bench) -> None:
    """With the facts its sentences do not hold."""
    bench.to_approval()
    bench.service.answer(Answer("Rejected", "no", "Ada"))
    lines = text.story(documents.story(bench.service.why()))
    assert lines[0] == "Execution 1 of orders is InProgress"
    assert lines[-1].endswith("Approval answered (Approve/Sign-off): Ada answered Rejected: no")


def test_executions_are_a_table(bench: Bench) -> None:
    """Newest first; and a sentence when there is none."""
    assert text.executions([], bench.clock.now()) == ["no executions yet"]
    bench.failed_in_build()
    rows = [documents.execution(item) for item in bench.service.executions()]
    heading, row = text.executions(rows, bench.clock.now() + timedelta(minutes=2))
    assert heading.split() == ["PIPELINE", "ID", "STATUS", "STARTED", "TOOK", "TRIGGER"]
    assert "orders #1" in row
    assert "2 m 03 s ago" in row


def test_what_steers_a_terminal_is_taken_out() -> None:
    """A commit message may hold anything."""
    assert text.clean("a\x1b]0;owned\x07\nb\u202ec") == "a ]0;owned  b c"


def test_a_release_tells_share_and_versions() -> None:
    """Also before there is a new version."""
    document = {"function": "f", "alias": "live", "status": "InProgress", "weightPct": 10.0, "newVersion": "2"}
    assert text.release({**document, "oldVersion": "1"}) == "f:live 10 % on version 2 (was 1), InProgress"
    assert text.release({**document, "oldVersion": None}) == "f:live 10 % on version 2, InProgress"
    assert text.release({**document, "newVersion": None, "oldVersion": None}) == "f:live InProgress"

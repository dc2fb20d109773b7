"""Looking at executions, states, logs and stories."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput, NotFound
from pipelines.service import Answer, Choice
from store.records import ActionStatus, ArtifactRef, DeploymentRecord, ExecutionRecord, ExecutionStatus, NewEvent
from tests.fakes.serviced import TEXT, Bench


def test_an_execution_is_named_by_id_prefix_number_or_nothing(bench: Bench) -> None:
    """Nothing is the latest."""
    first, second = bench.start(), bench.start()
    for ref in (first.id, first.id[:8], "1", "#1"):
        assert bench.service.show(ref).execution.id == first.id
    for nothing in (None, "", "latest"):
        assert bench.service.show(nothing).execution.id == second.id
    with pytest.raises(NotFound):
        bench.service.show("9")
    with pytest.raises(InvalidInput):
        bench.service.show("abc")


def test_nothing_was_started_yet(bench: Bench) -> None:
    """An empty home has no latest execution, no state and no list."""
    with pytest.raises(NotFound, match="there is no execution yet"):
        bench.service.show()
    assert bench.service.status() == []
    assert bench.service.executions() == []
    with pytest.raises(NotFound):
        bench.service.executions("orders")


def test_the_tree_holds_every_stage_and_action_in_order(bench: Bench) -> None:
    """What did not run has no attempts, what ran has its log's place."""
    execution = bench.failed_in_build()
    bench.service.retry(None)
    bench.settle(execution)
    view = bench.service.show()
    assert [stage.name for stage in view.stages] == ["Source", "Build", "Approve", "Release"]
    package, lint = view.stages[1].actions
    assert [item.attempt for item in lint.attempts] == [1, 2]
    assert len(package.attempts) == 1
    assert lint.log == bench.logs / execution.id / "Build.Lint.2.log"
    assert view.stages[3].record is None
    assert view.stages[3].actions[0].latest is None


def test_status_says_what_runs_what_waits_and_how_the_last_one_ended(bench: Bench) -> None:
    """Per pipeline."""
    bench.failed_in_build()
    waiting = bench.to_approval()
    (state,) = bench.service.status()
    assert [view.execution.id for view in state.running] == [waiting.id]
    assert [(item.action.action, item.message) for item in state.approvals] == [("Sign-off", "")]
    assert state.last is not None
    assert (state.last.number, state.last.status) == (1, ExecutionStatus.FAILED)


def test_executions_can_be_narrowed(bench: Bench) -> None:
    """By pipeline and status, newest first."""
    bench.failed_in_build()
    bench.start()
    other = bench.start(TEXT.replace("name: orders", "name: bills", 1))
    assert [item.pipeline for item in bench.service.executions()] == ["bills", "orders", "orders"]
    assert [item.id for item in bench.service.executions("bills")] == [other.id]
    assert [item.number for item in bench.service.executions(status=ExecutionStatus.FAILED)] == [1]
    assert len(bench.service.executions(limit=1)) == 1
    assert [item.name for item in bench.service.pipelines()] == ["bills", "orders"]


def test_logs_are_listed_in_the_order_the_attempts_began(bench: Bench) -> None:
    """And can be narrowed by stage and action."""
    execution = bench.failed_in_build()
    found, files = bench.service.logs(None)
    assert found.id == execution.id
    assert {(item.stage, item.action) for item in files} == {
        ("Source", "Checkout"),
        ("Build", "Package"),
        ("Build", "Lint"),
    }
    assert files[0].action == "Checkout"
    _, narrowed = bench.service.logs(None, stage="Build", action="Lint")
    assert [item.path.name for item in narrowed] == ["Build.Lint.1.log"]


def test_a_story_tells_the_decisions_and_leaves_the_routine_out(bench: Bench) -> None:
    """From the start to the end, with the headline's reason."""
    bench.failed_in_build()
    story = bench.service.why()
    assert story.headline == (
        "Execution 1 of orders ended Failed after 3.0 s, because action Build/Lint failed: 3 mistakes in app.py"
    )
    kinds = [decision.kind for decision in story.decisions]
    assert kinds == ["ExecutionStarted", "ActionFailed", "StageFailed", "ExecutionFailed"]
    assert story.decisions[1].sentence == "Action failed (Build/Lint): 3 mistakes in app.py"


def test_a_story_of_a_rollback_names_the_alarm_before_it(bench: Bench) -> None:
    """Release failed because an alarm fired, with its numbers, and so it went back."""
    execution = bench.failed_in_build()
    with bench.database.transaction() as transaction:
        facts = {"harmed_requests": 7}
        transaction.append(
            NewEvent("AlarmFired", "orders:live", "alarm errors fired: 7 of 20 failed", execution.id, facts)
        )
        transaction.append(NewEvent("RolledBack", "orders:live", "orders:live is back on version 2", execution.id))
    told = {item.kind: item for item in bench.service.why().decisions}
    assert told["AlarmFired"].sentence == "Alarm errors fired: 7 of 20 failed"
    assert told["AlarmFired"].facts == {"harmed_requests": 7}
    assert told["RolledBack"].sentence == "orders:live is back on version 2"
    assert told["RolledBack"].seq > told["AlarmFired"].seq


def test_a_story_has_all_pages_of_the_ledger(bench: Bench) -> None:
    """Also of an execution with more events than one page."""
    execution = bench.start()
    with bench.database.transaction() as transaction:
        for number in range(1100):
            transaction.append(NewEvent("AlarmEvaluated", "a", f"look {number}", execution.id))
    assert len(bench.service.why().decisions) == 1101
    assert len(bench.service.events(None)) == 500
    last = bench.service.events(None)[-1]
    assert bench.service.events(None, after=last.seq)[0].why == "look 499"


def test_a_rollback_goes_to_the_only_alias_there_is(bench: Bench) -> None:
    """To where it was before, unless a deployment or a version is named."""
    execution = bench.to_approval()
    _deployed(bench, execution, "d-AAAAAAAAA", "orders")
    assert bench.service.roll_back(Choice(), "Ada", "slow").id == "d-UNDONE123"
    bench.service.roll_back(Choice(deployment="d-AAAAAAAAA"), "Ada", "")
    bench.service.roll_back(Choice(function="orders", to_version="4"), "Ada", "")
    assert bench.releases.asked == [
        ("d-AAAAAAAAA", {}, None, "Ada", "slow"),
        ("d-AAAAAAAAA", {}, "1", "Ada", ""),
        ("d-AAAAAAAAA", {}, "4", "Ada", ""),
    ]


def test_a_rollback_of_one_of_several_aliases_needs_a_name(bench: Bench) -> None:
    """And one of none finds none."""
    with pytest.raises(NotFound, match="no release to roll back"):
        bench.service.roll_back(Choice(), "Ada", "")
    execution = bench.to_approval()
    _deployed(bench, execution, "d-AAAAAAAAA", "orders")
    _deployed(bench, execution, "d-BBBBBBBBB", "bills")
    with pytest.raises(Exception, match="2 aliases were released") as caught:
        bench.service.roll_back(Choice(), "Ada", "")
    assert "bills:live on target local, orders:live on target local" in str(caught.value)
    bench.service.roll_back(Choice(function="bills"), "Ada", "")
    assert bench.releases.asked[0][0] == "d-BBBBBBBBB"


def test_a_plan_takes_the_newest_package_and_what_its_build_exported(bench: Bench) -> None:
    """Each release action of the file, with its variables filled in."""
    with pytest.raises(NotFound, match="has made artifact 'Package' yet"):
        bench.service.plan(TEXT, bench.logs, {})
    bench.to_approval()
    bench.start()
    (plan,) = bench.service.plan(TEXT, bench.logs, {})
    assert (plan.stage, plan.action, plan.artifact, plan.lines) == (
        "Release",
        "Orders",
        "b" * 64,
        ("publish a new version",),
    )
    configuration = {"target": "local", "alias": "live", "deploymentConfig": "AllAtOnce"}
    assert bench.releases.asked == [({"local": {}}, configuration, "b" * 64)]
    with pytest.raises(NotFound, match="no release action 'Bills'"):
        bench.service.plan(TEXT, bench.logs, {}, "Bills")


def test_a_rollback_by_hand_is_shown_with_the_execution(bench: Bench) -> None:
    """It belongs to no action."""
    execution = bench.to_approval()
    _deployed(bench, execution, "d-AAAAAAAAA", "orders")
    assert [item.id for item in bench.service.show().by_hand] == ["d-AAAAAAAAA"]


def test_an_answered_approval_waits_no_longer(bench: Bench) -> None:
    """Even before the engine has seen the answer."""
    bench.to_approval()
    bench.service.answer(Answer("Approved"))
    assert bench.service.status()[0].approvals == ()


def test_artifacts_are_in_the_tree(bench: Bench) -> None:
    """By name, digest and size."""
    bench.to_approval()
    latest = bench.service.show().stages[1].actions[0].latest
    assert latest is not None
    assert latest.output_artifacts == (ArtifactRef("Package", "b" * 64, 2),)
    assert latest.status is ActionStatus.SUCCEEDED


def _deployed(bench: Bench, execution: ExecutionRecord, deployment_id: str, function: str) -> None:
    now = bench.clock.now()
    record = DeploymentRecord(
        deployment_id,
        execution.id,
        "",
        "local",
        function,
        "live",
        "Succeeded",
        "user",
        {"old_version": "1", "new_version": "2"},
        now,
        now,
        now,
    )
    with bench.database.transaction() as transaction:
        transaction.add_deployment(record)

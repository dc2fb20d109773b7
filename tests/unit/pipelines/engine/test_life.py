"""How executions live, on the real store: groups, artifacts, variables, approvals, stops, retries, rollbacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clock import VirtualClock
from core.errors import LeaseLost
from core.outcome import Abandoned, Failed, Outcome, Succeeded
from pipelines.engine.perform import perform
from stages.base import ActionContext
from store.records import ActionStatus, ApprovalRecord, ExecutionStatus, StageStatus, StopMode
from tests.fakes.engine import Work, World, pipeline


def failing(message: str = "no") -> Work:
    """A provider's work that fails."""
    return lambda _: Failed("Broken", message)


def writing(**files: str) -> Work:
    """Makes every output artifact of a directory with `files`."""

    def work(context: ActionContext) -> Outcome:
        for name, text in files.items():
            (context.workspace / name).write_text(text)
        return Succeeded(artifacts=dict.fromkeys(context.output_artifacts, context.workspace))

    return work


def exporting(**variables: str) -> Work:
    """Succeeds with output variables."""
    return lambda _: Succeeded(variables=variables)


def answer(world: World, status: str) -> None:
    """Answer the one pending approval, as the service does."""
    with world.database.transaction() as tx:
        (action,) = tx.pending_approvals()
        tx.add_approval(ApprovalRecord(action.id, status, "so be it", "ann", world.clock.now()))
        tx.update_execution(tx.execution(action.execution_id), wake_at=world.clock.now())


def test_stages_run_in_order_and_the_ledger_tells_it(world: World) -> None:
    execution = world.start(pipeline([{}, {}], [{}]))
    world.drive(execution.id)
    assert world.execution(execution.id).status is ExecutionStatus.SUCCEEDED
    assert world.provider.ran == ["S1/A1", "S1/A2", "S2/A1"]
    assert world.events(execution.id) == [
        "ExecutionStarted",
        "StageEntered",
        "ActionStarted",
        "ActionStarted",
        "ActionSucceeded",
        "ActionSucceeded",
        "StageSucceeded",
        "StageEntered",
        "ActionStarted",
        "ActionSucceeded",
        "StageSucceeded",
        "ExecutionSucceeded",
    ]
    with world.database.snapshot() as reader:
        assert reader.verify().ok
        assert all(event.why for event in reader.events(execution.id))
        assert reader.lease(f"execution:{execution.id}") is None
    assert world.execution(execution.id).wake_at is None


def test_groups_run_one_after_the_other(world: World) -> None:
    execution = world.start(
        pipeline([{"name": "Last", "runOrder": 9}, {"name": "First"}, {"name": "Second", "runOrder": 2}])
    )
    world.drive(execution.id)
    assert world.provider.ran == ["S1/First", "S1/Second", "S1/Last"]


def test_siblings_of_a_failed_action_run_to_their_end_and_later_groups_do_not_start(world: World) -> None:
    world.provider.script["S1/A1"] = failing("two tests failed")
    execution = world.start(pipeline([{}, {}, {"runOrder": 2}], [{}]))
    world.drive(execution.id)
    assert world.statuses(execution.id) == [("S1/A1", 1, "Failed"), ("S1/A2", 1, "Succeeded")]
    record = world.execution(execution.id)
    assert record.status is ExecutionStatus.FAILED
    assert record.status_summary == "action A1 failed (two tests failed)"
    assert world.stages(execution.id) == {"S1": "Failed"}


def test_artifacts_and_variables_reach_later_actions(world: World) -> None:
    seen: dict[str, object] = {}

    def consume(context: ActionContext) -> Outcome:
        seen["text"] = (context.input("App") / "main.py").read_text()
        seen["same"] = context.input("App") == context.input("App")
        seen["configuration"] = dict(context.configuration)
        seen["commands"] = context.commands
        return Succeeded()

    world.provider.script["S1/A1"] = lambda context: Succeeded(
        variables={"Version": "7"},
        artifacts=writing(**{"main.py": "x = 1"})(context).artifacts,  # type: ignore[union-attr]
    )
    world.provider.script["S2/A1"] = consume
    execution = world.start(
        pipeline(
            [{"outputArtifacts": ["App"], "namespace": "Build"}],
            [
                {
                    "inputArtifacts": ["App"],
                    "configuration": {"deep": ["v#{Build.Version}", "#{variables.level}", "${HOME}"]},
                    "commands": ["echo #{codepipeline.PipelineExecutionId}"],
                }
            ],
        ),
        variables={"level": "canary"},
    )
    world.drive(execution.id)
    assert world.execution(execution.id).status is ExecutionStatus.SUCCEEDED
    assert seen == {
        "text": "x = 1",
        "same": True,
        "configuration": {"deep": ["v7", "canary", "${HOME}"]},
        "commands": (f"echo {execution.id}",),
    }
    consumer = world.actions(execution.id)[-1]
    assert consumer.configuration == {"deep": ["v#{Build.Version}", "#{variables.level}", "${HOME}"]}
    assert consumer.resolved_configuration == {"deep": ["v7", "canary", "${HOME}"]}
    assert consumer.input_artifacts == world.actions(execution.id)[0].output_artifacts


def test_a_variable_without_value_fails_the_action_before_it_starts(world: World) -> None:
    world.provider.script["S1/A1"] = exporting(Other="1")
    execution = world.start(pipeline([{"namespace": "Build"}], [{"configuration": {"v": "#{Build.Missing}"}}]))
    world.drive(execution.id)
    action = world.actions(execution.id)[-1]
    assert (action.status, action.error_code) == (ActionStatus.FAILED, "ConfigurationError")
    assert "#{Build.Missing}" in action.error_message
    assert world.provider.ran == ["S1/A1"]


def test_a_success_without_the_declared_artifact_is_none(world: World) -> None:
    world.provider.script["S1/A1"] = lambda _: Succeeded()
    execution = world.start(pipeline([{"outputArtifacts": ["App"]}]))
    world.drive(execution.id)
    (action,) = world.actions(execution.id)
    assert action.error_code == "OutputArtifactMissing"


def test_our_own_failure_is_told_as_the_actions_and_never_stops_the_engine(world: World) -> None:
    def broken(_: ActionContext) -> Outcome:
        raise RuntimeError("we forgot something")

    world.provider.script["S1/A1"] = broken
    execution = world.start(pipeline([{}]))
    world.drive(execution.id)
    (action,) = world.actions(execution.id)
    assert (action.error_code, action.error_message) == ("InternalError", "we forgot something")
    log = world.home / "logs" / execution.id / "S1.A1.1.log"
    assert "Traceback" not in log.read_text()


def test_log_lines_are_timed_and_secrets_masked(world: World) -> None:
    def talk(context: ActionContext) -> Outcome:
        context.redactor.add("hunter2!")
        context.log("the password is hunter2!\nsecond line")
        return Failed("Broken", "it was hunter2!")

    world.provider.script["S1/A1"] = talk
    execution = world.start(pipeline([{}]))
    world.drive(execution.id)
    lines = (world.home / "logs" / execution.id / "S1.A1.1.log").read_text().splitlines()
    assert lines == ["2026-01-05T12:00:00.000Z the password is ***", "2026-01-05T12:00:00.000Z second line"]
    assert world.actions(execution.id)[0].error_message == "it was ***"
    with world.database.snapshot() as reader:
        assert "hunter2" not in str(reader.events(execution.id))


def test_progress_is_recorded_while_the_action_runs(world: World) -> None:
    seen = []

    def work(context: ActionContext) -> Outcome:
        context.report(percent_complete=40, summary="BUILD")
        seen.append(world.actions(context.execution_id)[0])
        return Succeeded()

    world.provider.script["S1/A1"] = work
    execution = world.start(pipeline([{}]))
    world.drive(execution.id)
    assert (seen[0].percent_complete, seen[0].summary) == (40, "BUILD")


def test_the_source_revision_is_remembered(world: World) -> None:
    world.provider.script["S1/A1"] = exporting(CommitId="abc123")
    execution = world.start(pipeline([{"provider": "Source"}]))
    world.drive(execution.id)
    assert world.execution(execution.id).source_revisions == {"A1": "abc123"}


def test_an_approval_ends_the_drive_and_the_answer_resumes_it(world: World) -> None:
    execution = world.start(pipeline([{"provider": "Approval"}, {"runOrder": 2}]))
    world.drive(execution.id)
    record = world.execution(execution.id)
    (action,) = world.running(execution.id)
    assert record.status is ExecutionStatus.IN_PROGRESS
    assert action.token
    assert record.wake_at == action.due_at
    assert world.provider.ran == []
    answer(world, "Approved")
    world.drive(execution.id)
    assert world.execution(execution.id).status is ExecutionStatus.SUCCEEDED
    assert world.provider.ran == ["S1/A2"]


def test_a_rejected_approval_fails_with_who_said_so(world: World) -> None:
    execution = world.start(pipeline([{"provider": "Approval"}]))
    world.drive(execution.id)
    answer(world, "Rejected")
    world.drive(execution.id)
    (action,) = world.actions(execution.id)
    assert (action.error_code, action.error_message) == ("ApprovalRejected", "ann rejected it: so be it")
    assert world.execution(execution.id).status is ExecutionStatus.FAILED


def test_an_approval_expires(world: World) -> None:
    execution = world.start(pipeline([{"provider": "Approval", "timeoutInMinutes": 5}]))
    world.drive(execution.id)
    assert isinstance(world.clock, VirtualClock)
    world.clock.advance(299)
    world.drive(execution.id)
    assert world.running(execution.id)
    world.clock.advance(1)
    world.drive(execution.id)
    assert world.actions(execution.id)[0].error_code == "ApprovalTimedOut"


def test_an_action_that_takes_too_long_is_told_and_fails(world: World) -> None:
    def slow(context: ActionContext) -> Outcome:
        assert isinstance(world.clock, VirtualClock)
        assert context.stop_requested() == ""
        world.clock.advance(61)
        return Abandoned(context.stop_requested())

    world.provider.script["S1/A1"] = slow
    execution = world.start(pipeline([{"timeoutInMinutes": 1}]))
    world.drive(execution.id)
    (action,) = world.actions(execution.id)
    assert (action.error_code, action.error_message) == ("ActionTimedOut", "it took longer than 1 m 00 s")


def test_stop_and_wait_lets_the_action_end_and_starts_nothing_else(world: World) -> None:
    def work(context: ActionContext) -> Outcome:
        world.stop(context.execution_id, StopMode.WAIT)
        assert context.stop_requested() == ""
        return Succeeded()

    world.provider.script["S1/A1"] = work
    execution = world.start(pipeline([{}, {"runOrder": 2}], [{}]))
    world.drive(execution.id)
    assert world.execution(execution.id).status is ExecutionStatus.STOPPED
    assert world.statuses(execution.id) == [("S1/A1", 1, "Succeeded")]
    assert world.stages(execution.id) == {"S1": "Stopped"}


def test_stop_and_abandon_tells_the_action(world: World) -> None:
    def work(context: ActionContext) -> Outcome:
        world.stop(context.execution_id, StopMode.ABANDON)
        return Abandoned(context.stop_requested())

    world.provider.script["S1/A1"] = work
    execution = world.start(pipeline([{}], [{}]))
    world.drive(execution.id)
    assert world.statuses(execution.id) == [("S1/A1", 1, "Abandoned")]
    assert world.execution(execution.id).status is ExecutionStatus.STOPPED


def test_a_stop_between_stages_stops_before_the_next(world: World) -> None:
    execution = world.start(pipeline([{}], [{}]))
    world.stop(execution.id, StopMode.WAIT)
    world.drive(execution.id)
    assert world.execution(execution.id).status is ExecutionStatus.STOPPED
    assert world.stages(execution.id) == {}


def test_on_failure_retry_runs_the_failed_actions_once_more(world: World) -> None:
    outcomes: list[Outcome] = [Failed("Flaky", "first"), Succeeded()]
    world.provider.script["S1/A2"] = lambda _: outcomes.pop(0)
    execution = world.start(pipeline({"actions": [{}, {}], "onFailure": {"result": "RETRY"}}))
    world.drive(execution.id)
    assert world.statuses(execution.id) == [
        ("S1/A1", 1, "Succeeded"),
        ("S1/A2", 1, "Failed"),
        ("S1/A2", 2, "Succeeded"),
    ]
    assert world.execution(execution.id).status is ExecutionStatus.SUCCEEDED


def test_on_failure_retry_of_all_actions_runs_them_all_and_only_once(world: World) -> None:
    world.provider.script["S1/A2"] = failing()
    failure = {"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}
    execution = world.start(pipeline({"actions": [{}, {}], "onFailure": failure}))
    world.drive(execution.id)
    assert [attempt for _, attempt, _ in world.statuses(execution.id)] == [1, 1, 2, 2]
    assert world.execution(execution.id).status is ExecutionStatus.FAILED


def test_on_failure_rollback_runs_the_stage_with_the_last_good_artifacts(world: World) -> None:
    released: list[str] = []

    def release(context: ActionContext) -> Outcome:
        text = (context.input("App") / "app").read_text()
        released.append(text)
        return Failed("Alarm", "it hurt") if text == "bad" else Succeeded()

    texts = ["good", "bad"]
    world.provider.script["S1/A1"] = lambda context: writing(app=texts.pop(0))(context)
    world.provider.script["S2/A1"] = release
    document = pipeline(
        [{"outputArtifacts": ["App"]}],
        {"actions": [{"inputArtifacts": ["App"]}], "onFailure": {"result": "ROLLBACK"}},
        [{}],
    )
    good = world.start(document)
    world.drive(good.id)
    bad = world.start(document)
    world.drive(bad.id)
    with world.database.snapshot() as reader:
        rollback = reader.executions("orders")[0]
    assert world.execution(bad.id).status is ExecutionStatus.FAILED
    assert (rollback.execution_type, rollback.rollback_target) == ("ROLLBACK", good.id)
    assert rollback.trigger_type == "AutomatedRollback"
    world.drive(rollback.id)
    assert world.execution(rollback.id).status is ExecutionStatus.SUCCEEDED
    assert world.stages(rollback.id) == {"S2": "Succeeded"}
    assert released == ["good", "bad", "good"]


def test_a_queue_lets_one_in_and_wakes_the_next(world: World) -> None:
    document = pipeline([{"provider": "Approval"}])
    first, second, third = (world.start(document) for _ in range(3))
    for execution in (second, third, first, second, third):
        world.drive(execution.id)
    assert [len(world.running(each.id)) for each in (first, second, third)] == [1, 0, 0]
    assert world.execution(second.id).wake_at is None
    answer(world, "Approved")
    world.drive(first.id)
    assert world.execution(second.id).wake_at == world.clock.now()
    assert world.execution(third.id).wake_at is None
    world.drive(second.id)
    assert len(world.running(second.id)) == 1


def test_a_newer_execution_takes_the_place_of_one_that_waits(world: World) -> None:
    document = pipeline([{"provider": "Approval"}], mode="SUPERSEDED")
    first, second, third = (world.start(document) for _ in range(3))
    for execution in (first, second, third):
        world.drive(execution.id)
    assert world.execution(second.id).wake_at == world.clock.now()
    world.drive(second.id)
    superseded = world.execution(second.id)
    assert superseded.status is ExecutionStatus.SUPERSEDED
    assert third.id in superseded.status_summary
    assert world.stages(second.id) == {"S1": "Cancelled"}
    assert world.execution(first.id).status is ExecutionStatus.IN_PROGRESS


def test_parallel_executions_do_not_wait(world: World) -> None:
    document = pipeline([{"provider": "Approval"}], mode="PARALLEL")
    executions = [world.start(document) for _ in range(3)]
    for execution in executions:
        world.drive(execution.id)
    assert all(world.running(execution.id) for execution in executions)


def test_after_a_crash_the_action_begins_again_in_a_clean_place(world: World) -> None:
    starts: list[tuple[int, list[Path]]] = []

    def work(context: ActionContext) -> Outcome:
        starts.append((context.start, list(context.workspace.iterdir())))
        (context.workspace / "left").write_text("over")
        if context.start == 1:
            raise KeyboardInterrupt  # as if the process were gone
        return Succeeded()

    world.provider.script["S1/A1"] = work
    execution = world.start(pipeline([{}]))
    with pytest.raises(KeyboardInterrupt):
        world.drive(execution.id)
    assert world.execution(execution.id).wake_at is not None
    world.drive(execution.id)
    assert starts == [(1, []), (2, [])]
    assert world.execution(execution.id).status is ExecutionStatus.SUCCEEDED
    assert "ActionResumed" in world.events(execution.id)


def test_who_lost_the_lease_writes_nothing(world: World) -> None:
    execution = world.start(pipeline([{}]))
    old = world.hold(execution.id)
    settled = world.settler.settle(execution.id, old.lease)

    def work(context: ActionContext) -> Outcome:
        world.hold(execution.id)
        return Succeeded()

    world.provider.script["S1/A1"] = work
    with pytest.raises(LeaseLost):
        perform(world.workshop, old, settled.work[0], begun=True)
    assert world.statuses(execution.id) == [("S1/A1", 1, "InProgress")]
    with pytest.raises(LeaseLost):
        world.settler.park(execution.id, old.lease)


def test_work_under_a_holding_that_was_let_go_is_left_for_the_next_driver(world: World) -> None:
    execution = world.start(pipeline([{}]))
    holding = world.hold(execution.id)
    settled = world.settler.settle(execution.id, holding.lease)

    def work(context: ActionContext) -> Outcome:
        holding.let_go("the runner is shutting down")
        return Abandoned(context.stop_requested())

    world.provider.script["S1/A1"] = work
    performed = perform(world.workshop, holding, settled.work[0], begun=True)
    assert performed.status is ActionStatus.IN_PROGRESS
    assert world.statuses(execution.id) == [("S1/A1", 1, "InProgress")]
    assert StageStatus.IN_PROGRESS.value == world.stages(execution.id)["S1"]

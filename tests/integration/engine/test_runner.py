"""Real runner processes and a real Prefect server: parallel work, waits, stops, and deaths of each of them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from store.records import ApprovalRecord, StopMode
from tests.fakes.engine import pipeline
from tests.integration.engine.conftest import Engine, Server, until
from tests.integration.engine.test_prefect_server import ask

WAIT = {"provider": "Wait"}


def alive(mark: str) -> bool:
    """Whether the process that left the mark still runs."""
    try:
        os.kill(int(mark.split()[1]), 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{mark.split()[1]}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_an_execution_runs_to_its_end_as_a_flow_run_with_a_task_per_action(engine: Engine) -> None:
    engine.start_runner()
    execution = engine.world.start(pipeline([{}, {}], [{}]))
    engine.nudge()
    engine.ends(execution, "Succeeded")
    with engine.world.database.snapshot() as reader:
        assert reader.verify().ok

    def tasks() -> list[tuple[str, str]]:
        wanted = {"flow_runs": {"name": {"any_": [f"orders/{execution.number}"]}, "tags": {"all_": [execution.id]}}}
        _, found = ask(engine.server.url, "POST", "/task_runs/filter", wanted)
        assert isinstance(found, list)
        return sorted((task["name"], task["state_type"]) for task in found)

    wanted = [("S1/A1", "COMPLETED"), ("S1/A2", "COMPLETED"), ("S2/A1", "COMPLETED")]
    until(lambda: tasks() == wanted, "Prefect knows the flow run by name and its tasks")


def test_actions_of_one_group_work_at_the_same_time(engine: Engine) -> None:
    engine.start_runner()
    execution = engine.world.start(pipeline([WAIT, WAIT, WAIT, {"runOrder": 2}]))
    engine.nudge()
    for name in ("A1", "A2", "A3"):
        engine.runs(execution, f"S1/{name}")
    assert not engine.marks(execution, "S1/A4")
    engine.release(execution)
    engine.ends(execution, "Succeeded")


def test_several_executions_are_driven_at_once(engine: Engine) -> None:
    engine.start_runner()
    document = pipeline([WAIT], mode="PARALLEL")
    executions = [engine.world.start(document) for _ in range(5)]
    engine.nudge()
    for execution in executions:
        engine.runs(execution, "S1/A1")
    for execution in executions:
        engine.release(execution)
        engine.ends(execution, "Succeeded")


def test_while_an_approval_waits_nobody_drives_and_the_answer_goes_on(engine: Engine) -> None:
    engine.start_runner()
    execution = engine.world.start(pipeline([{"provider": "Approval"}], [{}]))
    engine.nudge()

    def parked() -> bool:
        with engine.world.database.snapshot() as reader:
            return bool(reader.pending_approvals()) and reader.lease(f"execution:{execution.id}") is None

    until(parked, "the flow run ended and gave the lease back")
    with engine.world.database.transaction() as tx:
        (action,) = tx.pending_approvals()
        now = engine.world.clock.now()
        tx.add_approval(ApprovalRecord(action.id, "Approved", "", "ann", now))
        tx.update_execution(tx.execution(execution.id), wake_at=now)
    engine.nudge()
    engine.ends(execution, "Succeeded")


def test_an_abandoned_action_is_told_within_a_moment(engine: Engine) -> None:
    engine.start_runner()
    execution = engine.world.start(pipeline([{"provider": "Process"}], [{}]))
    engine.nudge()
    engine.runs(execution, "S1/A1")
    (mark,) = engine.marks(execution, "S1/A1")
    began = time.monotonic()
    engine.world.stop(execution.id, StopMode.ABANDON)
    engine.nudge()
    engine.ends(execution, "Stopped")
    assert time.monotonic() - began < 5
    assert not alive(mark)
    assert engine.world.statuses(execution.id) == [("S1/A1", 1, "Abandoned")]


def test_a_killed_runner_loses_nothing_and_its_processes_do_not_run_twice(engine: Engine) -> None:
    first = engine.start_runner()
    execution = engine.world.start(pipeline([{}], [{"provider": "Process"}], [{}]))
    engine.nudge()
    engine.runs(execution, "S2/A1")
    (old,) = engine.marks(execution, "S2/A1")
    first.kill()
    first.wait(10)
    assert alive(old)
    engine.start_runner()
    until(lambda: len(engine.marks(execution, "S2/A1")) == 2, "the action begins again")
    assert not alive(old)
    engine.release(execution)
    engine.ends(execution, "Succeeded")
    assert [mark.split()[0] for mark in engine.marks(execution, "S2/A1")] == ["1", "2"]
    assert len(engine.marks(execution, "S1/A1")) == 1


def test_flow_runs_of_a_killed_runner_are_told_as_crashed(engine: Engine) -> None:
    first = engine.start_runner("runner-9")
    execution = engine.world.start(pipeline([WAIT]))
    engine.nudge("runner-9")
    engine.runs(execution, "S1/A1")
    first.kill()
    first.wait(10)
    engine.start_runner("runner-9")
    mine = {"flows": {"name": {"any_": ["advance (runner-9)"]}}}

    def crashed() -> int:
        _, count = ask(
            engine.server.url,
            "POST",
            "/flow_runs/count",
            {**mine, "flow_runs": {"state": {"type": {"any_": ["CRASHED"]}}}},
        )
        assert isinstance(count, int)
        return count

    until(lambda: crashed() >= 1, "the server knows of the crash")
    engine.release(execution)
    engine.ends(execution, "Succeeded")


def test_a_runner_told_to_end_hands_back_at_once(engine: Engine) -> None:
    first = engine.start_runner()
    execution = engine.world.start(pipeline([{"provider": "Process"}]))
    engine.nudge()
    engine.runs(execution, "S1/A1")
    (old,) = engine.marks(execution, "S1/A1")
    first.terminate()
    assert first.wait(15) == 0
    assert not alive(old)
    with engine.world.database.snapshot() as reader:
        assert reader.lease(f"execution:{execution.id}") is None
    assert engine.world.statuses(execution.id) == [("S1/A1", 1, "InProgress")]
    engine.start_runner()
    engine.release(execution)
    engine.ends(execution, "Succeeded")


def test_two_runners_never_drive_the_same_execution(engine: Engine) -> None:
    engine.start_runner("runner-1")
    engine.start_runner("runner-2")
    document = pipeline([{}, {}], [{}], mode="PARALLEL")
    executions = [engine.world.start(document) for _ in range(8)]
    engine.nudge("runner-1")
    engine.nudge("runner-2")
    for execution in executions:
        engine.ends(execution, "Succeeded")
        for place in ("S1/A1", "S1/A2", "S2/A1"):
            assert len(engine.marks(execution, place)) == 1


def test_a_frozen_runner_is_fenced_off(engine: Engine) -> None:
    """SIGSTOP is what a suspended machine looks like: its lease expires, and when it wakes it must write nothing."""
    first = engine.start_runner("runner-1")
    execution = engine.world.start(pipeline([WAIT], [{}]))
    engine.nudge("runner-1")
    engine.runs(execution, "S1/A1")
    first.send_signal(signal.SIGSTOP)
    engine.start_runner("runner-2")
    until(lambda: len(engine.marks(execution, "S1/A1")) == 2, "the other takes over when the lease has expired", 30)
    first.send_signal(signal.SIGCONT)
    engine.release(execution)
    engine.ends(execution, "Succeeded")
    assert len(engine.marks(execution, "S2/A1")) == 1
    with engine.world.database.snapshot() as reader:
        assert reader.verify().ok


def test_running_actions_go_on_without_the_prefect_server_and_the_next_wait_for_it(engine: Engine) -> None:
    mortal = Server(engine.world.home)
    mortal.start()
    engine.server = mortal
    runner = engine.start_runner()
    execution = engine.world.start(pipeline([WAIT], [{}]))
    engine.nudge()
    engine.runs(execution, "S1/A1")
    mortal.kill()
    engine.release(execution)
    engine.ends(execution, "Succeeded")
    document = pipeline([{}], mode="PARALLEL")
    later = [engine.world.start(document) for _ in range(6)]
    engine.nudge()
    mortal.start()
    for each in later:
        engine.ends(each, "Succeeded")
    mortal.kill()
    runner.terminate()
    began = time.monotonic()
    runner.wait(20)
    assert time.monotonic() - began < 4, "it waited for a server that is gone"

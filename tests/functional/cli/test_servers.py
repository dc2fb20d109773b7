"""The servers' own lives: starting, being killed, stopping. Never two of one kind on one home."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.announce import is_running
from tests.fakes.command_line import PIPELINE, TRIVIAL, CommandLine, commands, line_with, until

SLOW = PIPELINE.replace("name: trivial", "name: slow") + commands("Long", "echo begun", "sleep 3")
KINDS = {
    "app.processes.supervisor": "supervisor",
    "-m runtime": "runtime",
    "prefect_server": "prefect",
    "app.processes.engine": "engine",
    "app.processes.runner": "runner-1",
}


@pytest.fixture(scope="module")
def own() -> Iterator[CommandLine]:
    """`penstock` in a repository of its own, servers as the tests leave them; nothing is left at the end."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-"))
    made = CommandLine(folder / "work")
    made.make_repository()
    yield made
    made("down")
    until(lambda: not made.living(), f"nothing of {made.home} is left: {made.living()}", 15)
    shutil.rmtree(folder, ignore_errors=True)


def kinds(own: CommandLine) -> Counter[str]:
    """How many processes of each kind live on this home."""
    return Counter(kind for line in own.living() for mark, kind in KINDS.items() if mark in line)


EACH_ONCE = Counter(dict.fromkeys(KINDS.values(), 1))


def test_a_run_starts_the_servers(own: CommandLine) -> None:
    """And says so."""
    done = own("run", timeout_s=120)
    assert done.returncode == 0, done.stderr
    assert "starting the servers" in done.stderr
    assert own("up").returncode == 0
    assert kinds(own) == EACH_ONCE


@pytest.mark.parametrize("victim", ["engine", "runner-1", "runtime", "prefect"])
def test_a_killed_process_is_back_at_its_place(own: CommandLine, victim: str) -> None:
    """With the same port, and an execution runs as before."""
    own("up")
    url = own.json("up")["processes"][victim]
    before = own.pids()
    os.kill(before[victim], signal.SIGKILL)
    until(lambda: own.pids().get(victim, before[victim]) != before[victim], f"{victim} is started again")
    assert own("up", timeout_s=120).returncode == 0
    assert own.json("up")["processes"][victim] == url
    assert {name: pid for name, pid in own.pids().items() if name != victim} == {
        name: pid for name, pid in before.items() if name != victim
    }
    assert own("run", timeout_s=120).returncode == 0
    assert kinds(own) == EACH_ONCE


def test_a_run_is_followed_across_a_restart_of_the_engine(own: CommandLine) -> None:
    """To its end, each piece of news once."""
    own("up")
    own.write(SLOW)
    run = own.begin("run")
    try:
        seen = line_with(run, "Long/Say started")
        os.kill(own.pids()["engine"], signal.SIGKILL)
        seen += run.communicate(timeout=60)[0]
    finally:
        own.write(TRIVIAL)
    assert run.returncode == 0
    for line in ("Long/Say started", "Long/Say Succeeded", "slow #"):
        assert seen.count(line) == (2 if line == "slow #" else 1), seen


def test_a_run_does_not_start_servers_that_were_stopped(own: CommandLine) -> None:
    """It says that the execution goes on when they are up; and so it does."""
    own("up")
    own.write(SLOW)
    run = own.begin("run")
    try:
        line_with(run, "Long/Say started")
        own("down")
        told, _ = run.communicate(timeout=60)
    finally:
        own.write(TRIVIAL)
    assert run.returncode == 5
    assert "the servers have stopped, slow #" in told
    assert kinds(own) == Counter()
    own("up")
    until(lambda: own.json("show")["status"] == "Succeeded", "it goes on")


def test_nothing_outlives_a_killed_supervisor(own: CommandLine) -> None:
    """And the next `up` starts each process once."""
    own("up")
    before = own.pids()
    os.kill(before["supervisor"], signal.SIGKILL)
    until(lambda: not any(is_running(pid) for pid in before.values()), "all are gone", 10)
    assert own("list").returncode == 0
    assert own("up", timeout_s=120).returncode == 0
    assert not set(before.values()) & set(own.pids().values())
    assert kinds(own) == EACH_ONCE
    assert own("run", timeout_s=120).returncode == 0


def test_many_ups_at_once_are_one(own: CommandLine) -> None:
    """All succeed."""
    own("down")
    ups = [own.begin("up") for _ in range(4)]
    outputs = [up.communicate(timeout=120)[0] for up in ups]
    assert [up.returncode for up in ups] == [0] * 4, outputs
    until(lambda: kinds(own) == EACH_ONCE, "the supervisors that came too late are gone", 5)


def test_looking_needs_no_server(own: CommandLine) -> None:
    """The same documents come from the store itself."""
    own("up")
    served = {command: own.json(command) for command in ("list", "show", "why")}
    pipelines = own.json("status")["pipelines"]
    logs = own("logs").stdout
    assert own("down").returncode == 0
    assert kinds(own) == Counter()
    assert {command: own.json(command) for command in ("list", "show", "why")} == served
    assert own.json("status") == {"pipelines": pipelines, "processes": {}}
    assert own("logs").stdout == logs
    assert "penstock up" in own("status").stdout
    assert kinds(own) == Counter()


def test_a_process_that_cannot_start_is_reported_with_its_log(own: CommandLine) -> None:
    """Rather than waited for."""
    own("down")
    taken = own.home / "runtime"
    aside = own.home / "runtime.aside"
    taken.rename(aside)
    taken.touch()
    try:
        done = own("up", timeout_s=120)
        assert done.returncode == 5
        assert "runtime does not start" in done.stderr
        assert "  | " in done.stderr
        assert str(own.home / "logs" / "runtime.log") in done.stderr
    finally:
        own("down")
        taken.unlink()
        aside.rename(taken)


def test_in_the_foreground_ctrl_c_stops_everything(own: CommandLine) -> None:
    """And while it runs there is no second set."""
    own("down")
    up = own.begin("up", "--foreground")
    until(lambda: (own.home / "run" / "supervisor.json").exists(), "it has begun")
    assert own("up", timeout_s=120).returncode == 0
    assert own("up", "--foreground").returncode == 3
    up.send_signal(signal.SIGINT)
    assert up.wait(30) == 0
    assert kinds(own) == Counter()

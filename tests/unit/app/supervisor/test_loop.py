"""The supervisor's ticks, with small real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.announce import is_running
from app.supervisor import children
from app.supervisor.components import Component
from app.supervisor.loop import BACK_OFF_S, Supervisor
from core import holder

SLEEP = ("sleep", "600")


def component(directory: Path, name: str, *command: str) -> Component:
    """A process of the test's own."""
    return Component(
        name, lambda: command, dict(os.environ), directory, directory / f"{name}.log", directory / f"{name}.json"
    )


def until(condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
    """Wait for `condition`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def pid_of(supervisor: Supervisor, index: int = 0) -> int:
    """The process that plays that component now."""
    process = supervisor.children[index].process
    assert process is not None
    return process.pid


@pytest.fixture
def sleepers(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor([component(tmp_path, "one", *SLEEP), component(tmp_path, "two", *SLEEP)], tmp_path)
    yield made
    made.stop()


def test_every_component_is_started_once(sleepers: Supervisor, tmp_path: Path) -> None:
    """And written down, so that a later supervisor finds it."""
    sleepers.tick(0)
    first = [pid_of(sleepers, 0), pid_of(sleepers, 1)]
    sleepers.tick(0)
    assert [pid_of(sleepers, 0), pid_of(sleepers, 1)] == first
    recorded = json.loads((tmp_path / "children.json").read_text())
    assert recorded == {"one": holder.of(first[0]), "two": holder.of(first[1])}
    assert json.loads((tmp_path / "components.json").read_text())["one"]["state"] == "running"


def test_a_killed_child_is_started_again(sleepers: Supervisor) -> None:
    """After its back-off, and the others are left alone."""
    sleepers.tick(0)
    killed, other = pid_of(sleepers, 0), pid_of(sleepers, 1)
    os.kill(killed, signal.SIGKILL)
    until(lambda: not is_running(killed), "it is dead")
    assert sleepers.tick(1) == pytest.approx(BACK_OFF_S[0])
    assert sleepers.children[0].process is None
    sleepers.tick(1 + BACK_OFF_S[0])
    assert pid_of(sleepers, 0) != killed
    assert pid_of(sleepers, 1) == other
    assert sleepers.children[0].restarts == 1


def test_what_fails_again_and_again_is_started_ever_more_rarely(tmp_path: Path) -> None:
    """And its log and exit code can be read meanwhile."""
    command = (sys.executable, "-c", "print('no luck'); raise SystemExit(7)")
    supervisor = Supervisor([component(tmp_path, "one", *command)], tmp_path)
    now, waits = 0.0, []
    for _ in range(len(BACK_OFF_S) + 1):
        supervisor.tick(now)
        pid = pid_of(supervisor)
        until(lambda pid=pid: not is_running(pid), "it ended")  # type: ignore[misc]
        supervisor.tick(now)
        waits.append(supervisor.children[0].restart_at - now)
        now = supervisor.children[0].restart_at
    assert waits == pytest.approx([*BACK_OFF_S, BACK_OFF_S[-1]])
    written = json.loads((tmp_path / "components.json").read_text())["one"]
    assert (written["state"], written["last_exit"], written["failures"]) == ("waiting", 7, len(BACK_OFF_S) + 1)
    assert children.tail(tmp_path / "one.log", 1) == ["no luck"]
    supervisor.stop()


def test_a_long_life_is_forgiven(sleepers: Supervisor) -> None:
    """A child that ran for a while begins its back-off anew."""
    sleepers.tick(0)
    sleepers.children[0].failures = 5
    killed = pid_of(sleepers)
    os.kill(killed, signal.SIGKILL)
    until(lambda: not is_running(killed), "it is dead")
    sleepers.tick(100)
    assert sleepers.children[0].restart_at == pytest.approx(100 + BACK_OFF_S[0])


def test_a_command_that_is_not_there_does_not_end_the_supervisor(tmp_path: Path) -> None:
    """It is tried again later."""
    supervisor = Supervisor([component(tmp_path, "one", "/nowhere/at/all")], tmp_path)
    supervisor.tick(0)
    assert supervisor.children[0].process is None
    assert supervisor.children[0].failures == 1
    supervisor.stop()


def test_leftovers_of_an_earlier_supervisor_are_ended(tmp_path: Path) -> None:
    """But not a process that only has the same id by chance."""
    left, stranger = subprocess.Popen(SLEEP), subprocess.Popen(SLEEP)
    try:
        children.record(tmp_path / "children.json", {"one": left.pid})
        data = json.loads((tmp_path / "children.json").read_text())
        data["two"] = holder.of(stranger.pid).rpartition("/")[0] + "/1"
        (tmp_path / "children.json").write_text(json.dumps(data))
        assert children.end_leftovers(tmp_path / "children.json") == ["one"]
        assert left.wait(5) == -signal.SIGKILL
        assert stranger.poll() is None
    finally:
        left.kill()
        stranger.kill()
        left.wait()
        stranger.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"one": "nonsense"}'])
def test_a_damaged_record_leaves_nothing_to_end(tmp_path: Path, text: str) -> None:
    """As after a crash in the middle of a write by something else."""
    (tmp_path / "children.json").write_text(text)
    assert children.end_leftovers(tmp_path / "children.json") == []


PARENT = """
import os, sys, time
from pathlib import Path
from app.supervisor.components import Component
from app.supervisor.loop import Supervisor
here = Path(sys.argv[1])
made = Component("one", lambda: ("sleep", "600"), dict(os.environ), here, here / "one.log", here / "one.json")
Supervisor([made], here).run()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's promise is Linux's")
def test_a_child_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
    """Kill -9 of the supervisor leaves nothing running."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=Path(__file__).parents[4])
    record = tmp_path / "children.json"
    until(record.exists, "the child was started")
    child = json.loads(record.read_text())["one"]
    parent.kill()
    parent.wait()
    until(lambda: holder.is_alive(child) is False, "the child died")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    """In order, and the record says that nothing is left."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=Path(__file__).parents[4])
    record = tmp_path / "children.json"
    until(record.exists, "the child was started")
    child = json.loads(record.read_text())["one"]
    parent.send_signal(number)
    assert parent.wait(10) == 0
    assert holder.is_alive(child) is False
    assert json.loads(record.read_text()) == {}


@pytest.mark.parametrize("replaced", [False, True])
def test_a_removed_home_ends_everything(tmp_path: Path, replaced: bool) -> None:
    """Nobody could ever stop or see servers whose home is gone, also when another home has come to its place."""
    home = tmp_path / "home"
    home.mkdir()
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(home)], cwd=Path(__file__).parents[4])
    until((home / "children.json").exists, "the child was started")
    child = json.loads((home / "children.json").read_text())["one"]
    home.rename(tmp_path / "elsewhere")
    if replaced:
        home.mkdir()
    assert parent.wait(10) == 0
    assert holder.is_alive(child) is False
    assert list(home.glob("*")) == []


def test_a_full_log_makes_room(tmp_path: Path) -> None:
    """The old one is kept beside."""
    log = tmp_path / "one.log"
    with log.open("wb") as file:
        file.truncate(children.BIGGEST_LOG_BYTES + 1)
    process = children.spawn(component(tmp_path, "one", "true"))
    process.wait(5)
    assert log.stat().st_size == 0
    assert (tmp_path / "one.log.1").stat().st_size == children.BIGGEST_LOG_BYTES + 1

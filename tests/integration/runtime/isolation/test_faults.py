"""Whatever is killed, and whenever: no process, mount, control group or loop device stays behind."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.runtime_process import WHO, RuntimeProcess, alive, host_pid, until
from tests.integration.runtime.isolation.calls import ask, call

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="full isolation takes root")
Own = Callable[..., RuntimeProcess]
SOURCE = f"""
import os, subprocess, time
def handler(event, context):
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    print("WHO", {WHO}, flush=True)
    time.sleep(event.get("sleep", 0))
    return {WHO}
"""


def mounts(home: Path) -> list[str]:
    """The mounts of any process that come from the server's home."""
    found: set[str] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found.update(line for line in (entry / "mountinfo").read_text().splitlines() if str(home) in line)
            except OSError:
                continue
    return sorted(found)


def loops(home: Path) -> list[str]:
    """The loop devices with a file of the server's home."""
    found = []
    for path in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found.append(path.read_text())
        except OSError:
            continue
    return [each for each in found if str(home) in each]


def groups(places: list[str]) -> list[Path]:
    """The control groups that are there, of those in which the server keeps its own."""
    return [path for place in places for path in Path(place).glob("**/")]


def places(server: RuntimeProcess) -> list[str]:
    """Where the server has its control groups."""
    found: list[str] = json.loads((server.home / "groups.json").read_text())
    return found


def is_clean(server: RuntimeProcess, where: list[str]) -> bool:
    """Whether nothing is left of a server that is gone."""
    return not (server.descendants() or mounts(server.home) or loops(server.home) or groups(where))


def busy(server: RuntimeProcess) -> tuple[str, threading.Thread]:
    """One environment that waits and one that works: who the latter is, and who asked it."""
    server.create("idle", SOURCE)
    server.create("works", SOURCE, Timeout=60)
    call(server, "idle")

    def work() -> None:
        try:
            answers.append(ask(server, "works", {"sleep": 50}))
        except OSError:
            answers.append(None)

    answers: list[Any] = []
    thread = threading.Thread(target=work)
    thread.answers = answers  # type: ignore[attr-defined]
    thread.start()
    until(lambda: "WHO " in server.log_text("works"))
    who = server.log_text("works").partition("WHO ")[2].partition("\n")[0]
    assert host_pid(who) is not None
    assert len(loops(server.home)) >= 2
    return who, thread


def test_nothing_stays_of_a_server_that_was_stopped(own_server: Own) -> None:
    server = own_server()
    _, thread = busy(server)
    where = places(server)
    assert groups(where)
    assert server.stop() == 0
    thread.join()
    assert is_clean(server, where), [server.descendants(), mounts(server.home), loops(server.home), groups(where)]


def test_nothing_stays_of_a_server_that_was_killed(own_server: Own) -> None:
    server = own_server()
    who, thread = busy(server)
    where = places(server)
    server.kill()
    thread.join()
    until(lambda: host_pid(who) is None)
    until(lambda: is_clean(server, where))


def test_nothing_stays_when_the_template_was_killed_before_the_server(own_server: Own) -> None:
    server = own_server()
    who, thread = busy(server)
    template = server.template()
    os.kill(template, signal.SIGKILL)
    until(lambda: not alive(template))
    assert host_pid(who) is not None, "environments do not notice"
    where = places(server)
    assert server.stop() == 0
    thread.join()
    until(lambda: is_clean(server, where))


def test_what_stays_when_both_are_killed_at_once_is_swept_at_the_next_start(own_server: Own) -> None:
    server = own_server()
    who, thread = busy(server)
    where = places(server)
    template = server.template()
    os.kill(server.pid, signal.SIGSTOP)
    os.kill(template, signal.SIGKILL)
    server.kill()
    thread.join()
    until(lambda: host_pid(who) is None)
    until(lambda: not (server.descendants() or mounts(server.home) or loops(server.home)))
    assert groups(where)
    own_server()  # any server sweeps: this home may never see another
    assert groups(where) == []
    server.start()
    assert call(server, "idle")
    assert server.stop() == 0
    assert is_clean(server, where)


def test_a_killed_keeper_takes_its_environment_along_and_nothing_else(own_server: Own) -> None:
    server = own_server()
    who, thread = busy(server)
    pid = host_pid(who)
    keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    idle = call(server, "idle")
    count = len(loops(server.home))
    os.kill(keeper, signal.SIGKILL)
    thread.join(10)
    (answer,) = thread.answers  # type: ignore[attr-defined]
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("Runtime exited with error: signal: killed")
    until(lambda: host_pid(who) is None)
    assert call(server, "idle") == idle
    assert call(server, "works") != who
    until(lambda: len(loops(server.home)) <= count + 1)


def test_every_keeper_and_the_template_killed_again_and_again(own_server: Own) -> None:
    server = own_server()
    server.create("works", SOURCE)
    where = places(server)
    for _ in range(4):
        assert isinstance(call(server, "works"), str)
        victims = [*server.keepers(), server.template()]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in victims))  # noqa: B023  (used within the round)
        until(lambda: isinstance(ask(server, "works"), str))
    assert server.stop() == 0
    assert is_clean(server, where)

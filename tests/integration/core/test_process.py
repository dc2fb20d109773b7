"""Real commands: their lines, their ends, and that nothing of them is left when they must stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.process import TAG_VARIABLE, ProcessResult, kill_tagged, run
from core.process_scan import members

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def tag() -> Iterator[str]:
    tag = f"test-{uuid.uuid4()}"
    yield tag
    kill_tagged(tag)


@pytest.fixture
def go(tag: str, tmp_path: Path) -> Callable[..., tuple[ProcessResult, list[str]]]:
    def go(script: str | list[str], **options: Any) -> tuple[ProcessResult, list[str]]:
        lines: list[str] = []
        command = ["sh", "-c", script] if isinstance(script, str) else script
        defaults: dict[str, Any] = {
            "cwd": tmp_path,
            "env": ENV,
            "on_line": lines.append,
            "timeout_s": 30,
            "should_stop": None,
            "tag": tag,
        }
        return run(command, **{**defaults, **options}), lines

    return go


Go = Callable[..., tuple[ProcessResult, list[str]]]


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_both_streams_come_line_by_line_in_order(go: Go) -> None:
    result, lines = go("echo one; echo two >&2; printf three")
    assert lines == ["one", "two", "three"]
    assert (result.exit_code, result.reason, result.message) == (0, "exited", "")


def test_lines_come_while_the_command_still_runs(go: Go, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")

    def open_the_gate(line: str) -> None:
        if line == "waiting":
            (tmp_path / "gate").write_text("go\n")

    result, _ = go("echo waiting; read answer < gate; test $answer = go", on_line=open_the_gate)
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("exit 3", 3, "exit code 3"),
        ("kill -KILL $$", 137, "killed by SIGKILL"),
        ("kill -SEGV $$", 139, "killed by SIGSEGV"),
        (["no-such-program-here"], 127, "there is no program 'no-such-program-here'"),
        (["/etc/passwd"], 126, "'/etc/passwd' cannot be run: Permission denied"),
        (["echo", "a\0b"], 126, "'echo' cannot be run: embedded null byte"),
    ],
)
def test_a_failing_command_is_a_value(go: Go, script: str | list[str], code: int, message: str) -> None:
    result, _ = go(script)
    assert (result.exit_code, result.reason, result.message) == (code, "exited", message)


def test_a_missing_directory_is_said(go: Go, tmp_path: Path) -> None:
    result, _ = go("true", cwd=tmp_path / "gone")
    assert result.exit_code == 127
    assert "no directory" in result.message


def test_the_environment_is_what_is_given_and_the_tag(go: Go, tag: str) -> None:
    _, lines = go(["env"], env={**ENV, "A": "b c"})
    assert sorted(lines) == sorted([f"PATH={ENV['PATH']}", "A=b c", f"{TAG_VARIABLE}={tag}"])


def test_input_is_given_and_the_rest_of_it_dropped_when_nobody_reads(go: Go) -> None:
    result, lines = go(["cat"], stdin_text="hello\n" * 100_000)
    assert len(lines) == 100_000
    assert go(["true"], stdin_text="hello\n" * 100_000)[0].exit_code == 0
    assert go("read x; echo got $x", stdin_text="")[1] == ["got"]
    assert go(["cat"])[1] == []
    assert result.exit_code == 0


def test_much_output_comes_whole(go: Go) -> None:
    _, lines = go(["seq", "200000"])
    assert lines == [str(n) for n in range(1, 200_001)]


def test_what_was_written_before_the_end_comes_even_if_reading_is_slow(go: Go) -> None:
    program = (
        "import fcntl, os; fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20); print(os.getpid(), flush=True);"
        "print(*(str(n) * 100 for n in range(1000)), sep='\\n')"
    )
    lines: list[str] = []

    def slowly(line: str) -> None:
        lines.append(line)
        if len(lines) == 1:  # everything is written, and the writer is gone, before the second line is read
            eventually(lambda: Path(f"/proc/{line}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
        time.sleep(0.001)

    go([sys.executable, "-c", program], on_line=slowly)
    assert lines[1:] == [str(n) * 100 for n in range(1000)]


def test_a_background_child_does_not_keep_us_waiting(go: Go, tag: str) -> None:
    result, lines = go("sleep 60 & echo started")
    assert lines == ["started"]
    assert (result.exit_code, result.duration_s < 5) == (0, True)
    assert kill_tagged(tag) == 1
    result, lines = go("(while :; do echo noise; done) & echo started")
    assert result.exit_code == 0
    assert result.duration_s < 5
    kill_tagged(tag)  # if its next line into the closed pipe has not ended it already
    assert members(None, tag) == set()


def test_a_timeout_ends_the_command_and_everything_it_started(go: Go, tag: str) -> None:
    result, lines = go("setsid sleep 60 & (sleep 60 & sleep 60) & echo started; sleep 60", timeout_s=0.5)
    assert lines[0] == "started"  # a shell may add that its children were terminated
    assert (result.exit_code, result.reason, result.message) == (None, "timed-out", "timed out after 0.5 s")
    assert result.duration_s < 2
    assert members(None, tag) == set()


def test_who_cleans_up_at_term_may_do_so_and_is_heard(go: Go) -> None:
    result, lines = go("trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done", timeout_s=0.5)
    assert (lines[0], lines[-1]) == ("ready", "cleaned")
    assert result.reason == "timed-out"


def test_who_ignores_term_is_killed_after_the_grace(go: Go, tag: str) -> None:
    result, _ = go("trap '' TERM; while :; do sleep 0.05; done", timeout_s=0.2)
    assert result.reason == "timed-out"
    assert 2 <= result.duration_s < 5
    assert members(None, tag) == set()


def test_a_reason_to_stop_stops_it(go: Go, tag: str) -> None:
    asked: list[float] = []

    def should_stop() -> str:
        asked.append(time.monotonic())
        return "ann asked to stop" if len(asked) == 3 else ""

    result, _ = go("sleep 60", should_stop=should_stop)
    assert (result.exit_code, result.reason, result.message) == (None, "stopped", "ann asked to stop")
    assert result.duration_s < 2
    assert members(None, tag) == set()


def test_a_stop_is_noticed_amid_endless_output(go: Go) -> None:
    result, lines = go("yes", should_stop=lambda: "enough")
    assert result.reason == "stopped"
    assert result.duration_s < 5
    assert lines[0] == "y"


def test_an_error_in_who_listens_leaves_no_process_behind(go: Go, tag: str) -> None:
    def fail(line: str) -> None:
        raise ZeroDivisionError(line)

    with pytest.raises(ZeroDivisionError):
        go("setsid sleep 60 & echo x; sleep 60", on_line=fail)
    assert members(None, tag) == set()


def test_the_end_is_noticed_at_once(go: Go) -> None:
    times = sorted(go(["true"], should_stop=lambda: "")[0].duration_s for _ in range(20))
    assert times[5] < 0.05  # far below the 100 ms at which should_stop is asked


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_many_threads_run_commands_at_once_and_no_descriptor_is_left(go: Go) -> None:
    before = open_descriptors()
    results: list[tuple[ProcessResult, list[str]]] = []

    def work(n: int) -> None:
        results.extend(go(f"cat; echo {n}; exit {n}", stdin_text=f"in {n}\n") for _ in range(5))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 40
    assert all(lines == [f"in {result.exit_code}", f"{result.exit_code}"] for result, lines in results)
    assert open_descriptors() == before


def test_what_a_killed_driver_left_running_is_found_by_its_tag(tag: str, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    program = (
        "import os, sys; from pathlib import Path; from core.process import run;"
        f"run(['sh', '-c', 'setsid sleep 60 & sleep 60'], cwd=Path('/'), env=dict(os.environ), on_line=print,"
        f" timeout_s=None, should_stop=None, tag={tag!r})"
    )
    driver = subprocess.Popen([sys.executable, "-c", program], cwd=root)
    eventually(lambda: len(members(None, tag)) == 3)  # the shell and both sleeps
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert len(members(None, tag)) == 3
    assert kill_tagged(tag) == 3
    assert members(None, tag) == set()
    assert kill_tagged(tag) == 0
    assert kill_tagged("") == 0


def test_only_the_very_tag_is_meant(tag: str) -> None:
    other = subprocess.Popen(["sleep", "60"], env={**ENV, TAG_VARIABLE: tag + "x", "OTHER": f"{TAG_VARIABLE}={tag}"})
    try:
        assert kill_tagged(tag) == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()

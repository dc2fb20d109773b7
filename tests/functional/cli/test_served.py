"""The command line with the servers up: executions from start to end, as people watch, answer, stop and retry them."""

from __future__ import annotations

import json
import os
import pty
import re
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fakes.command_line import APPROVAL, PIPELINE, TRIVIAL, CommandLine, commands, ctrl_c, line_with, until

BROKEN = PIPELINE.replace("name: trivial", "name: broken") + commands("Work", "echo here it breaks", "exit 3")
ASKING = PIPELINE.replace("name: trivial", "name: asking") + APPROVAL + commands("Last", "echo done")
SLOW = PIPELINE.replace("name: trivial", "name: slow") + commands("Long", "echo begun", "sleep 2", "echo over")
ENDLESS = PIPELINE.replace("name: trivial", "name: endless") + commands("Long", "echo begun", "sleep 600")


@contextmanager
def pipeline(served: CommandLine, text: str) -> Iterator[CommandLine]:
    """Another pipeline.yaml for a while."""
    served.write(text)
    try:
        yield served
    finally:
        served.write(TRIVIAL)


def started(served: CommandLine) -> dict[str, Any]:
    """A detached execution."""
    execution: dict[str, Any] = served.json("run", "--detach")
    return execution


def ends(served: CommandLine, ref: str) -> dict[str, Any]:
    """The execution when it has ended."""
    until(lambda: served.json("show", ref)["endedAt"] is not None, f"{ref} ends")
    tree: dict[str, Any] = served.json("show", ref)
    return tree


def waits_for_a_person(served: CommandLine, ref: str) -> None:
    """The execution has come to its approval."""
    until(lambda: served.json("show", ref)["stages"][1]["actions"][0]["status"] == "InProgress", f"{ref} waits")


def test_up_says_where_everything_is_and_is_up_already(served: CommandLine) -> None:
    """Again and again."""
    before = served.pids()
    found = served.json("up")
    assert set(found["processes"]) == {"runtime", "prefect", "engine", "runner-1"}
    assert served("up").stdout.count(" up") == 4
    assert served.pids() == before


def test_run_tells_every_action_and_how_it_ended(served: CommandLine) -> None:
    """One line each, exit code 0; nothing but results on stdout."""
    done = served("run")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("trivial #")
    for place in ("Source/Checkout", "One/Say", "Two/Say", "Three/Say"):
        assert any(line.startswith(f"{place} Succeeded in ") for line in lines)
    assert " Succeeded in " in lines[-1]


def test_run_as_json_is_the_tree(served: CommandLine) -> None:
    """Once, at the end."""
    tree = json.loads(served("run", "--json", "--var", "word=hello").stdout)
    assert tree["status"] == "Succeeded"
    assert tree["trigger"]["triggerType"] == "StartPipelineExecution"
    assert tree == served.json("show")


def test_run_from_below_finds_the_pipeline(served: CommandLine) -> None:
    """Like git."""
    (served.folder / "src").mkdir(exist_ok=True)
    assert served("run", cwd=served.folder / "src").returncode == 0


def test_a_wrong_variable_starts_nothing(served: CommandLine) -> None:
    """Exit code 2, with what is allowed."""
    before = served.json("list")
    done = served("run", "--var", "word=shout")
    assert (done.returncode, done.stdout) == (2, "")
    assert "allowed are hello, fail" in done.stderr
    assert served.json("list") == before


def test_mistakes_in_the_file_are_told_by_the_engine_as_they_are_by_validate(served: CommandLine) -> None:
    """With the same words."""
    with pipeline(served, TRIVIAL.replace("provider: Git", "provider: Gti")):
        told = served("run")
        assert (told.returncode, told.stderr) == (2, served("validate").stderr)


def test_a_failed_action_shows_the_end_of_its_log(served: CommandLine) -> None:
    """And where to ask why; exit code 1."""
    with pipeline(served, BROKEN):
        done = served("run")
    assert done.returncode == 1
    assert "here it breaks" in done.stdout
    assert "Work/Say Failed in " in done.stdout
    assert "penstock why " in done.stderr
    story = served("why").stdout
    assert "ended Failed" in story.splitlines()[0]
    assert "exit status 3" in story
    assert served.json("why")["decisions"][-1]["kind"] == "ExecutionFailed"


def test_an_approval_is_asked_for_and_given(served: CommandLine) -> None:
    """The run goes on by itself."""
    with pipeline(served, ASKING):
        run = served.begin("run")
        line_with(run, "Ask/Sign-off waits for an answer")
        status = served("status").stdout
        assert "Ask/Sign-off waits for you: Is it good?" in status
        done = served("approve", "-m", "looks good")
        assert (done.returncode, done.stdout) == (0, "Ask/Sign-off Approved\n")
        rest, _ = run.communicate(timeout=30)
        assert run.returncode == 0
        assert "Last/Say Succeeded" in rest
        assert served("approve").returncode == 4


def test_a_rejection_fails_it_and_a_retry_asks_again(served: CommandLine) -> None:
    """The same execution."""
    with pipeline(served, ASKING):
        execution = started(served)
        waits_for_a_person(served, execution["id"])
        assert served("reject", execution["id"][:8], "-m", "not now").returncode == 0
        assert ends(served, execution["id"])["status"] == "Failed"
        assert "rejected it: not now" in served("why", execution["id"]).stdout
        assert served("retry", execution["id"]).returncode == 0
        waits_for_a_person(served, execution["id"])
        token = served.json("show", execution["id"])["stages"][1]["actions"][0]["latest"]["token"]
        assert served("approve", "--token", token).returncode == 0
        assert ends(served, execution["id"])["status"] == "Succeeded"
        assert served("approve", "--token", token).returncode == 3


def test_a_stop_lets_what_runs_end_and_abandon_does_not(served: CommandLine) -> None:
    """Stopped either way, and neither twice."""
    with pipeline(served, SLOW + commands("Never", "true")):
        execution = started(served)
        until(lambda: "begun" in served("logs", execution["id"]).stdout, "the action runs")
        assert served("stop", execution["id"], "-m", "enough").stdout.endswith(" Stopping\n")
        assert served("stop", execution["id"]).returncode == 3
        tree = ends(served, execution["id"])
        assert (tree["status"], tree["stages"][1]["status"]) == ("Stopped", "Succeeded")
    with pipeline(served, ENDLESS):
        execution = started(served)
        until(lambda: "begun" in served("logs", execution["id"]).stdout, "the action runs")
        assert served("stop", execution["id"], "--abandon").returncode == 0
        tree = ends(served, execution["id"])
        assert (tree["status"], tree["stages"][1]["actions"][0]["status"]) == ("Stopped", "Abandoned")


def test_logs_follow_until_the_end(served: CommandLine) -> None:
    """Line by line as they come, then the outcome; the same lines afterwards without following."""
    with pipeline(served, SLOW):
        execution = started(served)
        following = served.begin("logs", "-f", execution["id"], "--action", "Say")
        assert "over" not in line_with(following, "begun")
        rest, _ = following.communicate(timeout=30)
    assert following.returncode == 0
    assert "Long/Say | " in rest
    assert "slow #" in rest
    after = served("logs", execution["id"], "--stage", "Long").stdout
    printed = [line.split()[-1] for line in after.splitlines() if "Running command" not in line]
    assert printed == ["begun", "over"]
    assert served("logs", execution["id"], "--stage", "Nowhere").returncode == 4
    first = json.loads(served("logs", execution["id"], "--json").stdout.splitlines()[0])
    assert set(first) == {"stage", "action", "attempt", "line"}


def test_ctrl_c_leaves_it_running_and_a_second_one_stops_it(served: CommandLine) -> None:
    """130 after the first; after the second it is followed to its end."""
    with pipeline(served, ENDLESS):
        run = served.begin("run")
        line_with(run, "Long/Say started")
        ctrl_c(run)
        told, _ = run.communicate(timeout=30)
        assert run.returncode == 130
        assert "goes on without you" in told
        assert served.json("show")["status"] == "InProgress"
        assert served("stop", "--abandon").returncode == 0
        ends(served, "latest")
    with pipeline(served, SLOW + commands("Never", "true")):
        run = served.begin("run")
        line_with(run, "Long/Say started")
        ctrl_c(run)
        line_with(run, "press Ctrl-C once more")
        ctrl_c(run)
        told, _ = run.communicate(timeout=30)
        assert run.returncode == 1
        assert " Stopped in " in told


def test_a_terminal_gets_a_live_picture(served: CommandLine) -> None:
    """Redrawn in place, and the outcome below it."""
    master, slave = pty.openpty()
    environment = {**served.environment, "TERM": "xterm-256color"}
    run = subprocess.Popen(
        served.command("run"), cwd=served.folder, env=environment, stdout=slave, stderr=slave, stdin=slave
    )
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 65536):
            seen += chunk
    except OSError:  # the terminal is gone when the last process that had it is
        pass
    os.close(master)
    assert run.wait(30) == 0
    shown = seen.decode()
    assert "\x1b[" in shown
    assert "✓" in shown
    assert "Three" in shown
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).rstrip().splitlines()[-1]
    assert re.fullmatch(r"trivial #\d+ Succeeded in \S+ s", last)


def test_executions_are_listed_and_found_by_many_names(served: CommandLine) -> None:
    """Number with the pipeline, id, prefix, or the latest."""
    newest = started(served)
    ends(served, newest["id"])
    listed = served.json("list", "-n", "1")["executions"]
    assert [item["id"] for item in listed] == [newest["id"]]
    assert served.json("show")["id"] == newest["id"]
    assert served.json("show", newest["id"][:6])["id"] == newest["id"]
    assert served("show", "ffffffff").returncode == 4
    assert served("list", "--pipeline", "nothing").returncode == 4
    assert served("list", "--status", "Nice").returncode == 2
    assert newest["id"][:8] in served("list", "--status", "succeeded").stdout


def test_cost_tells_what_functions_used(served: CommandLine) -> None:
    """Nothing yet, in words and as JSON; a time that is none is refused."""
    assert served("cost").stdout == "no invocation in that time\n"
    found = served.json("cost", "orders", "--since", "3 days ago")
    assert (found["functions"], found["total"]["cost"]) == ([], 0)
    assert served("cost", "--since", "soon").returncode == 2


def test_env_points_aws_clients_at_the_runtime(served: CommandLine) -> None:
    """As a shell reads it."""
    values = served.json("env")
    assert values["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    shell = " ".join(served.command("env"))
    done = subprocess.run(
        ["bash", "-c", f'eval "$({shell})" && echo $AWS_ENDPOINT_URL $AWS_REGION'],
        cwd=served.folder,
        env=served.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.split() == [values["AWS_ENDPOINT_URL"], values["AWS_REGION"]]
    assert served("invoke", "nothing").returncode == 4


def test_a_home_is_for_its_user_alone(served: CommandLine) -> None:
    """The directory, the token, the store and the logs."""
    for path in (served.home, served.home / "run", served.home / "logs"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (served.home / "token", served.home / "penstock.db"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_token_is_in_no_log_and_no_command_line(served: CommandLine) -> None:
    """Nor in the environment of what a pipeline runs."""
    token = (served.home / "token").read_text()
    with pipeline(served, PIPELINE + commands("Look", "env")):
        assert served("run").returncode == 0
    logs = [path for path in (served.home / "logs").rglob("*.log") if token in path.read_text(errors="replace")]
    assert logs == []
    assert not [line for line in served.living() if token in line]
    shown = served("logs", "--stage", "Look").stdout
    assert "PATH=" in shown
    for ours in ("PENSTOCK_HOME", "PENSTOCK_DATABASE_URL", "PREFECT_"):
        assert ours not in shown


@pytest.mark.parametrize("count", [8])
def test_many_runs_at_once_are_told_apart(served: CommandLine, count: int) -> None:
    """Each follows its own execution to its end."""
    runs = [served.begin("run") for _ in range(count)]
    ended = [run.communicate(timeout=60)[0].splitlines() for run in runs]
    assert [run.returncode for run in runs] == [0] * count
    assert len({lines[0] for lines in ended}) == count
    for lines in ended:
        number = lines[0].split()[1]
        assert lines[-1].startswith(f"trivial {number} Succeeded")

"""Commands that need no server, and mistakes on the command line."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path

import pytest

from app.cli.main import COMMANDS
from tests.fakes.command_line import TRIVIAL, CommandLine

GROUPED = (
    "hooks install",
    "hooks uninstall",
    "hooks status",
    "local invoke",
    "local start-api",
    "local start-lambda",
    "local generate-event",
)


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPED])
def test_every_command_has_help_with_an_example(penstock: CommandLine, name: str) -> None:
    """By --help and by -h."""
    done = penstock(*name.split(), "--help")
    assert done.returncode == 0
    assert penstock(*name.split(), "-h").stdout == done.stdout
    if name not in ("hooks", "local"):
        assert "Example: " in done.stdout
        assert f"penstock {name}" in done.stdout.partition("Example: ")[2]


def test_help_comes_at_once(penstock: CommandLine) -> None:
    """In less than 0.3 s of processor time, at its best of five."""
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "Commands:" in penstock("--help").stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(taken) < 0.3


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "No such command"),
        (["run", "--nonsense"], "No such option"),
        (["approve", "1", "2"], "unexpected extra argument"),
        (["list", "-n", "many"], "--limit"),
        (["invoke"], "Missing argument"),
        (["run", "--var", "word"], "'word' is not NAME=VALUE"),
        (["hooks", "nonsense"], "No such command"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(
    penstock: CommandLine, arguments: list[str], named: str
) -> None:
    """Without a traceback, and without starting anything."""
    done = penstock(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("penstock: error: ")
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert not penstock.home.exists()


@pytest.mark.parametrize("command", ["status", "list", "show", "logs", "why"])
def test_looking_where_nothing_was_run_is_not_found(penstock: CommandLine, command: str) -> None:
    """And makes no home."""
    done = penstock(command)
    assert done.returncode == 4
    assert "nothing was ever run here" in done.stderr
    assert not penstock.home.exists()


def test_down_where_nothing_runs_is_fine(penstock: CommandLine) -> None:
    """Exit code 0."""
    assert penstock("down").stdout == "nothing was running\n"
    assert penstock.json("down") == {"stopped": False}


def test_validate_says_ok_or_where_the_mistakes_are(penstock: CommandLine) -> None:
    """For every file named, as lines or as JSON; exit code 2."""
    assert penstock("validate").stdout == f"{penstock.folder / 'pipeline.yaml'}: ok\n"
    penstock.write(TRIVIAL.replace("provider: Git", "provider: Gti"), "bad.yaml")
    done = penstock("validate", "pipeline.yaml", "bad.yaml", "none.yaml")
    assert done.returncode == 4
    assert done.stdout == "pipeline.yaml: ok\n"
    lines = done.stderr.splitlines()
    assert lines[0].startswith("bad.yaml:8:")
    assert "did you mean 'Git'" in lines[0]
    assert "none.yaml" in lines[1]
    found = penstock.json("validate", "bad.yaml")
    assert (found["ok"], found["mistakes"][0]["line"]) == (False, 8)
    assert penstock("validate", "bad.yaml").returncode == 2


def test_a_file_with_mistakes_starts_no_server(penstock: CommandLine) -> None:
    """They are told at once."""
    penstock.write("version: 2\n")
    done = penstock("run")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{penstock.folder / 'pipeline.yaml'}:1:")
    assert not (penstock.home / "run").exists()


def test_a_file_that_is_not_there_is_not_found(penstock: CommandLine) -> None:
    """Exit code 4."""
    done = penstock("run", "--file", "other.yaml")
    assert done.returncode == 4
    assert "there is no" in done.stderr


def test_the_schema_accepts_the_pipeline(penstock: CommandLine) -> None:
    """And is JSON, and refuses an unknown key."""
    import jsonschema
    import yaml

    judge = jsonschema.Draft202012Validator(json.loads(penstock("schema").stdout))
    good = yaml.safe_load(TRIVIAL)
    assert judge.is_valid(good)
    assert not judge.is_valid({**good, "stagse": []})


def test_version(penstock: CommandLine) -> None:
    """As a command and as an option."""
    assert penstock("version").stdout.startswith("penstock ")
    assert penstock("--version").stdout == penstock("version").stdout
    assert set(penstock.json("version")) == {"version"}


def test_hooks_come_and_go(penstock: CommandLine) -> None:
    """In the repository one stands in, or the one named; not where there is none."""
    assert penstock("hooks", "install").returncode == 4
    penstock.make_repository()
    assert {hook["state"] for hook in penstock.json("hooks", "status")["hooks"]} == {"absent"}
    installed = penstock("hooks", "install", str(penstock.folder))
    assert installed.returncode == 0
    assert "post-commit" in installed.stdout
    assert {hook["state"] for hook in penstock.json("hooks", "status")["hooks"]} == {"installed"}
    assert {hook["state"] for hook in penstock.json("hooks", "uninstall")["hooks"]} == {"absent"}


def test_a_home_that_cannot_be_made_is_an_error_not_a_crash(penstock: CommandLine) -> None:
    """With its place."""
    (penstock.folder / "file").touch()
    done = penstock("up", env={"PENSTOCK_HOME": str(penstock.folder / "file" / "home")})
    assert done.returncode == 1
    assert "the directory cannot be made" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_store_is_an_error_not_a_crash(penstock: CommandLine) -> None:
    """For commands that read it directly."""
    penstock.home.mkdir()
    (penstock.home / "penstock.db").write_bytes(b"no database at all" * 100)
    done = penstock("list")
    assert done.returncode == 1
    assert done.stderr.startswith("penstock: error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_of_another_alphabet_is_no_crash(penstock: CommandLine, encoding: str) -> None:
    """What it cannot show becomes a question mark."""
    penstock.write(TRIVIAL, "\N{SNOWMAN}.yaml")
    done = penstock("validate", "\N{SNOWMAN}.yaml", env={"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stdout, done.stderr) == (0, "?.yaml: ok\n", "")


def test_a_reader_that_leaves_is_no_crash(penstock: CommandLine) -> None:
    """`penstock schema | head -1`."""
    shell = " ".join(CommandLine.command("schema")) + " | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell}"],
        cwd=penstock.folder,
        env=penstock.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "{\n"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_users_own_packages_do_not_get_in_the_way(tmp_path: Path) -> None:
    """A project with an `app` or a `core` of its own."""
    penstock = CommandLine(tmp_path / "work")
    for name in ("app", "core", "store"):
        (penstock.folder / name).mkdir()
        (penstock.folder / name / "__init__.py").write_text("raise SystemExit('the wrong one')")
    assert penstock("validate").returncode == 0

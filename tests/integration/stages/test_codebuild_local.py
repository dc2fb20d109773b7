"""CodeBuild on this machine: real shells, real processes."""

from __future__ import annotations

import os
import textwrap
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.outcome import Abandoned, Failed, Outcome, Succeeded
from core.process_scan import members
from stages import registry
from tests.fakes.actions import Action, dependencies

SHELLS = pytest.mark.parametrize("shell", ["sh", "bash"])


def source_of(tmp_path: Path, buildspec: str = "") -> Path:
    source = tmp_path / "source"
    source.mkdir(exist_ok=True)
    (source / "a.txt").write_text("a")
    (source / "sub").mkdir(exist_ok=True)
    if buildspec:
        (source / "buildspec.yml").write_text(textwrap.dedent(buildspec))
    return source


def built(tmp_path: Path, buildspec: str, **changes: Any) -> tuple[Outcome, Action]:
    """What became of a build of the source with `buildspec`, and the action with its log."""
    action = Action(tmp_path, {"App": source_of(tmp_path, buildspec)})
    return registry.create("CodeBuild", dependencies(tmp_path / "home")).run(action.context(**changes)), action


def spec(*commands: str, shell: str = "sh", more: str = "") -> str:
    """A buildspec with those commands in its build phase."""
    listed = "".join(f"      - |\n{textwrap.indent(command, '        ')}\n" for command in commands)
    return f"version: 0.2\nenv:\n  shell: {shell}\n{more}phases:\n  build:\n    commands:\n{listed}"


def printed(action: Action) -> list[str]:
    """What the commands wrote: the log without CodeBuild's own lines and the texts of the commands."""
    lines: list[str] = []
    own = False
    for line in action.log:
        own = line.startswith("[Container]") or (own and not line.startswith("> "))
        if not own:
            lines.append(line.removeprefix("> "))
    return lines


@SHELLS
def test_one_session_keeps_directory_variables_functions_and_options(tmp_path: Path, shell: str) -> None:
    outcome, action = built(
        tmp_path,
        spec(
            "cd sub",
            "export A=1; B=2",
            'greet() { echo "> hello $1"; }',
            "set -u",
            "greet you",
            'echo "> $(basename "$PWD") $A $B"',
            'echo "> ${UNSET}"',
            shell=shell,
        ),
    )
    assert printed(action) == ["hello you", "sub 1 2"]
    assert isinstance(outcome, Failed), "set -u of an earlier command holds"
    assert outcome.code == "BuildFailed"


@SHELLS
def test_exit_ends_the_shell_and_the_next_one_goes_on_from_there(tmp_path: Path, shell: str) -> None:
    """Directory and exported variables stay; `exit 0` is a success, any other number a failure."""
    text = (
        spec(
            "cd sub; export KEPT='a \"b\"\n c'; exit 0",
            'echo "> $(basename "$PWD") $KEPT"',
            "exit 3",
            "echo '> not reached'",
            shell=shell,
        )
        + '    finally:\n      - echo "> finally in $(basename "$PWD") with $CODEBUILD_BUILD_SUCCEEDING"\n'
    )
    outcome, action = built(tmp_path, text)
    assert printed(action)[0] == 'sub a "b"'
    assert printed(action)[-1] == "finally in sub with 0"
    assert "> not reached" not in printed(action)
    assert isinstance(outcome, Failed)
    assert (
        "BUILD: COMMAND_EXECUTION_ERROR: Error while executing command: exit 3. Reason: exit status 3"
        in outcome.message
    )


@SHELLS
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("set -e; false; true", "1"),
        ("kill -9 $$", "137"),
        ("no-such-program-anywhere", "127"),
        ("false", "1"),
        ("true && false; (exit 7)", "7"),
        ("trap 'echo bye' EXIT; exit 4", "4"),
        ("exec sh -c 'exit 5'", "5"),
    ],
)
def test_however_a_command_fails_its_status_is_told_and_finally_runs(
    tmp_path: Path, shell: str, command: str, status: str
) -> None:
    text = spec(command, shell=shell) + "    finally: ['echo \"> finally\"']\n"
    outcome, action = built(tmp_path, text)
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith(f"Reason: exit status {status}")
    assert printed(action)[-1] == "finally"


@SHELLS
def test_a_syntax_error_fails_its_command_alone(tmp_path: Path, shell: str) -> None:
    outcome, action = built(tmp_path, spec("if true; then", shell=shell) + "    finally: ['echo \"> finally\"']\n")
    assert isinstance(outcome, Failed)
    assert "Error while executing command: if true; then. Reason: exit status" in outcome.message
    assert printed(action)[-1] == "finally"


@SHELLS
def test_only_the_last_command_of_several_lines_counts_unless_set_e(tmp_path: Path, shell: str) -> None:
    assert isinstance(built(tmp_path, spec("false\ntrue", shell=shell))[0], Succeeded)


@SHELLS
def test_lines_come_as_they_were_written(tmp_path: Path, shell: str) -> None:
    """Unfinished lines, empty ones, very long ones, and bytes that are no text; standard input is empty."""
    outcome, action = built(
        tmp_path,
        spec(
            "printf '> no end'",
            "printf '> \\n\\n> after an empty line\\n\\n'",
            "head -c 200000 /dev/zero | tr '\\0' x",
            "printf '> \\377\\n'",
            "cat; echo '> read nothing'",
            "echo '> to stderr' >&2",
            shell=shell,
        ),
    )
    assert isinstance(outcome, Succeeded)
    assert sum(len(line) for line in action.log if set(line) == {"x"}) == 200_000
    lines = [line for line in action.log if not line.startswith("[Container]") and set(line) != {"x"}]
    assert lines == ["> no end", "> ", "", "> after an empty line", "", "> \ufffd", "> read nothing", "> to stderr"]


@SHELLS
def test_tracing_shows_the_users_commands_and_not_ours(tmp_path: Path, shell: str) -> None:
    outcome, action = built(tmp_path, spec("set -x", "true one", "true two", shell=shell))
    assert isinstance(outcome, Succeeded)
    traced = [line.lstrip("+ ") for line in action.log if line.startswith("+")]
    assert traced == ["true one", "true two"]


@SHELLS
def test_redirecting_the_whole_shell_does_not_lose_it(tmp_path: Path, shell: str) -> None:
    outcome, action = built(tmp_path, spec("exec >out.txt 2>&1", "echo into the file", "exit 6", shell=shell))
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith("exit status 6")
    assert "into the file" not in action.log


@SHELLS
def test_exported_variables_are_read_at_the_end_exported_or_not(tmp_path: Path, shell: str) -> None:
    more = "  variables: {FROM_SPEC: spec}\n  exported-variables: [PLAIN, LINES, FROM_SPEC, NEVER, EMPTY]\n"
    outcome, action = built(
        tmp_path,
        spec("PLAIN=1", "export LINES='one\n\"two\" $x'", "PLAIN=2; EMPTY=", shell=shell, more=more),
    )
    assert isinstance(outcome, Succeeded)
    assert outcome.variables == {"PLAIN": "2", "LINES": 'one\n"two" $x', "FROM_SPEC": "spec", "EMPTY": ""}
    assert "Exported variable NEVER is not set" in action.text()


def test_the_environment_is_made_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours leaks in; HOME and TMPDIR are the build's own."""
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    outcome, action = built(
        tmp_path,
        spec("env -0 | tr '\\n\\0' ' \\n' | sed 's/^/> /'"),
        configuration={"environmentVariables": [{"name": "MODE", "value": "fast"}]},
        source_revisions={"Checkout": "c0ffee"},
    )
    assert isinstance(outcome, Succeeded)
    found = dict(line.split("=", 1) for line in printed(action))
    workspace = tmp_path / "workspace" / "build"
    assert found.pop("CODEBUILD_START_TIME").isdigit()
    arn = "arn:aws:codebuild:us-east-1:123456789012"
    project = "orders-Stage-Action"
    build = f"{project}:22222222-2222-4222-8222-222222222222"
    assert {name: value for name, value in found.items() if name not in ("_", "SHLVL", "OLDPWD")} == {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "LANG": "C.UTF-8",
        "MODE": "fast",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(workspace / "home"),
        "TMPDIR": str(workspace / "tmp"),
        "CODEBUILD_BUILD_ARN": f"{arn}:build/{build}",
        "CODEBUILD_BUILD_ID": build,
        "CODEBUILD_BUILD_IMAGE": "local",
        "CODEBUILD_BUILD_NUMBER": "1",
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_INITIATOR": "codepipeline/orders",
        "CODEBUILD_LOG_PATH": build.split(":")[1],
        "CODEBUILD_PROJECT_ARN": f"{arn}:project/{project}",
        "CODEBUILD_RESOLVED_SOURCE_VERSION": "c0ffee",
        "CODEBUILD_SOURCE_VERSION": "c0ffee",
        "CODEBUILD_SRC_DIR": str(workspace / "src" / "App"),
        "PENSTOCK_ACTION_TAG": f"test-{tmp_path.name}",
        "PWD": str(workspace / "src" / "App"),
    }


def test_a_build_works_on_its_own_copy_and_makes_artifacts_of_it(tmp_path: Path) -> None:
    text = spec("echo changed >a.txt; mkdir dist; echo made >dist/out.js; ln -s out.js dist/latest.js")
    outcome, action = built(
        tmp_path, text + "artifacts: {files: ['**/*'], base-directory: dist}\n", output_artifacts=("Out",)
    )
    assert isinstance(outcome, Succeeded)
    assert {file.name: file.read_text() for file in outcome.artifacts["Out"].iterdir()} == {
        "latest.js": "made\n",
        "out.js": "made\n",
    }
    assert (tmp_path / "inputs" / "App" / "a.txt").read_text() == "a"
    assert outcome.external_id == "orders-Stage-Action:22222222-2222-4222-8222-222222222222"
    assert action.reports == [{"summary": "BUILD"}]
    assert outcome.summary == "build 1 succeeded"


def test_the_buildspec_may_be_inline_or_another_file(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    (source / "ci").mkdir()
    (source / "ci" / "build.yml").write_text(spec("echo '> from the file'"))
    for where, told in ((spec("echo '> inline'"), "inline"), ("ci/build.yml", "from the file")):
        outcome, action = built(tmp_path, "", configuration={"buildspec": where}, workspace=fresh(tmp_path))
        assert isinstance(outcome, Succeeded)
        assert printed(action) == [told]
    for missing in ("", "nowhere.yml", "ci", "../x.yml"):
        outcome, _ = built(tmp_path, "", configuration={"buildspec": missing}, workspace=fresh(tmp_path))
        assert isinstance(outcome, Failed)
        assert outcome.message.startswith("DOWNLOAD_SOURCE: YAML_FILE_ERROR: ")


def test_several_inputs_need_a_primary_one_and_the_others_have_their_places(tmp_path: Path) -> None:
    source = source_of(tmp_path, spec('echo "> $(basename "$PWD") $(cat "$CODEBUILD_SRC_DIR_Lib/lib.txt")"'))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "lib.txt").write_text("the lib")
    action = Action(tmp_path, {"App": source, "Lib": tmp_path / "lib"})
    provider = registry.create("CodeBuild", dependencies(tmp_path / "home"))
    refused = provider.run(action.context(workspace=fresh(tmp_path)))
    assert isinstance(refused, Failed)
    assert "one must be the primarySource" in refused.message
    outcome = provider.run(action.context(configuration={"primarySource": "App"}, workspace=fresh(tmp_path)))
    assert isinstance(outcome, Succeeded)
    assert printed(action) == ["App the lib"]


def test_a_wanted_runtime_is_put_first_or_fails_the_install(tmp_path: Path) -> None:
    text = "phases:\n  install:\n    runtime-versions: {python: 3.x}\n    commands: ['python --version']\n"
    outcome, action = built(tmp_path, f"version: 0.2\n{text}")
    assert isinstance(outcome, Succeeded)
    assert "Selecting 'python' runtime version '3.x': Python 3." in action.text()
    missing = text.replace("3.x", "2.6")
    outcome, _ = built(tmp_path, f"version: 0.2\n{missing}", workspace=fresh(tmp_path))
    assert isinstance(outcome, Failed)
    assert "INSTALL: YAML_FILE_ERROR: Unknown runtime version named '2.6' of python. This machine has: Python 3." in (
        outcome.message
    )


def test_builds_of_an_action_are_numbered_and_one_started_again_keeps_its_number(tmp_path: Path) -> None:
    numbers = []
    for attempt in ("one", "one", "two"):
        _, action = built(
            tmp_path,
            spec('echo "> $CODEBUILD_BUILD_NUMBER"'),
            action_execution_id=attempt,
            workspace=fresh(tmp_path),
        )
        numbers += printed(action)
    assert numbers == ["1", "1", "2"]


def test_what_runs_in_the_background_ends_with_the_build(tmp_path: Path) -> None:
    """A server that the build started serves its later commands, and is gone afterwards."""
    commands = ("sleep 300 & echo $! >pid", 'kill -0 "$(cat pid)" && echo "> alive"')
    started = time.monotonic()
    outcome, action = built(tmp_path, spec(*commands))
    assert isinstance(outcome, Succeeded)
    assert printed(action) == ["alive"]
    assert members(None, f"test-{tmp_path.name}") == set()
    assert time.monotonic() - started < 5


def test_a_deadline_ends_the_build_with_everything_it_started(tmp_path: Path) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=0.6)
    text = spec("sleep 301 & sleep 302") + "    finally: ['echo \"> finally\"']\n"
    outcome, action = built(tmp_path, text, deadline=deadline)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.message) == ("BuildTimedOut", "BUILD: BUILD_TIMED_OUT: Build has timed out.")
    assert printed(action) == []
    assert members(None, f"test-{tmp_path.name}") == set()


def test_a_stop_ends_the_build_soon(tmp_path: Path) -> None:
    """Somebody stops the pipeline while a command runs; the log shows that it had begun."""
    action = Action(tmp_path, {"App": source_of(tmp_path, spec("echo '> begun'; sleep 303"))})
    provider = registry.create("CodeBuild", dependencies(tmp_path / "home"))
    outcomes: list[Outcome] = []
    running = threading.Thread(target=lambda: outcomes.append(provider.run(action.context())))
    running.start()
    until = time.monotonic() + 20
    while "> begun" not in action.log and time.monotonic() < until:
        os.sched_yield()
    action.stop = "stopped by Ada"
    running.join(20)
    assert outcomes == [Abandoned("stopped by Ada")]
    assert members(None, f"test-{tmp_path.name}") == set()


def test_a_log_that_cannot_be_written_ends_the_build_instead_of_hanging(tmp_path: Path) -> None:
    """As on a full disk, while a command goes on writing."""
    action = Action(tmp_path, {"App": source_of(tmp_path, spec("while :; do echo '> more'; done"))})

    def full(line: str) -> None:
        if line == "> more":
            raise OSError(28, "No space left on device")

    provider = registry.create("CodeBuild", dependencies(tmp_path / "home"))
    outcome = provider.run(action.context(log=full))
    assert isinstance(outcome, Failed)
    assert outcome.code == "BuildFault"
    assert "No space left on device" in outcome.message
    assert members(None, f"test-{tmp_path.name}") == set()


def test_version_0_1_keeps_no_state_between_commands(tmp_path: Path) -> None:
    commands = '[cd sub && A=1, \'echo "> $(basename "$PWD") ${A-unset}"\', exit 0, \'echo "> still here"\']'
    outcome, action = built(tmp_path, f"version: 0.1\nphases: {{build: {{commands: {commands}}}}}\n")
    assert isinstance(outcome, Succeeded)
    assert printed(action) == ["App unset", "still here"]


def test_a_shell_that_is_not_there_is_told(tmp_path: Path) -> None:
    action = Action(tmp_path, {"App": source_of(tmp_path, spec("true", shell="bash"))})
    bare = tmp_path / "bin"
    bare.mkdir()
    provider = registry.create("CodeBuild", dependencies(tmp_path / "home", base_environment={"PATH": str(bare)}))
    outcome = provider.run(action.context())
    assert isinstance(outcome, Failed)
    assert "the shell bash is not there" in action.log


def fresh(tmp_path: Path) -> Path:
    """Another empty workspace."""
    workspace = tmp_path / f"workspace-{len(list(tmp_path.glob('workspace-*')))}"
    workspace.mkdir()
    return workspace

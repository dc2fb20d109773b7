"""The Commands provider: real commands without a buildspec."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.outcome import Abandoned, Failed, Outcome, Succeeded
from stages import registry
from tests.fakes.actions import Action, dependencies


@pytest.fixture
def action(tmp_path: Path) -> Action:
    for name in ("app", "lib"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    return Action(tmp_path, {"App": tmp_path / "app", "Lib": tmp_path / "lib"})


def performed(action: Action, *commands: str, **changes: Any) -> Outcome:
    provider = registry.create("Commands", dependencies(action.root / "home"))
    return provider.run(action.context(commands=commands, **changes))


def test_commands_share_one_shell_in_the_first_input(action: Action) -> None:
    outcome = performed(
        action,
        'cat app.txt "$CODEBUILD_SRC_DIR_Lib/lib.txt"',
        "export A=1; mkdir made; cd made",
        'echo " $A $MODE $(basename "$PWD") $CODEBUILD_RESOLVED_SOURCE_VERSION"',
        environment={"MODE": "fast"},
        source_revisions={"Checkout": "c0ffee"},
    )
    assert outcome == Succeeded("3 commands succeeded")
    said = [line for line in action.log if not line.startswith("[Container]")]
    assert said == ["applib", " 1 fast made c0ffee"]
    assert not (action.root / "inputs" / "App" / "made").exists()


def test_the_first_failing_command_is_the_last(action: Action) -> None:
    outcome = performed(action, "true", "exit 3", "echo never")
    assert outcome == Failed("CommandFailed", "Error while executing command: exit 3. Reason: exit status 3")
    assert "never" not in action.log


def test_another_input_may_be_the_primary_one(action: Action) -> None:
    assert isinstance(performed(action, "test -f lib.txt", configuration={"primarySource": "Lib"}), Succeeded)
    refused = performed(action, "true", configuration={"primarySource": "Other"})
    assert isinstance(refused, Failed)
    assert refused.code == "ConfigurationError"


def test_output_variables_are_read_from_the_shell(action: Action) -> None:
    outcome = performed(action, "VERSION=$(cat app.txt)-2; export OTHER=x", output_variables=("VERSION", "OTHER"))
    assert outcome == Succeeded("1 command succeeded", {"VERSION": "app-2", "OTHER": "x"})


def test_an_output_variable_nobody_set_fails_the_action(action: Action) -> None:
    outcome = performed(action, "A=1", output_variables=("A", "VERSION"))
    assert outcome == Failed("OutputVariablesMissing", "the commands did not set VERSION", {"A": "1"})


def test_files_of_the_artifact_are_chosen_by_patterns_or_all_are(action: Action) -> None:
    made = performed(
        action, "mkdir dist; echo 1 >dist/a.js", output_artifacts=("Out",), configuration={"files": ["dist/*.js"]}
    )
    assert isinstance(made, Succeeded)
    assert [path.relative_to(made.artifacts["Out"]).as_posix() for path in made.artifacts["Out"].rglob("*.*")] == [
        "dist/a.js"
    ]


def test_without_patterns_everything_is_the_artifact(action: Action) -> None:
    made = performed(action, "echo 1 >new.txt", output_artifacts=("Out",))
    assert isinstance(made, Succeeded)
    assert sorted(path.name for path in made.artifacts["Out"].iterdir()) == ["app.txt", "new.txt"]


def test_files_that_are_not_there_fail_the_action(action: Action) -> None:
    outcome = performed(action, "true", output_artifacts=("Out",), configuration={"files": ["*.jar"]})
    assert outcome == Failed("ArtifactsMissing", "no matching artifact paths found for *.jar")


def test_files_outside_the_source_are_refused_even_when_a_variable_named_them(action: Action) -> None:
    outcome = performed(action, "true", output_artifacts=("Out",), configuration={"files": ["/etc/passwd"]})
    assert isinstance(outcome, Failed)
    assert outcome.code == "ConfigurationError"


def test_a_deadline_ends_it(action: Action) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=0.3)
    late = performed(action, "sleep 304", deadline=deadline)
    assert late == Failed("TimedOut", "the time was over while this command ran: sleep 304")


def test_a_stop_ends_it(action: Action) -> None:
    action.stop = "stopped by Ada"
    assert performed(action, "sleep 305") == Abandoned("stopped by Ada")

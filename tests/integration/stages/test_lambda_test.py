"""LambdaTest against the local runtime: functions are really made, invoked and deleted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from core.errors import Unavailable
from core.outcome import Abandoned, Failed, Outcome, Succeeded
from deploy.targets import Target
from stages import registry
from stages.local_test.run import throw_away_name
from tests.fakes.actions import Action, dependencies
from tests.fakes.runtime_process import RuntimeProcess, client

ROOT = Path(__file__).parents[3]
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, CodeUri: src/, Environment: {Variables: {RATE: "2"}}}}
Resources:
  Double: {Type: AWS::Serverless::Function, Properties: {Handler: app.double}}
  Crash: {Type: AWS::Serverless::Function, Properties: {Handler: app.crash}}
"""
CODE = """
import os
def double(event, context):
    return {"result": event["number"] * int(os.environ["RATE"]), "function": context.function_name}
def crash(event, context):
    raise ValueError("no " + event["word"])
"""
ID = "22222222-2222-4222-8222-222222222222"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local runtime in a process of its own."""
    server = RuntimeProcess(tmp_path_factory.mktemp("runtime") / "home")
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "package"
    (root / "src").mkdir(parents=True)
    (root / "events").mkdir()
    (root / "template.yaml").write_text(TEMPLATE)
    (root / "src" / "app.py").write_text(CODE)
    return root


def write(package: Path, **events: Any) -> None:
    for name, event in events.items():
        (package / "events" / f"{name.replace('__', '.')}.json").write_text(json.dumps(event))


def outcome_of(tmp_path: Path, endpoint: str, configuration: dict[str, str], **changes: Any) -> tuple[Outcome, Action]:
    action = Action(tmp_path, {"Package": tmp_path / "package"})
    given = dependencies(
        tmp_path / "home", targets=lambda name, _spec: Target(name, "eu-west-1", endpoint, None, "test", "test")
    )
    context = action.context(configuration={"events": "events", **configuration}, **changes)
    return registry.create("LambdaTest", given).run(context), action


def functions(endpoint: str) -> list[str]:
    """What is on the target."""
    service = client("lambda", endpoint)
    return [function["FunctionName"] for function in service.list_functions()["Functions"]]


def test_events_that_are_answered_as_expected_pass(tmp_path: Path, endpoint: str, package: Path) -> None:
    """Two functions, one of them expected to fail; nothing is left on the target."""
    write(
        package,
        bare={"number": 4},
        bare__expected={"result": 8},
        exact={
            "event": {"number": 1},
            "expect": {"payload": {"result": 2, "function": throw_away_name(ID, "Double")}, "exact": True},
        },
        crash={
            "name": "a crash",
            "function": "Crash",
            "event": {"word": "way"},
            "expect": {"functionError": "Unhandled", "errorType": "ValueError", "errorMessage": "no way"},
        },
    )
    outcome, action = outcome_of(tmp_path, endpoint, {"function": "Double"}, output_artifacts=("Report",))
    assert isinstance(outcome, Succeeded), action.text()
    assert (outcome.summary, outcome.variables) == ("3 event tests passed", {"TestsFailed": "0", "TestsTotal": "3"})
    [suite] = JUnitXml.fromfile(str(outcome.artifacts["Report"] / "junit.xml"))
    assert sorted(case.name for case in suite) == ["a crash", "bare", "exact"]
    assert functions(endpoint) == []


def test_a_different_answer_fails_with_its_differences_and_the_functions_log(
    tmp_path: Path, endpoint: str, package: Path
) -> None:
    write(
        package,
        good={"event": {"number": 1}, "function": "Double"},
        less={"event": {"number": 2}, "function": "Double", "expect": {"payload": {"result": 5}}},
        crash={"event": {"word": "way"}, "function": "Crash"},
    )
    outcome, action = outcome_of(tmp_path, endpoint, {})
    assert outcome == Failed(
        "TestsFailed",
        "2 of 3 event tests failed: crash (Crash): function error Unhandled: ValueError: no way; "
        "less (Double): payload.result: expected 5, got 4",
        {"TestsFailed": "2", "TestsTotal": "3"},
    )
    assert "ValueError: no way" in "\n".join(line for line in action.log if line.startswith("        |"))
    assert (tmp_path / "workspace" / "report" / "junit.xml").exists()
    assert functions(endpoint) == []


def test_a_function_that_a_crash_left_behind_is_replaced(tmp_path: Path, endpoint: str, package: Path) -> None:
    """The name is the same for every start of an attempt."""
    write(package, bare={"number": 4})
    name = throw_away_name(ID, "Double")
    first = subprocess.Popen([sys.executable, "-c", _LEAVE_BEHIND, endpoint, name, str(package)], cwd=ROOT)
    assert first.wait(60) == 0
    assert functions(endpoint) == [name]
    outcome, _ = outcome_of(tmp_path, endpoint, {"function": "Double"})
    assert isinstance(outcome, Succeeded)
    assert functions(endpoint) == []


_LEAVE_BEHIND = """
import sys
from pathlib import Path
from core.clock import SystemClock
from deploy.package.bundle import bundle
from deploy.ports import FunctionSettings
from deploy.targets import Target
from stages.local_test.functions import ThrowAwayFunctions
endpoint, name, package = sys.argv[1:]
zipped = Path(package).parent / "old.zip"
bundle(Path(package) / "src", zipped, handler="app.crash", runtime="python3.11")
service = ThrowAwayFunctions(Target("local", "eu-west-1", endpoint, None, "test", "test"), SystemClock())
settings = FunctionSettings("app.crash", "python3.11", role="arn:aws:iam::123456789012:role/x")
service.create(name, settings, zipped.read_bytes(), lambda: "")
"""


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"events": "nothing"}, "there is no event file in 'nothing'"),
        ({"template": "t.yml"}, "the input artifact has no t.yml"),
        ({}, "the template has several functions, and the event does not say which it is for"),
        ({"function": "Dubble"}, "the template has no function 'Dubble'; did you mean 'Double'?"),
        ({"target": "lokal"}, "there is no target 'lokal'; did you mean 'local'?"),
    ],
)
def test_mistakes_are_told_before_any_function_is_made(
    tmp_path: Path, endpoint: str, package: Path, configuration: dict[str, str], message: str
) -> None:
    write(package, bare={"number": 4})
    outcome, action = outcome_of(tmp_path, endpoint, configuration)
    assert isinstance(outcome, Failed)
    assert outcome.code == "ConfigurationError"
    assert message in outcome.message
    assert action.log == []


def test_a_stop_and_a_deadline_leave_nothing_behind(tmp_path: Path, endpoint: str, package: Path) -> None:
    write(package, one={"number": 1}, two={"number": 2})
    answers = iter(["", ""])
    stopped, _ = outcome_of(
        tmp_path, endpoint, {"function": "Double"}, stop_requested=lambda: next(answers, "stopped by Ada")
    )
    assert stopped == Abandoned("stopped by Ada")
    assert functions(endpoint) == []
    late, _ = outcome_of(tmp_path, endpoint, {"function": "Double"}, deadline=datetime.now(UTC))
    assert isinstance(late, Failed)
    assert late.code == "TimedOut"


def test_a_target_that_does_not_answer_is_our_failure(tmp_path: Path, package: Path) -> None:
    write(package, bare={"number": 4})
    with pytest.raises(Unavailable, match="does not answer"):
        outcome_of(tmp_path, "http://127.0.0.1:9", {"function": "Double"})

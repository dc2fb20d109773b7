"""A whole build on a scripted environment: which commands run in which order, and what the build says of itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.clock import VirtualClock
from stages.build import buildspec
from stages.build.environment.base import Ended, EnvironmentFailed
from stages.build.execution import Build, BuildResult, Job
from stages.build.log import BuildLog
from stages.build.phases import Status
from tests.fakes.build_environments import ScriptedEnvironment

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOUR = """
version: 0.2
phases:
  install: {commands: [install-it], finally: [install-finally]}
  pre_build: {commands: [prepare-it], finally: [prepare-finally]}
  build: {commands: [build-1, build-2], finally: [build-finally]}
  post_build: {commands: [post-it], finally: [post-finally]}
"""


ERROR = "Error while executing command:"


class Workbench:
    """One build with everything it touches."""

    def __init__(self, root: Path) -> None:
        self.source = root / "src" / "App"
        self.source.mkdir(parents=True)
        self.environment = ScriptedEnvironment(root)
        self.log: list[str] = []
        self.stop = ""
        self.deadline: datetime | None = None
        self.clock = VirtualClock(NOW)

    def build(self, spec: str, *, outputs: tuple[str, ...] = ()) -> BuildResult:
        job = Job(
            primary="App",
            fetch=lambda: {"App": self.source},
            read=lambda _source: buildspec.parse(spec, "buildspec.yml"),
            own_variables=lambda _sources: {"CODEBUILD_BUILD_SUCCEEDING": "1", "AWS_REGION": "eu-west-1"},
            overrides={"MODE": "from the project"},
            outputs=outputs,
            mark="mark-1",
            check_runtimes=True,
            should_stop=lambda: self.stop,
            deadline=self.deadline,
            entered=lambda phase: self.log.append(f"entered {phase}"),
        )
        return Build(job, self.environment, BuildLog(self.log.append, self.clock), self.clock).run()

    def ran(self, *failing: str, spec: str = FOUR) -> tuple[Status, list[str]]:
        """The status and the user's commands that ran, when those `failing` exit with 1."""
        self.environment.statuses = dict.fromkeys(failing, 1)
        status = self.build(spec).progress.status
        return status, [command for command in self.environment.ran if not command.startswith("export CODEBUILD")]


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def test_a_good_build_runs_everything_in_order(bench: Workbench) -> None:
    status, ran = bench.ran()
    assert status is Status.SUCCEEDED
    assert ran == [
        *("install-it", "install-finally", "prepare-it", "prepare-finally"),
        *("build-1", "build-2", "build-finally", "post-it", "post-finally"),
    ]
    assert bench.environment.closed == 1


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        ("install-it", ["install-it", "install-finally"]),
        ("install-finally", ["install-it", "install-finally"]),
        ("prepare-it", ["install-it", "install-finally", "prepare-it", "prepare-finally"]),
    ],
)
def test_a_failed_install_or_pre_build_ends_the_build_after_its_finally(
    bench: Workbench, failing: str, expected: list[str]
) -> None:
    assert bench.ran(failing) == (Status.FAILED, expected)


def test_a_failed_build_still_runs_post_build_and_says_so(bench: Workbench) -> None:
    """The rest of the commands is skipped; `finally` and post_build see CODEBUILD_BUILD_SUCCEEDING=0."""
    status, ran = bench.ran("build-1")
    assert status is Status.FAILED
    assert ran[4:] == ["build-1", "build-finally", "post-it", "post-finally"]
    commands = bench.environment.ran
    assert commands.index("export CODEBUILD_BUILD_SUCCEEDING=0") == commands.index("build-1") + 1
    assert commands.count("export CODEBUILD_BUILD_SUCCEEDING=1") == 0


def test_on_failure_decides_what_follows_but_not_the_status(bench: Workbench) -> None:
    goes_on = FOUR.replace("install: {", "install: {on-failure: CONTINUE, ")
    status, ran = bench.ran("install-it", spec=goes_on)
    assert (status, ran[-1], "build-2" in ran) == (Status.FAILED, "post-finally", True)


def test_abort_leaves_post_build_and_the_artifacts_out(bench: Workbench) -> None:
    spec = FOUR.replace("  build: {", "  build: {on-failure: ABORT, ") + "artifacts: {files: [x]}\n"
    bench.environment.statuses = {"build-2": 2}
    result = bench.build(spec, outputs=("Out",))
    assert bench.environment.ran[-1] == "build-finally"
    assert result.artifacts == {}
    [failed] = result.progress.reasons
    assert failed.context.code == "COMMAND_EXECUTION_ERROR"
    assert failed.context.message == "Error while executing command: build-2. Reason: exit status 2"


def test_artifacts_are_tried_after_a_failed_build_and_their_lack_is_one_more_failure(bench: Workbench) -> None:
    bench.environment.statuses = {"build-1": 1}
    result = bench.build(FOUR + "artifacts: {files: [x]}\n", outputs=("Out",))
    assert [each.context.code for each in result.progress.reasons] == ["COMMAND_EXECUTION_ERROR", "CLIENT_ERROR"]
    assert result.progress.reasons[1].context.message == "no matching artifact paths found for x"


def test_one_output_is_the_artifacts_and_several_are_the_secondary_artifacts(bench: Workbench) -> None:
    (bench.source / "a").write_text("a")
    (bench.source / "b").write_text("b")
    spec = FOUR + "artifacts: {files: [a], secondary-artifacts: {One: {files: [a]}, Two: {files: [b]}}}\n"
    result = bench.build(spec, outputs=("Two", "One"))
    assert {name: [file.name for file in folder.iterdir()] for name, folder in result.artifacts.items()} == {
        "One": ["a"],
        "Two": ["b"],
    }
    assert [file.name for file in bench.build(spec, outputs=("Any",)).artifacts["Any"].iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("outputs", "artifacts", "message"),
    [
        (("Out",), "", "the buildspec has no 'artifacts' for the output artifact Out"),
        (("A", "B"), "artifacts: {files: [a], secondary-artifacts: {A: {files: [a]}}}\n", "no 'secondary-artifacts'"),
    ],
)
def test_an_output_the_buildspec_does_not_make_is_told_before_any_command(
    bench: Workbench, outputs: tuple[str, ...], artifacts: str, message: str
) -> None:
    result = bench.build(FOUR + artifacts, outputs=outputs)
    [failed] = result.progress.reasons
    assert (failed.phase, failed.context.code) == ("DOWNLOAD_SOURCE", "YAML_FILE_ERROR")
    assert message in failed.context.message
    assert bench.environment.ran == []


def test_mistakes_in_the_buildspec_fail_the_download_with_their_places(bench: Workbench) -> None:
    [failed] = bench.build("version: 0.2\nphases: {biuld: {}}\n").progress.reasons
    assert (failed.phase, failed.context.code) == ("DOWNLOAD_SOURCE", "YAML_FILE_ERROR")
    assert (
        "buildspec.yml:2:10: error: phases.biuld: unknown key 'biuld'; did you mean 'build'?" in failed.context.message
    )


def test_a_place_that_cannot_be_had_fails_the_provisioning(bench: Workbench) -> None:
    bench.environment.refuse = EnvironmentFailed("BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE", "no such image")
    [failed] = bench.build(FOUR).progress.reasons
    assert (failed.phase, failed.context.code) == ("PROVISIONING", "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE")
    assert bench.environment.closed == 1


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        (Ended("stopped", None, "somebody said so"), Status.STOPPED),
        (Ended("timed-out"), Status.TIMED_OUT),
        (Ended("exited", 137, "killed by signal 9"), Status.FAULT),
    ],
)
def test_no_command_follows_one_that_was_broken_off(bench: Workbench, ended: Ended, status: Status) -> None:
    """Not even `finally`: AWS does not guarantee it then."""
    bench.environment.ends = {"prepare-it": ended}
    result = bench.build(FOUR)
    assert result.progress.status is status
    assert bench.environment.ran[-1] == "prepare-it"


def test_a_stop_or_deadline_between_phases_ends_the_build(bench: Workbench) -> None:
    bench.stop = "the pipeline was stopped"
    stopped = bench.build(FOUR).progress
    assert (stopped.status, stopped.reasons[0].context.message) == (Status.STOPPED, "the pipeline was stopped")
    bench.stop, bench.deadline = "", NOW
    assert bench.build(FOUR).progress.status is Status.TIMED_OUT
    assert bench.environment.ran == []


def test_the_projects_variables_win_over_the_buildspecs_and_those_over_the_places(bench: Workbench) -> None:
    bench.build("version: 0.2\nenv: {variables: {MODE: x, HOME: /mine, A: b}}\nphases: {build: {commands: [c]}}\n")
    assert bench.environment.given == {
        "PATH": "/bin",
        "HOME": "/mine",
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "AWS_REGION": "eu-west-1",
        "MODE": "from the project",
        "A": "b",
    }


def test_version_0_1_gives_each_command_a_shell_of_its_own(bench: Workbench) -> None:
    bench.build("version: 0.1\nphases: {build: {commands: [cd x, pwd]}}\n")
    assert bench.environment.ran == ["(\ncd x\n)", "(\npwd\n)"]


def test_the_log_speaks_codebuilds_words(bench: Workbench) -> None:
    bench.environment.statuses = {"make": 2}
    bench.build("version: 0.2\nphases: {build: {commands: [make]}}\ncache: {paths: [x]}\n")
    stamp = "[Container] 2026/01/01 00:00:00.000000 "
    assert all(line.startswith((stamp, "entered")) for line in bench.log)
    assert [line.removeprefix(stamp) for line in bench.log] == [
        "not applied: cache: this version keeps no build cache",
        *("Phase complete: DOWNLOAD_SOURCE State: SUCCEEDED", "Phase context status code:  Message: "),
        *("Phase complete: INSTALL State: SUCCEEDED", "Phase context status code:  Message: "),
        *("Phase complete: PRE_BUILD State: SUCCEEDED", "Phase context status code:  Message: "),
        *("entered BUILD", "Entering phase BUILD", "Running command make"),
        *("Command did not exit successfully make exit status 2", "Phase complete: BUILD State: FAILED"),
        f"Phase context status code: COMMAND_EXECUTION_ERROR Message: {ERROR} make. Reason: exit status 2",
        *("Phase complete: POST_BUILD State: SUCCEEDED", "Phase context status code:  Message: "),
        *("Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED", "Phase context status code:  Message: "),
    ]

"""The small pure parts of a build: variables, runtimes, build numbers, configuration."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import InvalidInput
from stages import commands
from stages.build import configuration, runtimes, variables
from stages.build.configuration import EnvironmentVariable
from stages.build.counter import build_number


def test_a_build_is_told_what_codebuild_tells_it() -> None:
    project = variables.project("orders", "Build", "Package.2", "eu-west-1")
    about = variables.for_build(
        project,
        uuid="u-1",
        number=7,
        pipeline="orders",
        image="local",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        commit="c0ffee",
    )
    assert about == {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "CODEBUILD_BUILD_ARN": "arn:aws:codebuild:eu-west-1:123456789012:build/orders-Build-Package-2:u-1",
        "CODEBUILD_BUILD_ID": "orders-Build-Package-2:u-1",
        "CODEBUILD_BUILD_IMAGE": "local",
        "CODEBUILD_BUILD_NUMBER": "7",
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_INITIATOR": "codepipeline/orders",
        "CODEBUILD_LOG_PATH": "u-1",
        "CODEBUILD_PROJECT_ARN": "arn:aws:codebuild:eu-west-1:123456789012:project/orders-Build-Package-2",
        "CODEBUILD_START_TIME": "1767225600000",
        "CODEBUILD_RESOLVED_SOURCE_VERSION": "c0ffee",
        "CODEBUILD_SOURCE_VERSION": "c0ffee",
    }


def test_the_primary_source_and_the_others_have_their_directories() -> None:
    assert variables.for_sources("App", {"App": "/s/App", "my-lib": "/s/my-lib"}) == {
        "CODEBUILD_SRC_DIR": "/s/App",
        "CODEBUILD_SRC_DIR_my-lib": "/s/my-lib",
        "CODEBUILD_SRC_DIR_my_lib": "/s/my-lib",
    }


@pytest.mark.parametrize(
    ("revisions", "commit"),
    [({"Checkout": "c1"}, "c1"), ({"App": "c1", "Lib": "c2"}, "c1"), ({"X": "c1", "Y": "c2"}, "")],
)
def test_the_commit_is_only_named_when_it_is_sure(revisions: dict[str, str], commit: str) -> None:
    assert variables.commit_of("App", revisions) == commit


def test_builds_are_numbered_from_1_and_keep_their_number(tmp_path: Path) -> None:
    counter = tmp_path / "builds" / "orders-Build-Package"
    assert [build_number(counter, build) for build in ("a", "b", "a", "c", "b")] == [1, 2, 1, 3, 2]
    assert build_number(tmp_path / "builds" / "other", "b") == 1


@pytest.mark.parametrize(
    ("version", "printed", "fitting"),
    [
        ("3.11", "Python 3.11.7", True),
        ("3.x", "Python 3.11.7", True),
        ("3", "Python 3.11.7", True),
        ("latest", "Python 3.11.7", True),
        ("3.1", "Python 3.11.7", False),
        ("18", "v18.19.0", True),
        ("17", 'openjdk version "17" 2021-09-14', True),
        ("1.21", "go version go1.21.3 linux/amd64", True),
        ("3.11", "sh: 1: python3.11: not found", False),
        ("latest", "", False),
    ],
)
def test_a_runtime_fits_by_the_parts_of_its_version_that_are_asked_for(
    version: str, printed: str, fitting: bool
) -> None:
    assert runtimes.fits(version, printed) is fitting


def test_runtimes_are_looked_for_by_name_and_may_come_from_a_variable() -> None:
    assert [each.program for each in runtimes.candidates("python", "3.12")] == ["python3.12", "python3", "python"]
    assert [each.program for each in runtimes.candidates("python", "latest")] == ["python", "python3"]
    assert runtimes.candidates("cobol", "1") == ()
    assert runtimes.resolved("${V}", {"V": "3.12"}) == "3.12"
    assert runtimes.resolved("$V", {}) == "$V"
    assert "This machine has: Python 3.11.7" in runtimes.unknown("python", "3.9", "Python 3.11.7")


def test_environment_variables_are_a_list_or_awss_json_text() -> None:
    text = '[{"name":"A","value":"1"},{"name":"B","value":"2","type":"PLAINTEXT"}]'
    assert configuration.variables(text) == {"A": "1", "B": "2"}
    assert configuration.variables([EnvironmentVariable(name="A", value="1")]) == {"A": "1"}
    assert configuration.variables("") == {}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{}", "no JSON array"),
        ("[1", "no JSON array"),
        ('[{"name":"A"}]', "no JSON array"),
        ("[" * 100_000, "no JSON array"),
        ('[{"name":"A","value":"x","type":"PARAMETER_STORE"}]', "PARAMETER_STORE is not supported by this version"),
        ('[{"name":"A","value":"x","type":"OTHER"}]', "there is no type 'OTHER'"),
        ('[{"name":"A-B","value":"x"}]', "no name for a variable"),
        ('[{"name":"CODEBUILD_X","value":"x"}]', "reserved"),
    ],
)
def test_wrong_environment_variables_are_told_at_run_time_and_before(written: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        configuration.variables(written)
    [(path, what, _)] = configuration.check({"environmentVariables": written})
    assert path == "environmentVariables"
    assert message in what


def test_the_check_names_the_item_and_leaves_expressions_alone() -> None:
    items = [{"name": "A", "value": "#{Source.CommitId}"}, {"name": "B C", "value": "x"}]
    [(path, what, _)] = configuration.check({"environmentVariables": items})
    assert (path, what) == ("environmentVariables[1]", "'B C' is no name for a variable: letters, digits and _ only")
    assert configuration.check({"environmentVariables": "#{Source.List}"}) == []
    assert configuration.check({}) == []


def test_the_files_of_a_commands_action_stay_in_its_source() -> None:
    written = {"files": ["dist/**/*", "/etc/*", "a/../../b", "#{Build.Glob}"]}
    assert [path for path, _, _ in commands.check(written)] == ["files[1]", "files[2]"]
    assert commands.check({}) == []

"""Variables, parameters, regions, function names, packing."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from app.sam_local import packing
from app.sam_local.environment import read_overrides, variables
from app.sam_local.problems import LocalError
from app.sam_local.project import Project, find, load, overrides
from app.sam_local.regions import region_of
from core.source import Location
from sam.local.model import LocalFunction

HERE = Location("template.yaml", 1, 1)


def function(**environment: str) -> LocalFunction:
    return LocalFunction("Fn", "orders", "a.b", "python3.11", HERE, code_uri=".", environment=environment)


def test_the_file_wins_over_the_shell_and_the_shell_over_the_template() -> None:
    """By logical id over function name over Parameters; what is not declared is left out."""
    overrides_ = {
        "Parameters": {"ONE": "all", "TWO": "all", "THREE": "all", "LOST": "x"},
        "orders": {"TWO": "by name", "THREE": "by name"},
        "Fn": {"THREE": "by id"},
    }
    found = variables(
        function(ONE="t", TWO="t", THREE="t", FOUR="t", FIVE="t"),
        overrides_,
        {"ONE": "s", "FOUR": "s", "ELSE": "s"},
        "1",
    )
    assert found == {
        "AWS_SAM_LOCAL": "true",
        "AWS_ACCOUNT_ID": "1",
        "ONE": "all",
        "TWO": "by name",
        "THREE": "by id",
        "FOUR": "s",
        "FIVE": "t",
    }


def test_values_of_the_file_become_text() -> None:
    """true is `true`, numbers their digits, anything else empty."""
    given = {"Fn": {"AA": True, "BB": 1.5, "CC": None, "DD": [1]}}
    found = variables(function(AA="", BB="", CC="x", DD="x"), given, {}, "1")
    assert [found[name] for name in ("AA", "BB", "CC", "DD")] == ["true", "1.5", "", ""]


def test_the_shells_endpoint_is_handed_on() -> None:
    """So that functions reach what the shell reaches."""
    assert variables(function(), {}, {"AWS_ENDPOINT_URL": "http://x"}, "1")["AWS_ENDPOINT_URL"] == "http://x"


@pytest.mark.parametrize("text", ["{", "[]", '{"Fn": 1}'])
def test_a_file_of_another_shape_is_refused(text: str) -> None:
    """With its name."""
    with pytest.raises(LocalError, match=r"env\.json"):
        raise_with_place(text)


def raise_with_place(text: str) -> None:
    try:
        read_overrides(text, "env.json")
    except LocalError as problem:
        raise LocalError(str(problem)) from None


def test_parameters_are_read_in_both_forms() -> None:
    """Several in one text, quoted values, values with equals signs."""
    texts = ["A=1 B=2", "ParameterKey=C,ParameterValue=3", 'D="x y" E=a=b', "ParameterKey=F,ParameterValue="]
    assert overrides(texts) == {"A": "1", "B": "2", "C": "3", "D": "x y", "E": "a=b", "F": ""}
    with pytest.raises(LocalError):
        overrides(["nonsense"])


def test_the_region_is_the_one_named_or_a_profiles_or_the_environments(tmp_path: Path) -> None:
    """us-east-1 otherwise; an unknown profile is refused."""
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-west-1\n")
    environ = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    assert region_of("us-west-2", "work", environ) == "us-west-2"
    assert region_of(None, "work", environ) == "eu-west-1"
    assert region_of(None, None, {"AWS_DEFAULT_REGION": "ap-south-1"}) == "ap-south-1"
    assert region_of(None, None, {}) == "us-east-1"
    with pytest.raises(LocalError):
        region_of(None, "nope", environ)


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: a.b, Runtime: python3.11}}
Resources:
  One: {Type: AWS::Serverless::Function, Properties: {CodeUri: one, FunctionName: Two}}
  Two: {Type: AWS::Serverless::Function, Properties: {CodeUri: two, FunctionName: three}}
"""


def project(folder: Path, text: str = TEMPLATE) -> Project:
    (folder / "template.yaml").write_text(text)
    return load(folder / "template.yaml", {})


def test_a_logical_id_wins_over_a_name(tmp_path: Path) -> None:
    """And either is enough."""
    of = project(tmp_path)
    assert of.function("Two").logical_id == "Two"
    assert of.function("three").logical_id == "Two"
    assert of.function("One").logical_id == "One"


def test_a_function_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """As is the lack of a name."""
    of = project(tmp_path)
    for name, what in (
        ("Nope", "Function Nope not found in template"),
        (None, "You must provide a function logical ID"),
    ):
        with pytest.raises(LocalError) as caught:
            of.function(name)
        assert what in caught.value.what
        assert caught.value.hint == "Possible options in your template: ['One', 'Two']"
    alone = TEMPLATE.partition("  Two:")[0]
    assert project(tmp_path, alone).function(None).logical_id == "One"


def test_what_was_built_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless another template is named."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LocalError, match="Template file not found at"):
        find(None)
    (tmp_path / "template.yml").write_text("")
    assert find(None).name == "template.yml"
    (tmp_path / "other.yaml").write_text("")
    built = tmp_path / ".aws-sam" / "build" / "template.yaml"
    built.parent.mkdir(parents=True)
    built.write_text("")
    assert find(None) == built
    assert find(Path("other.yaml")) == tmp_path / "other.yaml"


def test_a_directory_is_packed_without_what_no_function_needs(tmp_path: Path) -> None:
    """Links are followed, also into themselves; execution bits stay; the same files are the same bytes."""
    source = tmp_path / "src"
    (source / "package" / "__pycache__").mkdir(parents=True)
    (source / ".git").mkdir()
    for name in ("app.py", "package/mod.py", "package/__pycache__/mod.pyc", ".git/config", "old.pyc"):
        (source / name).write_text(name)
    (source / "bootstrap").write_text("#!/bin/sh\n")
    (source / "bootstrap").chmod(0o755)
    (tmp_path / "shared.py").write_text("shared")
    (source / "shared.py").symlink_to(tmp_path / "shared.py")
    (source / "loop").symlink_to(source)
    packed = packing.pack(source)
    assert packed == packing.pack(source)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert sorted(archive.namelist()) == ["app.py", "bootstrap", "package/mod.py", "shared.py"]
        assert archive.read("shared.py") == b"shared"
        assert archive.getinfo("bootstrap").external_attr >> 16 & 0o111
    with pytest.raises(LocalError, match="no such directory"):
        packing.pack(tmp_path / "nowhere")


def test_code_in_the_template_is_a_file_named_index() -> None:
    """Of the runtime's kind."""
    for runtime, name in (("python3.11", "index.py"), ("nodejs22.x", "index.js")):
        with zipfile.ZipFile(io.BytesIO(packing.inline(runtime, "x"))) as archive:
            assert archive.namelist() == [name]


def test_overrides_file_is_read() -> None:
    """As it is."""
    assert read_overrides(json.dumps({"Fn": {"A": 1}}), "f") == {"Fn": {"A": 1}}

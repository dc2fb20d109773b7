"""samconfig files: which are read, and what they give."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.local_config import take
from core.errors import InvalidInput

TOML = """
version = 0.1
[default.global.parameters]
region = "eu-west-1"
[default.local_invoke.parameters]
template_file = "other.yaml"
parameter_overrides = "A=1 B=2"
env-vars = "env.json"
[default.local_start_api.parameters]
port = 4000
region = "us-west-2"
[prod.local_invoke.parameters]
parameter_overrides = ["A=2"]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samconfig.toml").write_text(TOML)
    return tmp_path


def test_the_commands_table_wins_over_the_global_one(here: Path) -> None:
    """Keys are long options with underscores."""
    assert take(["Fn"], "local_invoke") == (
        ["Fn"],
        {"region": "eu-west-1", "template": "other.yaml", "parameter_overrides": ["A=1 B=2"], "env_vars": "env.json"},
    )
    assert take([], "local_start_api")[1] == {"port": 4000, "region": "us-west-2"}
    assert take([], "local_start_lambda")[1] == {"region": "eu-west-1"}


def test_another_environment_and_another_file_can_be_named(here: Path) -> None:
    """Neither reaches the command itself."""
    assert take(["--config-env", "prod", "Fn"], "local_invoke") == (["Fn"], {"parameter_overrides": ["A=2"]})
    (here / "mine.yaml").write_text("version: 0.1\ndefault: {local_invoke: {parameters: {event: e.json}}}\n")
    assert take(["--config-file=mine.yaml"], "local_invoke") == ([], {"event": "e.json"})


def test_the_file_lies_beside_the_template(here: Path) -> None:
    """Which is named before."""
    (here / "sub").mkdir()
    assert take(["-t", "sub/template.yaml"], "local_invoke") == (["-t", "sub/template.yaml"], {})
    (here / "sub" / "samconfig.yaml").write_text("version: 0.1\ndefault: {global: {parameters: {region: x}}}\n")
    assert take(["--template=sub/template.yaml"], "local_invoke")[1] == {"region": "x"}


def test_the_template_of_the_environment_wins_over_the_files(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SAM_TEMPLATE_FILE."""
    monkeypatch.setenv("SAM_TEMPLATE_FILE", "env.yaml")
    assert "template" not in take([], "local_invoke")[1]


@pytest.mark.parametrize("text", ["[default]", 'version = "0.1"', "version = ", "version = 1"])
def test_a_file_that_cannot_be_used_is_refused(here: Path, text: str) -> None:
    """With its name."""
    (here / "samconfig.toml").write_text(text)
    with pytest.raises(InvalidInput, match=r"samconfig\.toml"):
        _take()


def _take() -> None:
    try:
        take([], "local_invoke")
    except InvalidInput as mistake:
        raise InvalidInput(str(mistake)) from None


def test_a_named_file_has_to_be_there(here: Path) -> None:
    """Unlike one that is looked for."""
    with pytest.raises(InvalidInput):
        take(["--config-file", "nope.toml"], "local_invoke")

"""Where a command finds its home."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import settings
from core.errors import InvalidInput


def test_the_home_is_beside_the_nearest_pipeline_file(tmp_path: Path) -> None:
    """From any directory below it."""
    (tmp_path / "pipeline.yaml").touch()
    below = tmp_path / "src" / "deep"
    below.mkdir(parents=True)
    found = settings.read({}, below)
    assert (found.home, found.pipeline_file) == (tmp_path / ".penstock", tmp_path / "pipeline.yaml")
    assert found.database_url == f"sqlite:///{tmp_path / '.penstock' / 'penstock.db'}"


def test_a_home_without_a_file_is_found_too(tmp_path: Path) -> None:
    """The file may have been removed."""
    (tmp_path / ".penstock").mkdir()
    (tmp_path / "src").mkdir()
    assert settings.read({}, tmp_path / "src").home == tmp_path / ".penstock"


def test_without_either_it_is_here(tmp_path: Path) -> None:
    """Where a first run would make it."""
    assert settings.read({}, tmp_path).home == tmp_path / ".penstock"


def test_a_named_file_brings_its_own_home(tmp_path: Path) -> None:
    """Relative to where the command was started."""
    (tmp_path / "pipeline.yaml").touch()
    found = settings.read({}, tmp_path, file=Path("other/release.yaml"))
    assert (found.home, found.pipeline_file) == (tmp_path / "other/.penstock", tmp_path / "other/release.yaml")


def test_the_environment_wins(tmp_path: Path) -> None:
    """And what a child inherits reads as the same settings."""
    given = {
        "PENSTOCK_HOME": "elsewhere",
        "PENSTOCK_DATABASE_URL": "sqlite:////srv/p.db",
        "PENSTOCK_API_PORT": "8123",
        "PENSTOCK_LOG_LEVEL": "debug",
    }
    found = settings.read(given, tmp_path)
    assert (found.home, found.api_port, found.log_level) == (tmp_path / "elsewhere", 8123, "DEBUG")
    again = settings.read(found.environment(), Path("/"))
    assert (again.home, again.database_url, again.api_port) == (found.home, found.database_url, 8123)


@pytest.mark.parametrize(("name", "value"), [("PENSTOCK_API_PORT", "http"), ("PENSTOCK_RUNTIME_PORT", "65536")])
def test_a_port_that_is_none_is_refused(tmp_path: Path, name: str, value: str) -> None:
    """Naming the variable."""
    with pytest.raises(InvalidInput) as caught:
        settings.read({name: value}, tmp_path)
    assert caught.value.where == name


def test_an_unknown_log_level_is_refused(tmp_path: Path) -> None:
    """With the known ones."""
    with pytest.raises(InvalidInput, match="no log level"):
        settings.read({"PENSTOCK_LOG_LEVEL": "loud"}, tmp_path)

"""What is supervised, and how each process is started."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from app import announce, settings
from app.settings import Settings
from app.supervisor.components import components, steady_port


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    found = settings.read({"PENSTOCK_HOME": str(tmp_path)}, tmp_path)
    found.run_directory.mkdir()
    return found


def test_a_users_modules_never_shadow_ours(here: Settings) -> None:
    """Processes start in a directory that holds no code: a user's own `app` or `core` package would be imported."""
    for component in components(here, os.environ):
        assert component.directory == here.run_directory


def test_children_read_the_same_settings(here: Settings) -> None:
    """Whatever their working directory."""
    for component in components(here, {"PATH": "/bin"}):
        if component.name in ("engine", "runner-1"):
            assert settings.read(component.environment, Path("/")).home == here.home


def test_a_restarted_server_takes_its_port_again(here: Settings) -> None:
    """So that clients find it; unless somebody else has it now."""
    path = here.announcement("runtime")
    assert steady_port(path) == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        announce.write(path, pid=1, port=port, url="", started_at="")
        assert steady_port(path) == 0
    assert steady_port(path) == port


def test_the_runtime_takes_the_port_of_its_last_life(here: Settings) -> None:
    """At every start anew: a release that goes on must find it after a crash."""
    runtime = components(here, os.environ)[0]
    assert "0" in runtime.command()
    with socket.create_server(("127.0.0.1", 0)) as before:
        port = before.getsockname()[1]
    announce.write(here.announcement("runtime"), pid=1, port=port, url="", started_at="")
    assert str(port) in runtime.command()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x"}', "\x00"])
def test_a_damaged_announcement_is_none(here: Settings, text: str) -> None:
    """As if nobody was there."""
    path = here.announcement("engine")
    path.write_text(text)
    assert announce.read(path) is None
    assert announce.last(path) is None


def test_only_a_living_process_is_there(here: Settings) -> None:
    """A dead one's announcement still tells its port."""
    path = here.announcement("engine")
    announce.write(path, pid=os.getpid(), port=1, url="u", started_at="")
    assert announce.read(path) is not None
    announce.write(path, pid=2**22 + 1, port=7, url="u", started_at="")
    assert announce.read(path) is None
    found = announce.last(path)
    assert found is not None
    assert found.port == 7

"""The composition root's own small decisions."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from app import announce, settings, wiring
from app.settings import Settings
from core.errors import InvalidInput, Unavailable
from tests.fakes.clocks import noon


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    found = settings.read({"PENSTOCK_HOME": str(tmp_path / "home")}, tmp_path)
    found.run_directory.mkdir(parents=True)
    return found


def test_a_target_without_anything_is_the_embedded_runtime(here: Settings) -> None:
    """Wherever it listens now."""
    announce.write(here.announcement("runtime"), pid=os.getpid(), port=1, url="http://127.0.0.1:1", started_at="")
    target = wiring.targets(here, noon(), {})("local", {})
    assert (target.endpoint_url, target.access_key_id) == ("http://127.0.0.1:1", "penstock")


def test_a_runtime_that_does_not_come_is_waited_for_and_then_missed(here: Settings) -> None:
    """Twenty seconds of the clock; a dead one's announcement does not count."""
    announce.write(here.announcement("runtime"), pid=2**22 + 1, port=1, url="http://127.0.0.1:1", started_at="")
    clock = noon()
    began = clock.now()
    with pytest.raises(Unavailable, match="the local runtime does not run"):
        wiring.targets(here, clock, {})("local", {})
    assert 19 < (clock.now() - began).total_seconds() < 21


@pytest.mark.parametrize(
    ("spec", "region"),
    [
        ({"region": "eu-west-1"}, "eu-west-1"),
        ({"roleArn": "arn:aws:iam::123456789012:role/r"}, "us-west-2"),
        ({"endpointUrl": "http://127.0.0.1:5000"}, "us-west-2"),
    ],
)
def test_a_target_with_anything_is_aws_with_the_users_own_credentials(
    here: Settings, spec: dict[str, str], region: str
) -> None:
    """By boto3's chain; the region is the file's, else the environment's."""
    target = wiring.targets(here, noon(), {"AWS_REGION": "us-west-2"})("production", spec)
    assert (target.region, target.access_key_id, target.secret_access_key) == (region, None, None)
    assert (target.endpoint_url, target.role_arn) == (spec.get("endpointUrl"), spec.get("roleArn"))


def test_a_target_on_aws_needs_a_region(here: Settings) -> None:
    """From somewhere."""
    with pytest.raises(InvalidInput, match="target 'production' has no region"):
        wiring.targets(here, noon(), {})("production", {"roleArn": "arn:aws:iam::123456789012:role/r"})


def test_the_token_is_made_once_and_only_for_this_user(here: Settings) -> None:
    """An empty file, left by a crash, is made anew."""
    made = wiring.token(here)
    assert len(made) >= 32
    assert wiring.token(here) == made
    assert stat.S_IMODE(here.token_file.stat().st_mode) == 0o600
    here.token_file.write_text("")
    assert wiring.token(here) not in ("", made)


def test_the_users_processes_see_nothing_of_ours() -> None:
    """But all that was the user's."""
    given = {"PATH": "/bin", "PENSTOCK_HOME": "x", "PREFECT_API_URL": "y", "PYTHONUNBUFFERED": "1", "AWS_REGION": "z"}
    assert wiring.base_environment(given) == {"PATH": "/bin", "AWS_REGION": "z"}


def test_secrets_are_known_by_their_names(here: Settings) -> None:
    """And the API token is one."""
    token = wiring.token(here)
    given = {"DB_PASSWORD": "hunter22", "AWS_SECRET_ACCESS_KEY": "abcd", "PATH": "/bin"}
    assert set(wiring.secrets_of(here, given)) == {"hunter22", "abcd", token}


def test_a_nudge_reaches_every_runner_and_never_waits(here: Settings) -> None:
    """Not even for one whose queue is full, or that is gone."""
    (here.run_directory / "runner-2.sock").touch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as runner:
        runner.bind(str(here.run_directory / "runner-1.sock"))
        for _ in range(2000):
            wiring.nudge(here.run_directory)
        assert runner.recv(8) == b"!"

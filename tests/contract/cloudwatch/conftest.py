"""The endpoints the same CloudWatch and Logs tests run against: the local runtime and a moto server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from tests.fakes.runtime_process import MotoProcess, RuntimeProcess, client

_names = count(1)


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint under test."""

    kind: str
    url: str

    @property
    def cloudwatch(self) -> Any:
        """A boto3 client of CloudWatch."""
        return client("cloudwatch", self.url)

    @property
    def logs(self) -> Any:
        """A boto3 client of CloudWatch Logs."""
        return client("logs", self.url)

    @staticmethod
    def new_name(prefix: str = "contract") -> str:
        """A name that nothing bears yet."""
        return f"{prefix}-{next(_names)}"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "moto_differs(reason): moto answers differently from AWS here, or not at all")


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The local runtime."""
    server = RuntimeProcess(tmp_path_factory.mktemp("runtime") / "home")
    server.start()
    yield Target("runtime", server.url)
    assert server.stop() == 0


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A moto server."""
    server = MotoProcess(tmp_path_factory.mktemp("moto"))
    yield Target("moto", server.url)
    server.stop()


@pytest.fixture(params=["runtime", "moto"])
def target(request: pytest.FixtureRequest) -> Target:
    """Each target in turn; where moto is known to differ the test must fail on it, so that we hear when it changes."""
    marker = request.node.get_closest_marker("moto_differs")
    if request.param == "moto" and marker is not None:
        request.node.add_marker(pytest.mark.xfail(reason=f"moto: {marker.args[0]}", strict=True))
    found: Target = request.getfixturevalue(request.param)
    return found

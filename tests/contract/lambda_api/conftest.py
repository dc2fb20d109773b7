"""The targets the same Lambda tests run against: the local runtime, and a moto server, both over real HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from tests.fakes.runtime_process import ROLE, MotoProcess, RuntimeProcess, client, package

_names = count(1)


@dataclass(frozen=True, slots=True)
class Target:
    """A Lambda endpoint under test."""

    kind: str
    url: str

    @property
    def api(self) -> Any:
        """A boto3 client."""
        return client("lambda", self.url)

    def service(self, name: str) -> Any:
        """A boto3 client of another service at the same endpoint."""
        return client(name, self.url)

    def new_function(self, source: str | None = None, **more: Any) -> str:
        """The name of a new, Active function."""
        name = more.pop("FunctionName", None) or f"contract-{next(_names)}"
        arguments = {"Runtime": f"python3.{sys.version_info[1]}", "Handler": "app.handler", "Role": ROLE, **more}
        code = {"ZipFile": package() if source is None else package(source)}
        self.api.create_function(FunctionName=name, Code=code, **arguments)
        self.api.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return name

    def update(self, name: str, source: str) -> None:
        """New code, in effect."""
        self.api.update_function_code(FunctionName=name, ZipFile=package(source))
        self.settled(name)

    def settled(self, name: str) -> None:
        """Wait for the update to be in effect."""
        self.api.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})

    def two_versions(self) -> str:
        """The name of a function with versions 1 and 2."""
        name = self.new_function()
        self.api.publish_version(FunctionName=name)
        self.update(name, "def handler(event, context):\n    return 2\n")
        self.api.publish_version(FunctionName=name)
        return name


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

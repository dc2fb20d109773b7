"""The services that the release's clients are held against, each started once for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.targets import Target
from tests.contract.release.services import Service, local, moto
from tests.fakes.lambda_service import fake_clients


@pytest.fixture(scope="session", params=["fake", "moto", "local"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    if request.param == "fake":
        yield Service("fake", Target("fake", "eu-west-1"), fake_clients()[0])
    elif request.param == "moto":
        yield from moto(tmp_path_factory.mktemp("moto"))
    else:
        yield from local(tmp_path_factory.mktemp("runtime"))


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A function name of this test's own."""
    digest = abs(hash(request.node.nodeid)) % 10**10
    return f"contract-{digest}"

"""Starting and reaching the services under contract: in memory, moto's server, the local runtime."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from deploy.clients import BotoClients
from deploy.ports import Clients
from deploy.targets import Target

ROLE = "arn:aws:iam::123456789012:role/penstock"
_STARTS_WITHIN_S = 60.0


@dataclass(frozen=True)
class Service:
    """A service under contract. `enforces_revisions`: UpdateAlias refuses an old RevisionId there (moto does not)."""

    kind: str
    target: Target
    clients: Clients

    @property
    def enforces_revisions(self) -> bool:
        return self.kind != "moto"

    @property
    def runs_code(self) -> bool:
        return self.kind == "local"


def _target(name: str, url: str) -> Target:
    return Target(name, "eu-west-1", url, access_key_id="testing", secret_access_key="testing")


def moto(home: Path) -> Iterator[Service]:
    if importlib.util.find_spec("moto") is None:
        pytest.skip("moto is not installed")
    port = _free_port()
    program = Path(sys.executable).with_name("moto_server")
    url = f"http://127.0.0.1:{port}"
    with _server([str(program), "-p", str(port), "-H", "127.0.0.1"], home, lambda: url if _listens(port) else ""):
        target = _target("moto", url)
        iam = boto3.client(
            "iam", region_name="eu-west-1", endpoint_url=url, aws_access_key_id="t", aws_secret_access_key="t"
        )
        iam.create_role(RoleName="penstock", AssumeRolePolicyDocument="{}")
        yield Service("moto", target, BotoClients()(target))


def local(home: Path) -> Iterator[Service]:
    if importlib.util.find_spec("runtime.__main__") is None:
        pytest.skip("the local runtime does not exist yet")
    announced = home / "announce.json"
    command = [
        sys.executable,
        "-m",
        "runtime",
        "--home",
        str(home / "state"),
        "--port",
        "0",
        "--announce",
        str(announced),
    ]

    def url() -> str:
        return str(json.loads(announced.read_text())["url"]) if announced.exists() else ""

    with _server(command, home, url) as found:
        target = _target("local", found)
        yield Service("local", target, BotoClients()(target))


class _server:  # noqa: N801  (used as a context manager)
    """A server process that is up when `url()` gives its address, and is ended afterwards."""

    def __init__(self, command: list[str], home: Path, url: Callable[[], str]) -> None:
        self._command = command
        self._log = home / "server.log"
        self._url = url

    def __enter__(self) -> str:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT, cwd=Path.cwd())
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < deadline:
            found = self._url()
            if found:
                return found
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        self.__exit__()
        pytest.fail(f"{' '.join(self._command)} did not start:\n{self._log.read_text()[-2000:]}")

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0

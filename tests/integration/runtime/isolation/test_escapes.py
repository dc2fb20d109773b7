"""A hostile handler gets out of its sandbox by none of these ways, and the server and other functions stay well."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.runtime_process import ROLE, WHO, RuntimeProcess, host_pid, until
from tests.integration.runtime.isolation.attempts import (
    ATTACKER,
    DESCRIPTORS,
    FILES,
    KERNEL,
    NETWORK,
    PROCESSES,
    VICTIM,
    WRITING,
    Attempt,
)
from tests.integration.runtime.isolation.calls import ask, call

ALL = (*FILES, *WRITING, *PROCESSES, *KERNEL, *NETWORK)
SECRETS = ["secret-of-the-environment", "secret-of-the-code", "secret-of-tmp"]
USUAL = {
    "bin", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "opt", "proc", "sbin", "tmp", "usr", "var",
    Path(sys.base_prefix).parts[1],
}  # fmt: skip
"""What a sandbox's own root has, too; the last leads to the interpreter."""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="full isolation takes root")


class Scene:
    """A server, a victim whose environment is warm, and what an attacker could at most know."""

    def __init__(self, server: RuntimeProcess) -> None:
        self.server = server
        token = server.home.parent / "token"
        token.write_text("secret-of-the-server")
        variables = {"Variables": {"SECRET": SECRETS[0]}}
        server.create("victim", VICTIM.replace("WHO", WHO), Environment=variables)
        server.create("attacker", ATTACKER, Timeout=20, MemorySize=256)
        self._token = token
        self.pid = server.pid

    def know(self) -> dict[str, Any]:
        """For an attempt."""
        victim = call(self.server, "victim")
        assert victim["own"] == SECRETS
        template = self.server.template()
        return {
            "home": str(self.server.home),
            "token": str(self._token),
            "server": self.server.pid,
            "pids": [os.getpid(), template, host_pid(victim["who"]) or 0],
            "api": victim["api"],
            "user": victim["user"],
            "segment": victim["segment"],
            "ports": [self.server.port, int(victim["api"].rpartition(":")[2])],
            "roots": sorted({entry.name for entry in Path("/").iterdir()} - USUAL),
            "groups": json.loads((self.server.home / "groups.json").read_text()),
            "disk": self.server.home.stat().st_dev,
        }

    def try_(self, attempt: Attempt) -> Any:
        """What came of it."""
        return ask(self.server, "attacker", {**self.know(), "body": attempt.source()})

    def is_well(self) -> bool:
        """Whether the server is the same as ever and the victim has what it had."""
        return self.server.pid == self.pid and call(self.server, "victim")["own"] == SECRETS


@pytest.fixture(scope="module")
def scene(server: RuntimeProcess) -> Scene:
    return Scene(server)


@pytest.mark.parametrize("attempt", ALL, ids=lambda attempt: attempt.name)
def test_nothing_is_gained(scene: Scene, attempt: Attempt) -> None:
    before = scene.know()
    came = scene.try_(attempt)
    assert not came.get("got"), came
    assert scene.is_well()
    assert scene.know()["pids"] == before["pids"], "the victim's environment is the same process"


def test_no_descriptor_is_inherited(scene: Scene) -> None:
    scene.server.create("clean", ATTACKER)
    came = ask(scene.server, "clean", {"body": DESCRIPTORS.source()})
    assert came == {"got": []}


@pytest.fixture(scope="module")
def open_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A server that isolates nothing."""
    process = RuntimeProcess(tmp_path_factory.mktemp("open") / "home", "--isolation", "off")
    process.start()
    token = process.home.parent / "token"
    token.write_text("secret-of-the-server")
    source = """
import os, subprocess
subprocess.Popen(["sleep", "600"])
def handler(event, context):
    return os.environ["AWS_LAMBDA_RUNTIME_API"]
"""
    process.create("victim", source, Environment={"Variables": {"SECRET": SECRETS[0]}})
    process.create("attacker", ATTACKER, Timeout=20)
    api = call(process, "victim")
    roots = sorted({entry.name for entry in Path("/").iterdir()} - USUAL)
    yield {
        "server_process": process, "home": str(process.home), "token": str(token), "server": process.pid,
        "pids": [os.getpid()], "api": api, "roots": roots,
    }  # fmt: skip
    process.stop()


@pytest.mark.parametrize("attempt", [each for each in ALL if each.open_world], ids=lambda attempt: attempt.name)
def test_the_same_attempt_succeeds_where_nothing_is_isolated(open_scene: dict[str, Any], attempt: Attempt) -> None:
    know = {name: value for name, value in open_scene.items() if name != "server_process"}
    came = ask(open_scene["server_process"], "attacker", {**know, "body": attempt.source()})
    assert came.get("got"), came


def zipped(*entries: tuple[str, int, str]) -> bytes:
    """A package of (name, mode, text)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, mode, text in (("app.py", 0o100644, "def handler(e, c):\n    return 1\n"), *entries):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, text)
    return buffer.getvalue()


LINK = 0o120777


@pytest.mark.parametrize(
    "entries",
    [
        [("link", LINK, "TOKEN")],
        [("link", LINK, "../../catalog.db")],
        [("a", LINK, "."), ("a/b", LINK, "..")],
        [("out", LINK, "../.."), ("out/planted.py", 0o100644, "x")],
        [("../planted.py", 0o100644, "x")],
        [("/tmp/planted.py", 0o100644, "x")],
    ],
)
def test_a_package_does_not_reach_out_of_itself(
    scene: Scene, entries: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    lambda_ = scene.server.client()
    name = f"package-{abs(hash(str(entries)))}"
    package = zipped(*((name, mode, text.replace("TOKEN", str(token))) for name, mode, text in entries))
    arguments = {"Runtime": f"python3.{sys.version_info[1]}", "Handler": "app.handler", "Role": ROLE}
    try:
        lambda_.create_function(FunctionName=name, Code={"ZipFile": package}, **arguments)
    except lambda_.exceptions.InvalidParameterValueException:
        return
    until(lambda: lambda_.get_function_configuration(FunctionName=name)["State"] == "Failed")
    assert not list(scene.server.home.rglob("planted.py"))
    assert not Path("/tmp/planted.py").exists()
    assert scene.is_well()


def test_a_function_is_known_by_its_connection_whatever_it_claims(scene: Scene) -> None:
    source = """
import boto3
def handler(event, context):
    claims = [{}, {"aws_access_key_id": "AKIAOWNER", "aws_secret_access_key": "claimed"}]
    return [boto3.client("sts", **claim).get_caller_identity()["Arn"] for claim in claims]
"""
    scene.server.create("claims", source, MemorySize=1769, Timeout=30)
    session = f"arn:aws:sts::123456789012:assumed-role/{ROLE.rpartition('/')[2]}/claims"
    assert call(scene.server, "claims") == [session, session]
    assert scene.server.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:root"

"""Functions from container images: built and run by a real engine."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.image import build_image, interpreter
from tests.fakes.runtime_process import ROLE, RuntimeProcess, until

docker = pytest.importorskip("docker")
pytestmark = pytest.mark.docker

APP = """
import os, sys
def handler(event, context):
    print("handling", event)
    if event.get("exit"):
        os._exit(3)
    if event.get("eat"):
        return len(bytearray(400 * 1024 * 1024))
    if event.get("sleep"):
        import time
        time.sleep(event["sleep"])
    return {"event": event, "uid": os.getuid(), "cwd": os.getcwd(), "argv": sys.argv, "env": dict(os.environ),
            "root": writable("/var/task/x"), "tmp": writable("/tmp/x"), "pid": os.getpid()}
def writable(path):
    try:
        with open(path, "w") as file:
            return file.write("x") == 1
    except OSError:
        return False
def other(event, context):
    return "other"
"""


@pytest.fixture(scope="module")
def engine() -> Any:
    """A client of the engine; without one these tests are skipped."""
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker engine: {error}")
    return client


@pytest.fixture(scope="module")
def image(engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image in the way of AWS's base images: an entry point that runs the handler its command names."""
    tag = f"penstock-test/function:{uuid.uuid4().hex[:8]}"
    instructions = f'ENTRYPOINT ["{interpreter()}", "-m", "awslambdaric"]\nCMD ["app.handler"]'
    yield build_image(
        engine, tag, {"/var/task/app.py": APP}, instructions, tmp_path_factory.mktemp("runtime-directory")
    )
    engine.images.remove(tag, force=True)


def create(server: RuntimeProcess, name: str, image: str, **more: Any) -> None:
    """A function from `image`, Active."""
    of = server.client()
    of.create_function(
        FunctionName=name, PackageType="Image", Code={"ImageUri": image}, Role=ROLE, **{"Timeout": 20, **more}
    )
    until(lambda: of.get_function_configuration(FunctionName=name)["State"] == "Active")


def invoke(server: RuntimeProcess, name: str, event: Any = None) -> tuple[dict[str, Any], Any]:
    """The answer and its decoded body; the log tail is under `log`."""
    answer = server.client().invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail")
    answer["log"] = base64.b64decode(answer["LogResult"]).decode()
    return answer, json.loads(answer["Payload"].read())


def containers(engine: Any, home: Path) -> list[Any]:
    """The containers of that server."""
    found: list[Any] = engine.containers.list(all=True, filters={"label": f"penstock.runtime={home}"})
    return found


def test_an_image_is_run_with_its_entry_point_and_command(server: RuntimeProcess, engine: Any, image: str) -> None:
    create(server, "image", image)
    answer, body = invoke(server, "image", {"n": 1})
    assert body["event"] == {"n": 1}
    assert body["cwd"] == "/var/task"
    assert body["uid"] != 0
    assert (body["root"], body["tmp"]) == (False, True)
    assert "AWS_EXECUTION_ENV" not in body["env"]
    assert body["env"]["AWS_LAMBDA_FUNCTION_NAME"] == "image"
    assert "handling {'n': 1}\n" in answer["log"]
    assert "Init Duration: " in answer["log"]
    assert invoke(server, "image")[1]["pid"] == body["pid"]
    until(lambda: containers(engine, server.home)[0].attrs["HostConfig"]["CpuQuota"])
    (container,) = containers(engine, server.home)
    limits = container.attrs["HostConfig"]
    assert limits["Memory"] == 128 * 1024 * 1024
    assert limits["ReadonlyRootfs"] is True
    assert limits["CpuQuota"] / limits["CpuPeriod"] == pytest.approx(128 / 1769, abs=0.001)


def test_image_config_overrides_what_the_image_says(server: RuntimeProcess, image: str) -> None:
    create(server, "overridden", image, ImageConfig={"Command": ["app.other"]})
    assert invoke(server, "overridden")[1] == "other"
    entry = [interpreter(), "-X", "utf8", "-m", "awslambdaric"]
    config = {"EntryPoint": entry, "Command": ["app.handler"], "WorkingDirectory": "/tmp"}
    create(
        server, "placed", image, ImageConfig=config, Environment={"Variables": {"PYTHONPATH": "/var/runtime:/var/task"}}
    )
    assert invoke(server, "placed")[1]["cwd"] == "/tmp"


def test_an_entry_point_that_is_not_there_is_invalid(server: RuntimeProcess, image: str) -> None:
    create(server, "nowhere", image, ImageConfig={"EntryPoint": ["/no/such/program"]})
    answer, body = invoke(server, "nowhere")
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == "Runtime.InvalidEntrypoint"
    assert "/no/such/program" in body["errorMessage"]


def test_a_container_that_ends_is_replaced_and_every_one_is_removed(
    server: RuntimeProcess, engine: Any, image: str
) -> None:
    create(server, "ends", image)
    _, body = invoke(server, "ends", {"exit": 1})
    assert body["errorType"] == "Runtime.ExitError"
    assert body["errorMessage"].endswith("exit status 3")
    assert invoke(server, "ends")[1]["event"] == {}
    server.client().delete_function(FunctionName="ends")
    until(
        lambda: (
            not [each for each in containers(engine, server.home) if each.labels["penstock.function"].endswith("ends")]
        )
    )


def test_a_container_s_memory_and_time_are_limited(server: RuntimeProcess, image: str) -> None:
    create(server, "hungry", image, Timeout=10)
    _, body = invoke(server, "hungry", {"eat": 1})
    assert body["errorType"] == "Runtime.OutOfMemory"
    create(server, "sleepy", image, Timeout=2)
    invoke(server, "sleepy")
    _, body = invoke(server, "sleepy", {"sleep": 30})
    assert body["errorType"] == "Sandbox.Timedout"
    assert invoke(server, "sleepy")[1]["event"] == {}


def test_containers_of_a_killed_server_are_removed_by_the_next_one(own_server: Any, engine: Any, image: str) -> None:
    server = own_server()
    create(server, "left", image)
    invoke(server, "left")
    server.kill()
    assert containers(engine, server.home)
    server.start()
    assert containers(engine, server.home) == []
    assert invoke(server, "left")[1]["event"] == {}
    assert server.stop() == 0
    assert containers(engine, server.home) == []


def test_without_an_engine_an_image_is_refused_with_the_reason(
    own_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    server = own_server()
    with pytest.raises(Exception, match=r"(?i)docker|image"):
        create(server, "no-engine", "orders:1")

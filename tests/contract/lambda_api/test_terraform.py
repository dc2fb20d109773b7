"""Terraform's AWS provider, unchanged, against the local runtime: what it makes it finds again, and takes away."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.lambda_api.conftest import Target
from tests.contract.lambda_api.test_layers import layer_zip
from tests.fakes.runtime_process import RuntimeProcess, package
from tests.fakes.terraform import Terraform, missing

NO_CHANGES = 0
pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing() or "it can be run"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


def version(number: int) -> bytes:
    """A package whose handler answers with its number."""
    return package(f"import shared\ndef handler(event, context):\n    return [{number}, shared.NAME]\n")


def answer(target: Target, qualifier: str) -> list[object]:
    """What that version or alias of the function answers."""
    got = target.api.invoke(FunctionName="orders", Qualifier=qualifier, Payload=b"{}")
    found: list[object] = json.loads(got["Payload"].read())
    return found


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """A local runtime with nothing in it."""
    server = RuntimeProcess(tmp_path / "home")
    server.start()
    yield Target("runtime", server.url)
    assert server.stop() == 0


def test_a_stack_is_applied_found_unchanged_moved_on_and_destroyed(target: Target, tmp_path: Path) -> None:
    queue_url = target.service("sqs").create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    variables = {
        "endpoint": target.url,
        "runtime": f"python3.{sys.version_info[1]}",
        "package": "function.zip",
        "layer": "layer.zip",
        "queue_arn": "arn:aws:sqs:us-east-1:123456789012:jobs",
    }
    work = tmp_path / "stack"
    work.mkdir()
    shutil.copy(Path(__file__).with_name("terraform") / "main.tf", work)
    (work / "layer.zip").write_bytes(layer_zip(python__shared="NAME = 'layer'\n"))
    (work / "function.zip").write_bytes(version(1))
    first = Terraform(work, variables)
    for arguments in (("init",), ("apply", "-auto-approve")):
        code, said = first.run(*arguments)
        assert code == 0, said
    code, said = first.run("plan", "-detailed-exitcode")
    assert code == NO_CHANGES, said
    assert answer(target, "live") == [1, "layer"]

    (work / "function.zip").write_bytes(version(2))
    second = Terraform(work, {**variables, "weights": '{"2": 1.0}'})
    code, said = second.run("apply", "-auto-approve")
    assert code == 0, said
    code, said = second.run("plan", "-detailed-exitcode")
    assert code == NO_CHANGES, said
    assert answer(target, "live") == [2, "layer"]
    assert answer(target, "1") == [1, "layer"]

    code, said = second.run("destroy", "-auto-approve")
    assert code == 0, said
    assert target.api.list_functions()["Functions"] == []
    assert target.api.list_event_source_mappings()["EventSourceMappings"] == []
    assert target.api.list_layers()["Layers"] == []
    target.service("sqs").delete_queue(QueueUrl=queue_url)

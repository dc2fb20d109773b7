"""What REPORT lines say about memory."""

import base64
import json
import re
from typing import Any

import pytest

from tests.fakes.runtime_process import RuntimeProcess

TAKES_MEMORY = """
import os, time
def handler(event, context):
    held = b"x" * (event.get("mb", 0) << 20)
    if event.get("end") == "exit":
        os._exit(1)
    time.sleep(event.get("sleep", 0.1))
"""


def reported_mb(server: RuntimeProcess, name: str, **event: Any) -> int:
    """Max Memory Used of one invocation."""
    answer = server.client().invoke(FunctionName=name, LogType="Tail", Payload=json.dumps(event))
    found = re.search(r"Max Memory Used: (\d+) MB", base64.b64decode(answer["LogResult"]).decode())
    assert found is not None
    return int(found.group(1))


def test_an_invocation_that_follows_at_once_is_measured_too(server: RuntimeProcess) -> None:
    server.create("grows", TAKES_MEMORY, Timeout=10)
    before = reported_mb(server, "grows")
    assert before < 40
    assert reported_mb(server, "grows", mb=60) >= before + 55


@pytest.mark.parametrize("event", [{"sleep": 30}, {"end": "exit"}], ids=["timeout", "exit"])
def test_an_invocation_that_breaks_off_is_measured_before(server: RuntimeProcess, event: dict[str, Any]) -> None:
    name = f"breaks-{'-'.join(event)}"
    server.create(name, TAKES_MEMORY, Timeout=2)
    assert 60 <= reported_mb(server, name, mb=50, **event) < 128

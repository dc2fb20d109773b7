"""Environments that are kept ready ahead of time."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from tests.fakes.runtime_process import RuntimeProcess, until

SOURCE = """
import os, time
from uuid import uuid4
me = str(uuid4())
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], me]
"""


def provision(server: RuntimeProcess, name: str, count: int) -> dict[str, Any]:
    """Ask for environments of version 1, and wait until they are ready or have failed."""
    of, seen = server.client(), dict[str, Any]()
    until(lambda: of.get_function_configuration(FunctionName=name, Qualifier="1")["State"] == "Active")
    of.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=count)

    def settled() -> bool:
        seen.update(of.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1"))
        return str(seen["Status"]) != "IN_PROGRESS"

    until(settled)
    return seen


def invoke(server: RuntimeProcess, name: str, event: Any = None) -> list[str]:
    """What version 1 answers."""
    answer = server.client().invoke(FunctionName=name, Qualifier="1", Payload=json.dumps(event or {}))
    body: list[str] = json.loads(answer["Payload"].read())
    return body


def at_once(server: RuntimeProcess, name: str, count: int) -> list[list[str]]:
    """What that many invocations at the same time are answered."""
    found: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: found.append(invoke(server, name, {"sleep": 1.5}))) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_they_are_used_first_and_what_is_above_them_runs_on_demand(server: RuntimeProcess) -> None:
    server.create("ahead", SOURCE, publish=True, Timeout=20)
    seen = provision(server, "ahead", 2)
    assert (seen["Status"], seen["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    until(lambda: server.log_text("ahead").count("INIT_START") == 2)
    kinds = sorted(kind for kind, _ in at_once(server, "ahead", 3))
    assert kinds == ["on-demand", "provisioned-concurrency", "provisioned-concurrency"]
    until(lambda: server.log_text("ahead").count("REPORT") == 3)
    assert server.log_text("ahead").count("Init Duration") == 1


def test_they_are_not_retired_for_being_idle_but_when_they_are_not_wanted_any_more(own_server: Any) -> None:
    server = own_server("--idle-seconds", "0.3")
    server.create("stays", SOURCE, publish=True)
    provision(server, "stays", 1)
    _, first = invoke(server, "stays")
    time.sleep(1)
    assert invoke(server, "stays") == ["provisioned-concurrency", first]
    server.client().delete_provisioned_concurrency_config(FunctionName="stays", Qualifier="1")
    kind, second = invoke(server, "stays")
    assert kind == "on-demand"
    assert second != first


def test_they_are_there_again_after_a_restart(own_server: Any) -> None:
    server = own_server()
    server.create("again", SOURCE, publish=True)
    provision(server, "again", 1)
    server.kill()
    server.start()
    of = server.client()
    until(lambda: of.get_provisioned_concurrency_config(FunctionName="again", Qualifier="1")["Status"] == "READY")
    assert invoke(server, "again")[0] == "provisioned-concurrency"

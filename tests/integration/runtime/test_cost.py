"""REPORT lines and the cost report agree about what invocations used, in every way an invocation can end."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from app.cost import report
from tests.fakes.runtime_process import RuntimeProcess, until

SOURCE = """
import os, time
def handler(event, context):
    if event.get("kind") == "raise":
        raise ValueError("no")
    if event.get("kind") == "exit":
        os._exit(1)
    if event.get("kind") == "sleep":
        time.sleep(30)
    return len(bytes(20_000_000))
"""
_REPORT = re.compile(
    r"REPORT RequestId: [0-9a-f-]{36}\tDuration: (?P<duration>\d+\.\d\d) ms\tBilled Duration: (?P<billed>\d+) ms\t"
    r"Memory Size: (?P<memory>\d+) MB\tMax Memory Used: (?P<used>\d+) MB\t"
    r"(?:Init Duration: (?P<init>\d+\.\d\d) ms\t)?(?:Status: (?P<status>\w+)\t)?(?:Error Type: (?P<type>[\w.]+)\t)?"
)


def lines(server: RuntimeProcess, function: str) -> list[re.Match[str]]:
    """The REPORT lines of a function."""
    text = server.log_text(function)
    found = list(_REPORT.finditer(text))
    assert len(found) == text.count("REPORT RequestId"), text
    return found


def told(server: RuntimeProcess, function: str) -> list[dict[str, Any]]:
    """The rows of the cost report."""
    found: list[dict[str, Any]] = report(server.port, time.time() - 3600, time.time() + 60, function)["functions"]
    return found


def test_what_is_reported_is_what_is_billed(server: RuntimeProcess) -> None:
    server.create("billed", SOURCE, MemorySize=512, Timeout=1, publish=True)
    for kind in ("", "", "raise", "exit", "sleep", ""):
        server.client().invoke(FunctionName="billed:1", Payload=json.dumps({"kind": kind}).encode())
    until(lambda: len(lines(server, "billed")) == 6)
    found = lines(server, "billed")
    for line in found:
        shown = float(line["duration"]) + float(line["init"] or 0)
        assert -0.02 < int(line["billed"]) - shown < 1.02  # both are shown rounded, their sum is billed rounded up
        assert line["memory"] == "512"
    assert [line["status"] for line in found] == [None, None, None, "error", "timeout", None]
    assert [line["type"] for line in found] == [None, None, None, "Runtime.ExitError", None, None]
    assert [line["init"] is not None for line in found] == [True, False, False, False, False, False]
    assert 1000 <= int(found[4]["billed"]) < 1500

    (row,) = told(server, "billed")
    assert (row["function"], row["version"], row["architecture"], row["memoryMB"]) == ("billed", "1", "x86_64", 512)
    assert (row["requests"], row["errors"], row["timeouts"]) == (6, 3, 1)
    assert row["billedMs"] == sum(int(line["billed"]) for line in found)
    assert row["gbSeconds"] == row["billedMs"] / 2000
    assert row["maxMemoryUsedMB"] == max(int(line["used"]) for line in found) > 0
    assert abs(row["initMs"] - float(found[0]["init"])) < 0.01
    assert 0 < row["wasted"] < row["cost"]
    assert row["suggestedMemoryMB"] < 512


def test_versions_are_told_apart_and_times_are_kept(server: RuntimeProcess) -> None:
    server.create("apart", SOURCE, publish=True)
    server.client().invoke(FunctionName="apart:1", Payload=b"{}")
    server.client().invoke(FunctionName="apart", Payload=b"{}")
    assert sorted(row["version"] for row in told(server, "apart")) == ["$LATEST", "1"]
    assert report(server.port, time.time() - 7200, time.time() - 3600, "apart")["functions"] == []


def test_usage_survives_a_killed_server(own_server: Callable[..., RuntimeProcess]) -> None:
    server = own_server()
    server.create("lasting", SOURCE)
    server.client().invoke(FunctionName="lasting", Payload=b"{}")
    (before,) = told(server, "lasting")
    time.sleep(1.2)  # the writer writes twice a second
    server.kill()
    server.start()
    assert told(server, "lasting") == [before]

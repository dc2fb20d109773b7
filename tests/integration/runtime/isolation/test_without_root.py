"""What is in force for a server that is not root, or is root in name only, and what it says of the rest."""

from __future__ import annotations

import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.runtime_process import RuntimeProcess, until

NAME_ONLY = ("unshare", "--user", "--map-root-user")
"""Root of a user namespace: to the machine, whoever has started it."""
_FORBID = 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
POWERLESS = (*NAME_ONLY, "sh", "-c", _FORBID, "sh")
"""The same without capabilities, and without user namespaces to gain any in."""
WITHOUT = {"user namespaces": NAME_ONLY, "nothing": POWERLESS, "switched off": ()}


def invoke(server: RuntimeProcess, name: str, event: Any = None) -> Any:
    """The decoded result, or error."""
    answer = server.client().invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail")
    return json.loads(answer["Payload"].read())


@pytest.fixture(params=WITHOUT)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RuntimeProcess]:
    """A server that may do no more than that."""
    through = WITHOUT[request.param]
    if through and subprocess.run([*through, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip(f"this machine does not allow: {' '.join(through)}")
    options = () if through else ("--isolation", "off")
    process = RuntimeProcess(tmp_path / "home", *options, through=through)
    process.start()
    yield process
    if process.running:
        assert process.stop() == 0
    assert process.descendants() == []


def is_isolated(server: RuntimeProcess) -> bool:
    """Whether the server says so."""
    return "NOT isolated" not in (server.home.parent / "runtime.log").read_text()


def test_environments_are_forked_from_one_template_that_goes_on_living(server: RuntimeProcess) -> None:
    template = server.template()
    assert template
    for number in range(3):
        server.create(f"one{number}", "def handler(event, context):\n    return event\n")
        assert invoke(server, f"one{number}", {"a": number}) == {"a": number}
    assert server.template() == template


def test_what_is_not_enforced_is_said_in_both_logs(server: RuntimeProcess) -> None:
    server.create("told", "import os\ndef handler(event, context):\n    return os.environ['LAMBDA_TASK_ROOT']\n")
    isolated = invoke(server, "told") == "/var/task"
    assert isolated is is_isolated(server)
    wanted = ["share one user id"] if isolated else ["NOT isolated", "its /tmp, whose size is not enforced"]
    if os.geteuid() != 0:  # else this machine's control groups are the server's own, whatever it may not do besides
        wanted.append("memory is watched")
    of_the_server = (server.home.parent / "runtime.log").read_text()
    of_the_function = server.log_text("told")
    for words in wanted:
        assert words in of_the_server
        assert words in of_the_function
    assert ("/tmp is kept in memory; its size is enforced" in of_the_function) is isolated


def test_memory_is_held_to_what_was_asked_for(server: RuntimeProcess) -> None:
    source = """
import time
def handler(event, context):
    taken = b"1" * (event["mb"] << 20)
    time.sleep(0.5 if event["mb"] < 100 else 20)
    return len(taken) >> 20
"""
    server.create("greedy", source, MemorySize=128, Timeout=30)
    assert invoke(server, "greedy", {"mb": 30}) == 30
    assert invoke(server, "greedy", {"mb": 300})["errorType"] == "Runtime.OutOfMemory"
    assert invoke(server, "greedy", {"mb": 30}) == 30


def test_the_size_of_tmp_is_enforced_where_there_is_one(server: RuntimeProcess) -> None:
    if not is_isolated(server):
        pytest.skip("there is no /tmp of its own: the logs say so")
    source = """
def handler(event, context):
    written = 0
    try:
        with open("/tmp/full", "wb") as file:
            for written in range(event["mb"]):
                file.write(b"1" * (1 << 20))
                file.flush()
    except OSError as error:
        return [written, error.errno]
    return [written + 1, 0]
"""
    server.create("writes", source, MemorySize=128, Timeout=60)
    assert invoke(server, "writes", {"mb": 200}) == [200, 0], "twice its memory"
    written, number = invoke(server, "writes", {"mb": 600})
    assert (written // 10, number) == (51, 28)


def test_layers_are_found(server: RuntimeProcess) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("python/lent.py", "VALUE = 7\n")
    made = server.client().publish_layer_version(LayerName="lent", Content={"ZipFile": buffer.getvalue()})
    source = "import lent\ndef handler(event, context):\n    return lent.VALUE\n"
    server.create("borrows", source, Layers=[made["LayerVersionArn"]])
    assert invoke(server, "borrows") == 7


LEAVES = """
import subprocess, time
def handler(event, context):
    subprocess.Popen(["sleep", event["mark"]], start_new_session=True)
    time.sleep(event["s"])
"""


def sleeps(mark: str) -> bool:
    """Whether somebody on this machine sleeps for so long."""
    command = f"sleep\0{mark}\0".encode()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes() == command:
                return True
        except OSError:
            continue
    return False


def test_a_timeout_ends_what_the_handler_started(server: RuntimeProcess) -> None:
    mark = f"7{os.getpid()}"
    server.create("late", LEAVES, Timeout=1)
    assert invoke(server, "late", {"mark": mark, "s": 30})["errorType"] == "Sandbox.Timedout"
    until(lambda: not sleeps(mark))


def test_a_killed_server_leaves_nothing_behind(server: RuntimeProcess) -> None:
    mark = f"8{os.getpid()}"
    server.create("stays", LEAVES, Timeout=30)
    invoke(server, "stays", {"mark": mark, "s": 0})
    assert sleeps(mark), "the environment is kept, and what was started in it"
    server.kill()
    until(lambda: not server.descendants())
    until(lambda: not sleeps(mark))
    server.start()
    assert invoke(server, "stays", {"mark": mark, "s": 0}) is None

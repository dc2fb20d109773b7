"""What a handler may use is bounded: disk, memory, processes, descriptors, processor time; and its time on earth."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from typing import Any

import pytest

from tests.fakes.runtime_process import WHO, Connection, RuntimeProcess, host_pid, until, who
from tests.integration.runtime.isolation.calls import ask, call

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="full isolation takes root")
MB = 1 << 20


def report(server: RuntimeProcess, name: str, event: Any = None) -> tuple[Any, dict[str, str]]:
    """The result, and the fields of the REPORT line."""
    answer = server.client().invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    fields = log.rpartition("REPORT ")[2].split("\t")
    return json.loads(answer["Payload"].read()), dict(field.strip().split(": ") for field in fields if ": " in field)


DISK = """
import os
def handler(event, context):
    written, piece = 0, b"x" * (1 << 20)
    try:
        with open("/tmp/large", "wb") as file:
            while written < event["mb"]:
                file.write(piece)
                written += 1
    except OSError as error:
        return [written, error.strerror]
    finally:
        if not event.get("keep"):
            os.remove("/tmp/large")
    return [written, ""]
"""


def test_tmp_has_its_size_and_no_more(server: RuntimeProcess) -> None:
    before = shutil.disk_usage(server.home).free
    server.create("disk", DISK, Timeout=60, MemorySize=1769)
    written, why = call(server, "disk", {"mb": 2000})
    assert 512 <= written <= 530
    assert why == "No space left on device"
    server.client().delete_function(FunctionName="disk")
    until(lambda: shutil.disk_usage(server.home).free > before - 300 * MB)


def test_a_larger_tmp_is_larger(server: RuntimeProcess) -> None:
    server.create("disk-700", DISK, Timeout=60, MemorySize=1769, EphemeralStorage={"Size": 700})
    written, why = call(server, "disk-700", {"mb": 2000})
    assert 700 <= written <= 720
    assert why == "No space left on device"


def test_what_is_in_tmp_does_not_count_as_memory(server: RuntimeProcess) -> None:
    server.create("disk-small", DISK, Timeout=60, MemorySize=128)
    assert call(server, "disk-small", {"mb": 400, "keep": True}) == [400, ""]


def test_tmp_runs_out_of_files_at_some_time(server: RuntimeProcess) -> None:
    source = """
def handler(event, context):
    for number in range(1_000_000):
        try:
            open(f"/tmp/{number}", "w").close()
        except OSError as error:
            return [number, error.strerror]
"""
    server.create("files", source, Timeout=60, MemorySize=1769)
    number, why = call(server, "files")
    assert 1000 < number < 100_000
    assert why == "No space left on device"


MEMORY = """
import ctypes, mmap, os
held = []
def handler(event, context):
    how, mb = event["how"], event["mb"]
    if how == "bytes":
        held.append(bytearray(os.urandom(1 << 20)) * mb)
    elif how == "map":
        area = mmap.mmap(-1, mb << 20)
        for at in range(0, mb << 20, 4096):
            area[at] = 1
        held.append(area)
    elif how == "file":
        descriptor = os.memfd_create("large")
        for _ in range(mb):
            os.write(descriptor, b"x" * (1 << 20))
        held.append(descriptor)
    elif how == "children":
        for _ in range(8):
            if os.fork() == 0:
                own = bytearray(b"x" * (mb << 17))
                import time; time.sleep(5)
                os._exit(0)
        for _ in range(8):
            status = os.wait()[1]
            if status:
                return status
    return "lives"
"""


@pytest.mark.parametrize("how", ["bytes", "map", "file"])
def test_who_takes_too_much_memory_is_killed_and_said_so(server: RuntimeProcess, how: str) -> None:
    name = f"memory-{how}"
    server.create(name, MEMORY, Timeout=30, MemorySize=256)
    assert call(server, name, {"how": how, "mb": 150}) == "lives"
    body, fields = report(server, name, {"how": how, "mb": 400})
    assert body["errorType"] == "Runtime.OutOfMemory", body
    assert body["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert fields["Max Memory Used"] == "256 MB"
    assert call(server, name, {"how": how, "mb": 1}) == "lives"


def test_memory_of_children_counts(server: RuntimeProcess) -> None:
    server.create("memory-children", MEMORY, Timeout=60, MemorySize=512)
    body = ask(server, "memory-children", {"how": "children", "mb": 800})
    assert body == 9 or body.get("errorType") == "Runtime.OutOfMemory"


def test_memory_used_is_counted_as_if_nothing_were_shared(server: RuntimeProcess) -> None:
    source = "held = []\ndef handler(e, c):\n    held.append(b'x' * (e['mb'] << 20))\n"
    server.create("plain", source, MemorySize=512)
    server.create("with-boto3", "import boto3\n" + source, MemorySize=512)

    def used(name: str, mb: int) -> int:
        time.sleep(1.1)  # it is read at most once a second
        return int(report(server, name, {"mb": mb})[1]["Max Memory Used"].removesuffix(" MB"))

    assert 10 <= used("plain", 0) <= 40
    assert used("with-boto3", 0) - used("plain", 0) >= 15
    before = used("plain", 0)
    assert 90 <= used("plain", 100) - before <= 130


def test_processes_and_threads_are_bounded_and_a_fork_bomb_harms_nobody(server: RuntimeProcess) -> None:
    source = """
import os, threading, time
def handler(event, context):
    if event.get("threads"):
        stop, started = threading.Event(), 0
        try:
            for started in range(5000):
                threading.Thread(target=stop.wait, daemon=True).start()
        except RuntimeError:
            pass
        stop.set()
        return started
    started = 0
    try:
        for started in range(5000):
            if os.fork() == 0:
                while True:
                    try:
                        os.fork()
                    except OSError:
                        time.sleep(0.2)
    except OSError:
        pass
    print("forked", started, flush=True)
    time.sleep(60)
"""
    server.create("bomb", source, Timeout=4, MemorySize=512)
    server.create("bystander", "def handler(e, c):\n    return 'well'\n")
    assert 500 < call(server, "bomb", {"threads": True}) <= 1024
    connection = Connection(server.port)
    assert json.loads(connection.invoke("bystander")[2]) == "well"
    began = time.monotonic()
    body = ask(server, "bomb")
    assert body.get("errorType") in {"Sandbox.Timedout", "Runtime.OutOfMemory", "Runtime.ExitError"}
    assert time.monotonic() - began < 8
    assert json.loads(connection.invoke("bystander")[2]) == "well"
    assert call(server, "bomb", {"threads": True}) > 500, "all of them are gone"


def test_descriptors_are_bounded(server: RuntimeProcess) -> None:
    source = """
import os
def handler(event, context):
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return [len(held), error.strerror]
    finally:
        for each in held:
            os.close(each)
"""
    server.create("descriptors", source)
    count, why = call(server, "descriptors")
    assert 900 < count < 1024
    assert why == "Too many open files"


def test_processor_time_is_in_proportion_to_memory(server: RuntimeProcess) -> None:
    source = """
import time
def handler(event, context):
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() - began < 1.5:
        pass
    return (time.process_time() - used) / (time.monotonic() - began)
"""
    server.create("spins", source, Timeout=20, MemorySize=354)
    assert call(server, "spins") <= 354 / 1769 * 1.3


def test_an_init_has_the_whole_processor(server: RuntimeProcess) -> None:
    source = """
import time
began, used = time.monotonic(), time.process_time()
while time.process_time() - used < 0.3:
    pass
share = 0.3 / (time.monotonic() - began)
def handler(event, context):
    return share
"""
    server.create("starts", source, MemorySize=128)
    assert call(server, "starts") > 0.15


SURVIVES = """
import os, signal, subprocess, sys, time
def handler(event, context):
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            with open("/tmp/who", "w") as file:
                file.write(WHO)
            while True:
                with open("/tmp/ticks", "a") as file:
                    file.write("x")
                time.sleep(0.01)
        os._exit(0)
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    while not os.path.exists("/tmp/who") or not open("/tmp/who").read():
        time.sleep(0.01)
    print("STRAY", open("/tmp/who").read(), flush=True)
    while True:
        time.sleep(1)
"""


def test_nothing_survives_a_timeout(server: RuntimeProcess) -> None:
    after = "import os\ndef handler(e, c):\n    return os.path.getsize('/tmp/ticks')\n"
    source = SURVIVES.replace("WHO", WHO).replace("def handler", "def stay") + after.replace(
        "def handler(e, c):\n", "def handler(e, c):\n    if e.get('stay'):\n        stay(e, c)\n"
    )
    server.create("survives", source, Timeout=2, MemorySize=1769)
    assert ask(server, "survives", {"stay": 1})["errorType"] == "Sandbox.Timedout"
    stray = server.log_text("survives").partition("STRAY ")[2].partition("\n")[0]
    assert stray
    until(lambda: host_pid(stray) is None)
    size = call(server, "survives")
    time.sleep(0.2)
    assert call(server, "survives") == size > 0


def test_whoever_kills_all_it_can_kills_itself_alone(server: RuntimeProcess) -> None:
    source = """
import contextlib, os, signal
def handler(event, context):
    if event.get("kill"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        os.kill(0, signal.SIGKILL)
    return "here"
"""
    server.create("kills", source)
    server.create("lives", f"import os\ndef handler(e, c):\n    return {WHO}\n")
    other = call(server, "lives")
    body = ask(server, "kills", {"kill": 1})
    assert body == "here" or body["errorType"] == "Runtime.ExitError"
    assert call(server, "kills") == "here"
    assert call(server, "lives") == other


def test_processes_left_between_invocations_go_with_the_environment(server: RuntimeProcess) -> None:
    source = f"""
import os, subprocess
def handler(event, context):
    left = subprocess.Popen(["sleep", "600"], start_new_session=True)
    return {who("left.pid")}
"""
    server.create("leaves", source)
    left = call(server, "leaves")
    assert host_pid(left) is not None
    server.client().delete_function(FunctionName="leaves")
    until(lambda: host_pid(left) is None)


def test_a_flood_of_output_and_nonsense_leaves_the_server_well(server: RuntimeProcess) -> None:
    source = """
import os, socket
def handler(event, context):
    for _ in range(200):
        os.write(1, b"y" * (1 << 16))
    os.write(2, bytes(range(256)) * 256)
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
    end = b"\\r\\n\\r\\n"
    for nonsense in (b"\\0" * 100_000, b"GET " + b"/" * 200_000, b"POST / HTTP/1.1\\r\\nContent-Length: -5" + end,
                     b"POST /2018-06-01/runtime/x HTTP/1.1\\r\\nTransfer-Encoding: chunked" + end + b"z" + end):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(nonsense)
    held = [socket.create_connection((host, int(port))) for _ in range(300)]
    return len(held)
"""
    server.create("floods", source, Timeout=30, MemorySize=1769)
    assert call(server, "floods") == 300
    server.create("unflooded", "def handler(e, c):\n    return 'well'\n")
    assert call(server, "unflooded") == "well"
    assert call(server, "floods") == 300


def test_a_result_for_somebody_else_s_invocation_is_refused(server: RuntimeProcess) -> None:
    source = """
import http.client, os
def handler(event, context):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    other = "00000000-0000-4000-8000-000000000000"
    connection.request("POST", f"/2018-06-01/runtime/invocation/{other}/response", b"forged")
    answer = connection.getresponse()
    return [answer.status, answer.read().decode()]
"""
    server.create("forges", source)
    status, text = call(server, "forges")
    assert status == 400
    assert "InvalidRequestID" in text

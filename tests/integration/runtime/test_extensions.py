"""External and internal extensions as real processes: init, invocations, errors, the Shutdown phase, telemetry."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.extension import PYTHON, WATCHER, extension, layer
from tests.fakes.runtime_process import ECHO, RuntimeProcess, until

pytestmark = pytest.mark.skipif(not PYTHON, reason="no python3 where a sandbox would find it")


def create(server: RuntimeProcess, name: str, extensions: dict[str, str], source: str = ECHO, **more: Any) -> None:
    """A function with a layer that has these extensions."""
    files = {f"extensions/{each}": extension(body) for each, body in extensions.items()}
    made = server.client().publish_layer_version(LayerName=name, Content={"ZipFile": layer(files)})
    server.create(name, source, Layers=[made["LayerVersionArn"]], **more)


def invoke(server: RuntimeProcess, name: str, event: Any = None, *, tail: bool = True) -> tuple[dict[str, Any], Any]:
    """The answer and its decoded body; the log tail is under `log`."""
    kind = "Tail" if tail else "None"
    answer = server.client().invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType=kind)
    answer["log"] = base64.b64decode(answer.get("LogResult", "")).decode()
    return answer, json.loads(answer["Payload"].read())


def lines(server: RuntimeProcess, name: str) -> list[str]:
    """The function's log without timestamps."""
    return [line.partition(" ")[2] for line in server.log_text(name).splitlines()]


def are_running(extension: str) -> bool:
    """Whether an extension of that name runs anywhere on this machine."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if f"/extensions/{extension}\0" in (entry / "cmdline").read_text():
                    return True
    return False


def test_extensions_register_before_the_runtime_starts_and_are_told_of_invocations(server: RuntimeProcess) -> None:
    late = "time.sleep(0.3)\nsay('late')\n" + WATCHER
    create(server, "watched", {"one": WATCHER, "two": late}, "print('function')\n" + ECHO)
    answer, body = invoke(server, "watched", {"n": 1})
    assert body == {"n": 1}
    request_id = answer["ResponseMetadata"]["RequestId"]
    until(lambda: server.log_text("watched").count(f": INVOKE {request_id}") == 2)
    log = lines(server, "watched")
    told = '200 {"functionName":"watched","functionVersion":"$LATEST","handler":"app.handler"}'
    assert {f"one: registered {told}", f"two: registered {told}"} <= set(log)
    ready = [line for line in log if line.startswith("EXTENSION")]
    assert ready == [f"EXTENSION\tName: {name}\tState: Ready\tEvents: [INVOKE,SHUTDOWN]" for name in ("one", "two")]
    order = [log.index("function"), log.index(ready[0]), next(i for i, text in enumerate(log) if text[:5] == "START")]
    assert order == sorted(order)
    assert log.index("function") > log.index("two: late")


def test_the_caller_has_its_answer_before_extensions_are_done_and_the_report_counts_them(
    server: RuntimeProcess,
) -> None:
    slow = WATCHER.replace("    say(", "    time.sleep(0.7)\n    say(")
    create(server, "overhead", {"slow": slow}, Timeout=5)
    invoke(server, "overhead", tail=False)
    until(lambda: "REPORT" in server.log_text("overhead"))
    began = time.monotonic()
    invoke(server, "overhead", tail=False)
    assert time.monotonic() - began < 0.6
    until(lambda: server.log_text("overhead").count("REPORT") == 2)
    second = [line for line in lines(server, "overhead") if line.startswith("REPORT")][1]
    duration = float(re.search(r"Duration: ([\d.]+) ms", second)[1])  # type: ignore[index]
    assert duration >= 700


def test_an_environment_whose_extensions_work_is_not_given_another_invocation(server: RuntimeProcess) -> None:
    slow = WATCHER.replace("    say(", "    time.sleep(3)\n    say(")
    source = "import os\ndef handler(e, c):\n    return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']\n"
    create(server, "occupied", {"slow": slow}, source, Timeout=5)
    _, first = invoke(server, "occupied", tail=False)
    _, second = invoke(server, "occupied", tail=False)
    assert first != second


def test_an_extension_that_never_asks_again_is_a_timeout_of_the_function(server: RuntimeProcess) -> None:
    create(server, "hung", {"hung": WATCHER.replace("    say(", "    time.sleep(60)\n    say(")}, Timeout=1)
    answer, body = invoke(server, "hung", {"n": 1}, tail=False)
    assert (body, answer.get("FunctionError")) == ({"n": 1}, None)
    until(lambda: "Status: timeout" in server.log_text("hung"))
    assert "Task timed out after 1.00 seconds" in server.log_text("hung")


@pytest.mark.parametrize(
    ("name", "body", "error_type", "message"),
    [
        ("init-error", "me = register('INVOKE')\nreport(me, 'init', 'Extension.NoConfig')\nsys.exit(0)\n",
         "Extension.InitError", "exit code 0"),
        ("exit-error", "me = register('INVOKE')\nnext_event(me)\nreport(me, 'exit', 'Extension.Tired')\nsys.exit(3)\n",
         "Extension.ExitError", "exit status 3"),
        ("crash", "register('INVOKE')\nsys.exit(2)\n", "Extension.Crash", "exit status 2"),
        ("mute", "sys.exit(0)\n", "Extension.Crash", "exit code 0"),
    ],
)  # fmt: skip
def test_an_extension_that_fails_breaks_the_invocation(
    server: RuntimeProcess, name: str, body: str, error_type: str, message: str
) -> None:
    slow_handler = "import time\ndef handler(e, c):\n    time.sleep(1)\n"
    create(server, f"broken-{name}", {"broken": body}, slow_handler)
    answer, result = invoke(server, f"broken-{name}")
    assert answer["FunctionError"] == "Unhandled"
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert result == {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    assert f"Status: error\tError Type: {error_type}" in answer["log"]


def test_an_extension_that_cannot_be_started_is_a_launch_error(server: RuntimeProcess) -> None:
    content = layer({"extensions/broken": "#!/bin/sh\n"}, mode=0o644)
    made = server.client().publish_layer_version(LayerName="launch", Content={"ZipFile": content})
    server.create("launch", Layers=[made["LayerVersionArn"]])
    answer, body = invoke(server, "launch")
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == "Extension.LaunchError"
    assert body["errorMessage"].endswith("/extensions/broken: permission denied")
    until(lambda: "EXTENSION\tName: broken\tState: LaunchError\tEvents: []" in server.log_text("launch"))


def test_more_than_ten_extensions_are_refused(server: RuntimeProcess) -> None:
    create(server, "eleven", {f"e{number:02}": WATCHER for number in range(11)})
    _, body = invoke(server, "eleven")
    assert body["errorType"] == "Extension.LaunchError"


def test_a_timeout_shuts_the_extensions_down_and_keeps_tmp(server: RuntimeProcess) -> None:
    source = """
import os, time
from pathlib import Path
kept = Path(os.environ.get("TMPDIR", "/tmp"), "kept")
def handler(event, context):
    seen = kept.exists()
    kept.touch()
    time.sleep(event.get("sleep", 0))
    return seen
"""
    create(server, "reset", {"reset-watcher": WATCHER}, source, Timeout=1)
    _, body = invoke(server, "reset", {"sleep": 30})
    assert body["errorType"] == "Sandbox.Timedout"
    until(lambda: "watcher: SHUTDOWN  timeout" in server.log_text("reset"))
    until(lambda: not are_running("reset-watcher"))
    assert invoke(server, "reset", tail=False)[1] is True
    until(lambda: server.log_text("reset").count("watcher: registered") >= 2)


def test_a_crash_shuts_the_extensions_down(server: RuntimeProcess) -> None:
    create(server, "crashes", {"watcher": WATCHER}, "import os\ndef handler(e, c):\n    os._exit(1)\n")
    _, body = invoke(server, "crashes")
    assert body["errorType"] == "Runtime.ExitError"
    until(lambda: "watcher: SHUTDOWN  failure" in server.log_text("crashes"))


def test_an_idle_environment_is_shut_down_with_its_signals(own_server: Any) -> None:
    server = own_server("--idle-seconds", "0.3")
    source = """
import signal, sys
def leave(*_):
    print("runtime: SIGTERM", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
def handler(event, context):
    return event
"""
    deaf = "me = register('INVOKE')\nsignal.signal(signal.SIGTERM, lambda *_: say('SIGTERM'))\n"
    deaf += "while True: next_event(me)\n"
    create(server, "ends", {"watcher": WATCHER, "unsubscribed": deaf}, source, Runtime="python3.13")
    invoke(server, "ends")
    until(lambda: "watcher: SHUTDOWN  spindown" in server.log_text("ends"))
    log = lines(server, "ends")
    assert log.index("runtime: SIGTERM") < log.index("watcher: SHUTDOWN  spindown")
    assert not any("unsubscribed: SIGTERM" in line for line in log)
    until(lambda: not are_running("unsubscribed"))


def test_extensions_that_do_not_end_are_killed_after_two_seconds(own_server: Any) -> None:
    server = own_server("--idle-seconds", "0.2")
    stubborn = "me = register('SHUTDOWN')\nevent = next_event(me)\nsay('told', event['shutdownReason'])\n"
    stubborn += "say('limit', round(event['deadlineMs'] / 1000 - time.time(), 1))\n"
    stubborn += "while True:\n    time.sleep(0.1)\n    say('alive')\n"
    create(server, "stubborn", {"stubborn": stubborn})
    invoke(server, "stubborn")
    until(lambda: "stubborn: told spindown" in server.log_text("stubborn"))
    began = time.monotonic()
    count = -1

    def is_silent() -> bool:
        nonlocal count
        before, count = count, server.log_text("stubborn").count("alive")
        time.sleep(0.3)
        return bool(count == before)

    until(is_silent)
    assert 1.2 < time.monotonic() - began < 4
    limit = float(re.search(r"stubborn: limit ([\d.]+)", server.log_text("stubborn"))[1])  # type: ignore[index]
    assert 1.5 <= limit <= 2.0


def test_an_orderly_stop_of_the_server_lets_extensions_end(own_server: Any) -> None:
    server = own_server()
    create(server, "stops", {"watcher": WATCHER})
    invoke(server, "stops")
    assert server.stop() == 0
    assert "watcher: SHUTDOWN  spindown" in server.log_text("stops")


INTERNAL = """
import http.client, json, os, threading
api = os.environ["AWS_LAMBDA_RUNTIME_API"]
seen = []
def call(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(api)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()
register = "/2020-01-01/extension/register"
refused = call("POST", register, json.dumps({"events": ["SHUTDOWN"]}), Lambda_Extension_Name="inner")
status, headers, body = call("POST", register, json.dumps({"events": ["INVOKE"]}), Lambda_Extension_Name="inner")
def follow():
    while True:
        event = call("GET", "/2020-01-01/extension/event/next",
            Lambda_Extension_Identifier=headers["Lambda-Extension-Identifier"])
        seen.append(json.loads(event[2])["eventType"])
threading.Thread(target=follow, daemon=True).start()
def handler(event, context):
    late = call("POST", register, json.dumps({"events": []}), Lambda_Extension_Name="late")
    return [status, refused[0], json.loads(refused[2])["errorType"], json.loads(late[2])["errorType"], len(seen)]
"""


def test_an_internal_extension_registers_during_init_and_gets_invocations(server: RuntimeProcess) -> None:
    server.create("internal", INTERNAL)
    _, body = invoke(server, "internal")
    assert body[:4] == [200, 403, "Extension.InvalidEventType", "Extension.RegistrationClosed"]
    until(lambda: "EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]" in server.log_text("internal"))
    until(lambda: invoke(server, "internal")[1][4] >= 1)


def test_extensions_do_not_see_what_is_the_function_s_alone(server: RuntimeProcess) -> None:
    nosy = "say('sees', sorted(name for name in os.environ if 'HANDLER' in name or 'TASK_ROOT' in name))\n" + WATCHER
    create(server, "nosy", {"nosy": nosy}, Environment={"Variables": {"COLOUR_HANDLER": "blue"}})
    invoke(server, "nosy")
    until(lambda: "nosy: sees ['COLOUR_HANDLER']" in server.log_text("nosy"))


LISTENER = """
import http.server
received = []
class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for event in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            say("telemetry", json.dumps(event))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("sandbox.localdomain", PORT), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
me = register("INVOKE", "SHUTDOWN")
uri = "http://sandbox.localdomain:%d" % server.server_address[1]
say("subscribed", *subscribe(me, types=["platform", "function"], buffering={"timeoutMs": 25},
    destination={"protocol": "HTTP", "URI": uri})[::2])
while True:
    event = next_event(me)
    if event["eventType"] == "SHUTDOWN":
        time.sleep(0.1)
        sys.exit(0)
"""


def telemetry(server: RuntimeProcess, name: str) -> list[dict[str, Any]]:
    """The events that the extension `listener` received."""
    mark = "listener: telemetry "
    return [json.loads(line.partition(mark)[2]) for line in lines(server, name) if line.startswith(mark)]


def test_telemetry_tells_of_init_invocations_and_function_logs(server: RuntimeProcess) -> None:
    create(server, "told", {"listener": LISTENER.replace("PORT", "0")}, "def handler(e, c):\n    print('hello')\n")
    answer, _ = invoke(server, "told")
    request_id = answer["ResponseMetadata"]["RequestId"]
    until(lambda: any(event["type"] == "platform.report" for event in telemetry(server, "told")))
    events = telemetry(server, "told")
    kinds = [event["type"] for event in events]
    assert kinds == [
        "platform.initStart", "platform.telemetrySubscription", "platform.initRuntimeDone", "platform.extension",
        "platform.initReport", "platform.start", "function", "platform.runtimeDone", "platform.report",
    ]  # fmt: skip
    records = {event["type"]: event["record"] for event in events}
    assert records["function"] == "hello"
    assert records["platform.extension"] == {"name": "listener", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    assert records["platform.start"]["requestId"] == records["platform.report"]["requestId"] == request_id
    assert records["platform.runtimeDone"]["status"] == records["platform.report"]["status"] == "success"
    assert records["platform.report"]["metrics"]["memorySizeMB"] == 128
    log = server.log_text("told")
    assert 'listener: subscribed 200 "OK"' in log
    assert "TELEMETRY\tName: listener\tState: Subscribed\tTypes: [Platform, Function]" in log


def test_extensions_of_several_environments_may_listen_on_the_same_port(server: RuntimeProcess) -> None:
    source = "import time\ndef handler(e, c):\n    print('mark', e['n'])\n    time.sleep(1)\n"
    create(server, "same", {"listener": LISTENER.replace("PORT", "4243")}, source, Timeout=20)
    threads = [threading.Thread(target=invoke, args=(server, "same", {"n": number})) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: sum(event["type"] == "platform.report" for event in telemetry(server, "same")) == 3)
    streams = (server.home / "logs" / "aws" / "lambda" / "same").rglob("*.log")
    for text in (path.read_text() for path in streams):
        assert len(re.findall(r'listener: telemetry .*"record": "mark \d"', text)) == len(
            re.findall(r"Z mark \d", text)
        )

"""Handlers in real execution environments: what they see, how they are reused, and what happens when they break."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes.runtime_process import WHO, RuntimeProcess, host_pid, until, who


def invoke(server: RuntimeProcess, name: str, event: Any = None) -> tuple[dict[str, Any], Any]:
    """The answer and its decoded body; the log tail is under `log`."""
    answer = server.client().invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail")
    answer["log"] = base64.b64decode(answer["LogResult"]).decode()
    return answer, json.loads(answer["Payload"].read())


SEES = """
import json, os, sys
def handler(event, context):
    return {
        "path": sys.path, "cwd": os.getcwd(), "environment": dict(os.environ), "argv": sys.argv,
        "modules": [name for name in ("core", "runtime", "prefect", "boto3") if name in sys.modules],
        "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn, "name": context.function_name,
        "left": context.get_remaining_time_in_millis(), "umask": os.umask(0o022),
        "found": [name for entry in sys.path if os.path.isdir(entry) for name in os.listdir(entry)],
    }
"""


def test_a_handler_sees_the_documented_environment_and_nothing_else(server: RuntimeProcess) -> None:
    server.create("sees", SEES, Environment={"Variables": {"COLOUR": "blue", "TZ": "Europe/Paris"}}, MemorySize=256)
    _, seen = invoke(server, "sees")
    environment = seen["environment"]
    root = environment["LAMBDA_TASK_ROOT"]
    assert seen["cwd"] == root
    assert seen["path"][0] == root
    assert environment["COLOUR"] == "blue"
    assert environment["TZ"] == "Europe/Paris"
    assert environment["_HANDLER"] == "app.handler"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "sees"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == seen["memory"] == "256"
    assert environment["AWS_ENDPOINT_URL"] == server.url
    assert "HOME" not in environment
    assert "VIRTUAL_ENV" not in environment
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert seen["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:sees"
    assert 0 < seen["left"] <= 3000


def test_a_handler_finds_neither_penstock_nor_its_site_packages(server: RuntimeProcess) -> None:
    server.create("path", SEES)
    _, seen = invoke(server, "path")
    repository = str(Path(__file__).parents[3])
    assert not [entry for entry in seen["path"] if entry.startswith(repository)]
    assert seen["modules"] == []
    names = set(seen["found"])
    assert {"awslambdaric", "boto3", "botocore", "jmespath", "s3transfer", "urllib3"} <= names
    assert not names & {"prefect", "sqlalchemy", "pydantic", "starlette", "pytest", "pip"}


def test_a_handler_s_own_aws_calls_stay_on_this_machine(server: RuntimeProcess) -> None:
    source = """
import boto3
def handler(event, context):
    names = [f["FunctionName"] for f in boto3.client("lambda").list_functions()["Functions"]]
    return [names, boto3.client("sqs").meta.endpoint_url]
"""
    server.create("calls", source, Timeout=30)
    _, (names, address) = invoke(server, "calls")
    assert "calls" in names
    assert address == server.url


def test_an_environment_is_reused_and_counts_on_its_globals(server: RuntimeProcess) -> None:
    server.create(
        "counts", "import os\nseen = []\ndef handler(e, c):\n    seen.append(1)\n    return [os.getpid(), len(seen)]\n"
    )
    answers = [invoke(server, "counts")[1] for _ in range(5)]
    assert [count for _, count in answers] == [1, 2, 3, 4, 5]
    assert len({pid for pid, _ in answers}) == 1


def test_overlapping_invocations_run_at_the_same_time_in_environments_of_their_own(server: RuntimeProcess) -> None:
    server.create("slow", f"import os, time\ndef handler(e, c):\n    time.sleep(0.5)\n    return {WHO}\n")
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(invoke(server, "slow")[1])) for _ in range(4)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 4
    assert time.monotonic() - began < 1.9


def test_new_code_is_run_by_a_new_environment(server: RuntimeProcess) -> None:
    server.create("changes", "def handler(e, c):\n    return 'old'\n")
    assert invoke(server, "changes")[1] == "old"
    server.update("changes", "def handler(e, c):\n    return 'new'\n")
    assert invoke(server, "changes")[1] == "new"


BREAKS = """
import os, signal, sys, tempfile, time
from pathlib import Path
count = 0
def handler(event, context):
    global count
    count += 1
    kept = Path(tempfile.gettempdir(), "kept")
    if event.get("keep"):
        kept.write_text("here")
    if event.get("exit") is not None:
        sys.exit(event["exit"])
    if event.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if event.get("raise"):
        raise KeyError("missing")
    time.sleep(event.get("sleep", 0))
    return [count, kept.exists(), os.getpid()]
"""


def test_an_exception_leaves_the_environment_warm(server: RuntimeProcess) -> None:
    server.create("raises", BREAKS)
    answer, body = invoke(server, "raises", {"raise": 1})
    assert answer["FunctionError"] == "Unhandled"
    assert (body["errorType"], body["errorMessage"]) == ("KeyError", "'missing'")
    assert invoke(server, "raises")[1][0] == 2


def test_a_timeout_ends_the_invocation_on_time_and_resets_the_environment_but_not_its_tmp(
    server: RuntimeProcess,
) -> None:
    server.create("sleeps", BREAKS, Timeout=1)
    invoke(server, "sleeps")
    began = time.monotonic()
    answer, body = invoke(server, "sleeps", {"sleep": 30, "keep": 1})
    passed_s = time.monotonic() - began
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert 1.0 <= passed_s < 1.5
    assert answer["FunctionError"] == "Unhandled"
    assert body == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
    assert f"{request_id} Task timed out after 1.00 seconds\n" in answer["log"]
    assert "\tStatus: timeout" in answer["log"]
    assert invoke(server, "sleeps")[1][:2] == [1, True]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"exit": 1}, "Runtime exited with error: exit status 1"),
        ({"exit": 0}, "Runtime exited without providing a reason"),
        ({"kill": 1}, "Runtime exited with error: signal: killed"),
    ],
)
def test_a_process_that_ends_is_an_exit_error_and_the_next_invocation_starts_afresh(
    server: RuntimeProcess, event: dict[str, int], message: str
) -> None:
    name = f"exits-{'-'.join(map(str, (*event, *event.values())))}"
    server.create(name, BREAKS)
    answer, body = invoke(server, name, event)
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert answer["FunctionError"] == "Unhandled"
    assert body == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request_id} Error: {message}"}
    assert "Status: error\tError Type: Runtime.ExitError" in answer["log"]
    assert invoke(server, name)[1][0] == 1


@pytest.mark.parametrize(
    ("name", "source", "handler", "error_type", "message"),
    [
        ("import", "import nothing_like_it\n", "app.handler", "Runtime.ImportModuleError",
         "Unable to import module 'app': No module named 'nothing_like_it'"),
        ("syntax", "def handler(:\n", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
        ("missing", "x = 1\n", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("nodot", "x = 1\n", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler': "),
        ("raising", "raise RuntimeError('at import')\n", "app.handler", "RuntimeError", "at import"),
    ],
)  # fmt: skip
def test_a_failing_init_is_answered_with_its_error_and_logged_twice(
    server: RuntimeProcess, name: str, source: str, handler: str, error_type: str, message: str
) -> None:
    name = f"init-{name}"
    server.create(name, source, Handler=handler)
    answer, body = invoke(server, name)
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == error_type
    assert body["errorMessage"].startswith(message)
    until(lambda: "Phase: invoke" in server.log_text(name))
    assert f"\tPhase: init\tStatus: error\tError Type: {error_type}" in server.log_text(name)


def test_an_init_that_ends_the_process_is_an_exit_error(server: RuntimeProcess) -> None:
    server.create("init-exit", "import sys\nsys.exit(7)\n")
    answer, body = invoke(server, "init-exit")
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == "Runtime.ExitError"
    assert body["errorMessage"].endswith("Runtime exited with error: exit status 7")


def test_a_result_that_is_no_json_is_a_marshal_error(server: RuntimeProcess) -> None:
    server.create("marshal", "def handler(e, c):\n    return {1, 2}\n")
    _, body = invoke(server, "marshal")
    assert body["errorType"] == "Runtime.MarshalError"


def test_an_answer_above_six_megabytes_is_refused_and_one_below_is_not(server: RuntimeProcess) -> None:
    server.create("large", "def handler(e, c):\n    return 'x' * e['size']\n", Timeout=20)
    _, body = invoke(server, "large", {"size": 6_291_000})
    assert len(body) == 6_291_000
    answer, body = invoke(server, "large", {"size": 6_291_555})
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == "Function.ResponseSizeTooLarge"
    assert invoke(server, "large", {"size": 1})[1] == "x"


def test_what_a_handler_prints_is_in_the_log_between_start_and_end(server: RuntimeProcess) -> None:
    source = """
import sys
def handler(event, context):
    print("out")
    print("err", file=sys.stderr)
    print("no end", end="")
"""
    server.create("prints", source)
    answer, _ = invoke(server, "prints")
    lines = answer["log"].splitlines()
    assert lines[0].startswith("START RequestId: ")
    assert lines[1:4] == ["out", "err", "no end"]
    assert lines[4].startswith("END RequestId: ")
    assert "Init Duration: " in lines[5]
    assert "Init Duration: " not in invoke(server, "prints")[0]["log"]
    until(lambda: "INIT_START Runtime Version: python:3." in server.log_text("prints"))


def test_only_the_last_four_kilobytes_of_a_log_are_returned(server: RuntimeProcess) -> None:
    server.create("chatty", "def handler(e, c):\n    for n in range(20000): print('line', n)\n", Timeout=20)
    answer, _ = invoke(server, "chatty")
    assert len(answer["log"].encode()) == 4096
    assert "line 19999\n" in answer["log"]
    until(lambda: server.log_text("chatty").count(" line ") == 20000)


def test_another_minor_version_of_python_is_run_and_said_so(server: RuntimeProcess) -> None:
    other = "python3.13" if sys.version_info[1] != 13 else "python3.12"
    server.create("other", "import os\ndef handler(e, c):\n    return os.environ['AWS_EXECUTION_ENV']\n", Runtime=other)
    assert invoke(server, "other")[1] == f"AWS_Lambda_{other}"
    until(lambda: f"[WARN] {other} was asked for; this machine runs it on python3." in server.log_text("other"))


def test_processes_that_a_handler_leaves_behind_end_with_its_environment(server: RuntimeProcess) -> None:
    source = """
import os, subprocess, sys
def handler(event, context):
    if event.get("exit"):
        os._exit(1)
    sleeper = subprocess.Popen(["sleep", "300"])
    stray = subprocess.Popen(["sleep", "300"], start_new_session=True)
    return [THEM for pid in (sleeper.pid, stray.pid)]
""".replace("THEM", who("pid"))
    server.create("strays", source)
    _, strays = invoke(server, "strays")
    assert all(host_pid(stray) for stray in strays)
    invoke(server, "strays", {"exit": 1})
    until(lambda: not any(host_pid(stray) for stray in strays))


def test_idle_environments_are_retired(own_server: Any) -> None:
    server = own_server("--idle-seconds", "0.4")
    server.create("idle", f"import os\ndef handler(e, c):\n    return {WHO}\n")
    _, first = invoke(server, "idle")
    assert host_pid(first)
    until(lambda: not host_pid(first))
    assert invoke(server, "idle")[1] != first


def test_beyond_the_limit_of_environments_invocations_wait_and_other_functions_make_room(own_server: Any) -> None:
    server = own_server("--max-environments", "2")
    source = f"import os, time\ndef handler(e, c):\n    time.sleep(0.2)\n    return {WHO}\n"
    for name in ("one", "two", "three"):
        server.create(name, source)
    results: list[tuple[str, str]] = []

    def call(name: str) -> None:
        results.append((name, invoke(server, name)[1]))

    threads = [threading.Thread(target=call, args=(name,)) for name in ("one", "two", "three") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for name, _ in results) == ["one"] * 3 + ["three"] * 3 + ["two"] * 3
    until(lambda: len({each for _, each in results if host_pid(each)}) <= 2)


def test_beyond_the_concurrency_invocations_are_throttled(own_server: Any) -> None:
    server = own_server("--concurrency", "1")
    server.create("busy", "import time\ndef handler(e, c):\n    time.sleep(e.get('sleep', 0))\n", Timeout=10)
    invoke(server, "busy")
    seen: list[Any] = []

    def hold() -> None:
        """Take the one place for a while; a question of the other thread may have it at this moment."""
        with contextlib.suppress(ClientError):
            invoke(server, "busy", {"sleep": 1.5})
            return
        hold()

    holder = threading.Thread(target=hold)
    holder.start()

    def refused() -> bool:
        try:
            invoke(server, "busy")
        except ClientError as error:
            seen.append(error.response)
        return bool(seen)

    until(refused)
    holder.join()
    assert seen[0]["Error"]["Code"] == "TooManyRequestsException"
    assert seen[0]["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert seen[0]["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert seen[0]["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"


def test_an_init_that_takes_too_long_is_tried_again_inside_the_invocation(own_server: Any) -> None:
    server = own_server("--init-seconds", "0.4")
    server.create("slow-init", "import time\ntime.sleep(0.8)\ndef handler(e, c):\n    return 'ready'\n", Timeout=5)
    answer, body = invoke(server, "slow-init")
    assert body == "ready"
    assert "Init Duration" not in answer["log"]
    until(lambda: "\tPhase: init\tStatus: timeout" in server.log_text("slow-init"))


def test_an_init_inside_an_invocation_is_under_the_function_s_timeout(own_server: Any) -> None:
    server = own_server("--init-seconds", "0.4")
    server.create("never", "import time\ntime.sleep(60)\n", Timeout=1)
    answer, body = invoke(server, "never")
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == "Sandbox.Timedout"


def test_a_runtime_that_hangs_after_its_answer_is_replaced(own_server: Any) -> None:
    source = """
import os, time
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
def handler(event, context):
    if event.get("hang"):
        LambdaRuntimeClient.wait_next_invocation = lambda self: time.sleep(60)
    return WHO
""".replace("WHO", WHO)
    server = own_server("--init-seconds", "0.5")
    server.create("hangs", source)
    invoke(server, "hangs")
    _, first = invoke(server, "hangs", {"hang": 1})
    _, second = invoke(server, "hangs")
    assert first != second
    until(lambda: not host_pid(first))


def test_an_environment_that_hangs_while_idle_costs_one_invocation_at_most(own_server: Any) -> None:
    server = own_server("--init-seconds", "1")
    server.create("stopped", f"import os\ndef handler(e, c):\n    return {WHO}\n", Timeout=1)
    _, first = invoke(server, "stopped")
    pid = host_pid(first)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    _, body = invoke(server, "stopped")
    assert body != first
    assert isinstance(body, str) or body["errorType"] == "Sandbox.Timedout"
    _, second = invoke(server, "stopped")
    assert isinstance(second, str)
    assert second != first


def test_an_environment_that_dies_while_idle_costs_nothing(server: RuntimeProcess) -> None:
    server.create("dies", f"import os\ndef handler(e, c):\n    return {WHO}\n")
    _, first = invoke(server, "dies")
    pid = host_pid(first)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not host_pid(first))
    answer, second = invoke(server, "dies")
    assert "FunctionError" not in answer
    assert second != first


def test_deleting_a_function_ends_its_environments(server: RuntimeProcess) -> None:
    server.create("deleted", f"import os\ndef handler(e, c):\n    return {WHO}\n")
    _, said = invoke(server, "deleted")
    server.client().delete_function(FunctionName="deleted")
    until(lambda: not host_pid(said))


def test_an_update_in_progress_leaves_a_running_invocation_alone(server: RuntimeProcess) -> None:
    server.create("long", "import time\ndef handler(e, c):\n    time.sleep(0.7)\n    return 'old'\n")
    bodies: list[Any] = []
    thread = threading.Thread(target=lambda: bodies.append(invoke(server, "long")[1]))
    thread.start()
    until(lambda: "START RequestId" in server.log_text("long"))
    server.update("long", "def handler(e, c):\n    return 'new'\n")
    assert invoke(server, "long")[1] == "new"
    thread.join()
    assert bodies == ["old"]

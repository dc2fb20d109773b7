"""Every way a function can fail: the payload, the headers and the log lines its caller gets, one row each."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.contract.lambda_api.conftest import Target

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
START = "START RequestId: {id} Version: \\$LATEST"
END = "END RequestId: {id}"
REPORT = (
    r"REPORT RequestId: {id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
    r"Max Memory Used: \d+ MB\t(Init Duration: \d+\.\d\d ms\t)?"
)
STACK = [r'  File "/var/task/app\.py", line \d+, in handler\n    .*\n']


@dataclass(frozen=True, slots=True)
class Row:
    """One way to fail. Texts are patterns; `{id}` is the request id."""

    name: str
    source: str
    payload: Mapping[str, Any]
    log: tuple[str, ...]
    """Lines of the tail, in this order, from START on; other lines may stand between them."""
    status: str = ""
    """How the REPORT line ends."""
    handler: str = "app.handler"
    settings: Mapping[str, Any] = field(default_factory=dict)
    context: str = ""


def raised(body: str) -> str:
    """A handler with this body."""
    return f"import os, signal, sys, time\ndef handler(event, context):\n    {body}\n"


def exits(name: str, body: str, reason: str) -> Row:
    """A process that ends during the invocation."""
    text = rf"RequestId: {{id}} Error: {reason}"
    return Row(
        name, raised(body), {"errorType": "Runtime.ExitError", "errorMessage": text},
        (text, r"Runtime\.ExitError"), "Status: error\tError Type: Runtime.ExitError",
    )  # fmt: skip


def times_out(name: str, source: str) -> Row:
    """An invocation that takes longer than one second."""
    text = r"Task timed out after 1\.00 seconds"
    return Row(
        name, source, {"errorType": r"Sandbox\.Timedout", "errorMessage": f"RequestId: {{id}} Error: {text}"},
        (rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {{id}} {text}",), "Status: timeout", settings={"Timeout": 1},
    )  # fmt: skip


def init(name: str, source: str, kind: str, message: str, handler: str = "app.handler") -> Row:
    """A function whose Init fails, and fails again inside the invocation."""
    payload = {"errorType": re.escape(kind), "errorMessage": message, "requestId": "", "stackTrace": None}
    log = (rf"INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: invoke\tStatus: error\tError Type: {re.escape(kind)}",)
    return Row(name, source, payload, log, f"Status: error\tError Type: {kind}", handler)


ROWS = (
    Row("an exception", raised("raise ValueError('boom')"),
        {"errorType": "ValueError", "errorMessage": "boom", "requestId": "{id}", "stackTrace": STACK},
        (r"\[ERROR\] ValueError: boom\rTraceback \(most recent call last\):\r.*",)),
    Row("an exception of its own kind", "class Mine(Exception): ...\n" + raised("raise Mine('é \"q\"')"),
        {"errorType": "Mine", "errorMessage": 'é "q"', "requestId": "{id}", "stackTrace": STACK},
        (r'\[ERROR\] Mine: é "q"\r.*',)),
    Row("a result that is no JSON", raised("return {1}"),
        {"errorType": r"Runtime\.MarshalError", "requestId": "{id}", "stackTrace": [],
         "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable"},
        (r"\[ERROR\] Runtime\.MarshalError: Unable to marshal response: .*",)),
    Row("a client context that is no JSON", raised("return 1"),
        {"errorType": r"Runtime\.LambdaContextUnmarshalError", "requestId": "{id}", "stackTrace": None,
         "errorMessage": r"Unable to parse Client Context JSON: .*"}, (), context="no json"),
    times_out("a timeout", raised("time.sleep(30)")),
    times_out("a timeout while the function is loaded", "import time\ntime.sleep(30)\n"),
    exits("sys.exit(1)", "sys.exit(1)", "Runtime exited with error: exit status 1"),
    exits("os._exit(0)", "os._exit(0)", "Runtime exited without providing a reason"),
    exits("SIGKILL to itself", "os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
    exits("SIGSEGV", "os.kill(os.getpid(), signal.SIGSEGV)",
          r"Runtime exited with error: signal: segmentation fault( \(core dumped\))?"),
    Row("a result above 6 MB", raised("return 'x' * 6_291_555"),
        {"errorType": r"Function\.ResponseSizeTooLarge",
         "errorMessage": r"Response payload size \(6291557 bytes\) exceeded maximum allowed payload size "
                         r"\(6291556 bytes\)\."}, (), settings={"Timeout": 20}),
    init("a module that is not there", "import nothing_like_it\n", "Runtime.ImportModuleError",
         "Unable to import module 'app': No module named 'nothing_like_it'"),
    init("a syntax error", "def handler(:\n", "Runtime.UserCodeSyntaxError", r"Syntax error in module 'app': .*"),
    init("a handler that is not there", "x = 1\n", "Runtime.HandlerNotFound",
         "Handler 'handler' missing on module 'app'"),
    init("a handler without a dot", "x = 1\n", "Runtime.MalformedHandlerName", "Bad handler 'app': .*", "app"),
    init("a handler in a built-in module", "x = 1\n", "Runtime.BuiltInModuleConflict",
         "Cannot use built-in module sys as a handler module", "sys.exit"),
    init("an exception at import", "raise RuntimeError('at import')\n", "RuntimeError", "at import"),
)  # fmt: skip


def matches(found: object, wanted: object, request_id: str) -> bool:
    """Whether `found` is what the row says; None in the row stands for anything."""
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return isinstance(found, str) and re.fullmatch(wanted.replace("{id}", request_id), found) is not None
    assert isinstance(wanted, list)
    return (
        isinstance(found, list)
        and len(found) == len(wanted)
        and all(matches(one, other, request_id) for one, other in zip(found, wanted, strict=True))
    )


@pytest.mark.moto_differs("runs no code, so nothing fails")
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_failing_function_answers_as_documented(target: Target, row: Row) -> None:
    name = target.new_function(row.source, Handler=row.handler, **row.settings)
    context = {"ClientContext": base64.b64encode(row.context.encode()).decode()} if row.context else {}
    answer = target.api.invoke(FunctionName=name, Payload=b"{}", LogType="Tail", **context)
    facts = answer["ResponseMetadata"]
    request_id, body = facts["RequestId"], json.loads(answer["Payload"].read())
    assert re.fullmatch(UUID, request_id)
    assert (answer["StatusCode"], answer["FunctionError"], answer["ExecutedVersion"]) == (200, "Unhandled", "$LATEST")
    assert facts["HTTPHeaders"]["x-amz-function-error"] == "Unhandled"
    assert facts["HTTPHeaders"]["content-type"] == "application/json"
    assert body.keys() == row.payload.keys(), body
    for key, wanted in row.payload.items():
        assert matches(body[key], wanted, request_id), (key, body[key], wanted)
    lines = base64.b64decode(answer["LogResult"]).decode().split("\n")
    report = REPORT + re.escape(row.status) + (r"\t?" if row.status else "")
    for pattern in (START, *row.log, END, report):
        pattern = pattern.replace("{id}", request_id)
        places = [number for number, line in enumerate(lines) if re.fullmatch(pattern, line)]
        assert places, (pattern, lines)
        if pattern not in row.log or "INIT_REPORT" not in pattern:
            lines = lines[places[0] + 1 :]


@pytest.mark.moto_differs("runs no code, so the environment is not seen")
def test_after_a_failure_the_next_event_is_served(target: Target) -> None:
    name = target.new_function(raised("return event['x'] if 'x' in event else os._exit(1)"))
    broken = target.api.invoke(FunctionName=name, Payload=b"{}")
    assert broken["FunctionError"] == "Unhandled"
    served = target.api.invoke(FunctionName=name, Payload=b'{"x": 7}')
    assert "FunctionError" not in served
    assert json.loads(served["Payload"].read()) == 7

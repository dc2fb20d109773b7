"""Node.js and OS-only runtimes as real processes: handlers of every form, errors, logs, layers, streams."""

from __future__ import annotations

import base64
import json
import re
import shutil
from typing import Any

import pytest

from tests.fakes.extension import layer
from tests.fakes.runtime_process import ROLE, RuntimeProcess, until

node = pytest.mark.skipif(shutil.which("node") is None, reason="this machine has no Node.js")


def create(server: RuntimeProcess, name: str, runtime: str, files: dict[str, str], **more: Any) -> None:
    """A function whose package is `files`, Active."""
    of = server.client()
    arguments = {"Handler": "app.handler", "Role": ROLE, "Timeout": 10, **more}
    of.create_function(FunctionName=name, Runtime=runtime, Code={"ZipFile": layer(files)}, **arguments)
    until(lambda: of.get_function_configuration(FunctionName=name)["State"] == "Active")


def invoke(server: RuntimeProcess, name: str, event: Any = None, **more: Any) -> tuple[dict[str, Any], Any]:
    """The answer and its decoded body; the log tail is under `log`."""
    answer = server.client().invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail", **more)
    answer["log"] = base64.b64decode(answer["LogResult"]).decode()
    return answer, json.loads(answer["Payload"].read())


SEES = """
exports.handler = async (event, context) => {
  const left = context.getRemainingTimeInMillis();
  return { event, context, left, env: process.env, cwd: process.cwd() };
};
"""


@node
def test_a_node_handler_sees_its_event_its_context_and_the_documented_environment(server: RuntimeProcess) -> None:
    create(server, "node-sees", "nodejs20.x", {"app.js": SEES}, MemorySize=256)
    client_context = base64.b64encode(b'{"client":{"app_title":"x"}}').decode()
    answer, seen = invoke(server, "node-sees", {"n": 1}, ClientContext=client_context)
    environment, context = seen["env"], seen["context"]
    assert seen["event"] == {"n": 1}
    assert 0 < seen["left"] <= 10_000
    assert seen["cwd"] == environment["LAMBDA_TASK_ROOT"]
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs20.x"
    assert environment["NODE_PATH"].split(":")[0].endswith("/nodejs/node20/node_modules")
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert context == {
        "callbackWaitsForEmptyEventLoop": True,
        "functionVersion": "$LATEST",
        "functionName": "node-sees",
        "memoryLimitInMB": "256",
        "logGroupName": "/aws/lambda/node-sees",
        "logStreamName": environment["AWS_LAMBDA_LOG_STREAM_NAME"],
        "clientContext": {"client": {"app_title": "x"}},
        "invokedFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:node-sees",
        "awsRequestId": answer["ResponseMetadata"]["RequestId"],
    }


FORMS = {
    "callback": "exports.handler = (e, c, done) => setTimeout(() => done(null, 'late'), 20);",
    "callback-first": (
        "exports.handler = (e, c, done) => { setTimeout(() => { console.log('after'); }, 50); done(null, 'late'); };"
    ),
    "not-waiting": (
        "exports.handler = (e, c, done) => { c.callbackWaitsForEmptyEventLoop = false;"
        " setTimeout(() => {}, 5000); done(null, 'late'); };"
    ),
    "succeed": "exports.handler = (e, c) => c.succeed('late');",
    "done": "exports.handler = (e, c) => c.done(null, 'late');",
    "thenable": "exports.handler = () => new Promise((resolve) => setTimeout(resolve, 10, 'late'));",
}


@node
@pytest.mark.parametrize("form", FORMS)
def test_a_node_handler_may_answer_in_any_of_the_known_forms(server: RuntimeProcess, form: str) -> None:
    create(server, f"node-{form}", "nodejs20.x", {"app.js": FORMS[form]})
    for _ in range(2):
        answer, body = invoke(server, f"node-{form}")
        assert (body, answer.get("FunctionError")) == ("late", None)
    if form == "callback-first":
        assert "\tINFO\tafter\n" in answer["log"]
        assert float(re.search(r"Duration: ([\d.]+) ms", answer["log"])[1]) >= 50  # type: ignore[index]


MODULES: dict[str, tuple[dict[str, str], str]] = {
    "mjs": ({"app.mjs": "export const handler = async () => import.meta.url.slice(-7);"}, "app.handler"),
    "typed": ({"package.json": '{"type":"module"}', "app.js": "export const handler = async _ => 'x'"}, "app.handler"),
    "cjs": ({"app.cjs": "exports.handler = async () => 'cjs';"}, "app.handler"),
    "nested": ({"src/app.js": "exports.a = { b: async () => 'nested' };"}, "src/app.a.b"),
    "await": ({"app.mjs": "const x = await Promise.resolve('y');\nexport const handler = async _ => x"}, "app.handler"),
}  # fmt: skip


@node
@pytest.mark.parametrize("kind", MODULES)
def test_a_node_handler_may_be_any_kind_of_module(server: RuntimeProcess, kind: str) -> None:
    files, handler = MODULES[kind]
    create(server, f"node-module-{kind}", "nodejs22.x", files, Handler=handler)
    expected = {"mjs": "app.mjs", "typed": "x", "cjs": "cjs", "nested": "nested", "await": "y"}
    assert invoke(server, f"node-module-{kind}")[1] == expected[kind]


THROWS = """
exports.handler = async (event) => {
  if (event.kind === 'error') throw new TypeError('no such thing');
  if (event.kind === 'text') throw 'a text';
  if (event.kind === 'never') await new Promise(() => {});
  if (event.kind === 'big') return 10n;
  if (event.kind === 'stray') { Promise.reject(new Error('stray')); await new Promise((r) => setTimeout(r, 1000)); }
  if (event.kind === 'late') { setTimeout(() => { throw new RangeError('late'); }, 1);
    await new Promise((r) => setTimeout(r, 1000)); }
  if (event.kind === 'exit') process.exit(3);
  return process.pid;
};
"""


@node
@pytest.mark.parametrize(
    ("kind", "error_type", "message", "stays"),
    [
        ("error", "TypeError", "no such thing", True),
        ("text", "string", "a text", True),
        ("never", "Runtime.NodeJsExit", "The Lambda runtime client detected an unexpected Node.js exit code.", True),
        ("big", "Error", "Unable to stringify response body", True),
        ("stray", "Runtime.UnhandledPromiseRejection", "Error: stray", False),
        ("late", "RangeError", "late", False),
        ("exit", "Runtime.ExitError", "RequestId: ", False),
    ],
)
def test_a_node_handler_s_errors_have_aws_s_form(
    server: RuntimeProcess, kind: str, error_type: str, message: str, stays: bool
) -> None:
    name = f"node-throws-{kind}"
    create(server, name, "nodejs20.x", {"app.js": THROWS})
    _, before = invoke(server, name)
    answer, body = invoke(server, name, {"kind": kind})
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == error_type
    assert body["errorMessage"].startswith(message)
    if kind in {"error", "late"}:
        assert list(body) == ["errorType", "errorMessage", "trace"]
        assert body["trace"][0] == f"{error_type}: {message}"
    if kind == "error":
        assert "\tERROR\tInvoke Error \t" + '{"errorType":"TypeError","errorMessage":"no such thing"' in answer["log"]
    assert (invoke(server, name)[1] == before) is stays


@node
@pytest.mark.parametrize(
    ("name", "files", "handler", "error_type", "message"),
    [
        ("missing", {"other.js": ""}, "app.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'app'"),
        ("syntax", {"app.js": "exports.handler = ("}, "app.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        ("unnamed", {"app.js": ""}, "app.handler", "Runtime.HandlerNotFound", "app.handler is undefined or not"),
        ("data", {"app.js": "exports.handler = 3"}, "app.handler", "Runtime.HandlerNotFound", "app.handler is not a"),
        ("nodot", {"app.js": ""}, "app", "Runtime.MalformedHandlerName", "Bad handler"),
        ("dots", {"app.js": ""}, "../app.handler", "Runtime.MalformedHandlerName", "'../app.handler' is not a valid"),
        ("raising", {"app.js": "throw new Error('at load')"}, "app.handler", "Error", "at load"),
    ],
)  # fmt: skip
def test_a_node_init_that_fails_is_answered_with_its_error(
    server: RuntimeProcess, name: str, files: dict[str, str], handler: str, error_type: str, message: str
) -> None:
    create(server, f"node-init-{name}", "nodejs20.x", files, Handler=handler)
    answer, body = invoke(server, f"node-init-{name}")
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == error_type
    assert body["errorMessage"].startswith(message)
    assert f"\tPhase: invoke\tStatus: error\tError Type: {error_type}" in answer["log"]


@node
def test_node_logs_have_time_request_id_and_level_in_text(server: RuntimeProcess) -> None:
    source = "console.log('loading');\nexports.handler = async () => { console.warn('two\\nlines', { a: 1 }); };"
    create(server, "node-logs", "nodejs20.x", {"app.js": source})
    answer, _ = invoke(server, "node-logs")
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert re.search(rf"\d{{4}}-.*Z\t{request_id}\tWARN\ttwo\rlines {{ a: 1 }}\n", answer["log"])
    until(lambda: "Z\tundefined\tINFO\tloading\n" in server.log_text("node-logs"))


@node
def test_node_logs_are_json_when_asked_for_and_below_the_level_there_is_nothing(server: RuntimeProcess) -> None:
    source = """
exports.handler = async () => {
  console.debug('hidden'); console.info({ a: 1 }); console.error(new TypeError('bad'));
};
"""
    config = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "DEBUG"}
    create(server, "node-json", "nodejs20.x", {"app.js": source}, LoggingConfig=config)
    answer, _ = invoke(server, "node-json")
    entries = [json.loads(line) for line in answer["log"].splitlines()]
    request_id = answer["ResponseMetadata"]["RequestId"]
    written = [entry for entry in entries if "level" in entry]
    assert [entry["level"] for entry in written] == ["INFO", "ERROR"]
    assert written[0]["message"] == {"a": 1}
    assert written[0]["requestId"] == request_id
    assert written[1]["message"]["errorType"] == "TypeError"
    system = [entry["type"] for entry in entries if "type" in entry]
    assert system == ["platform.start", "platform.runtimeDone", "platform.report"]


def test_a_python_function_s_system_log_is_json_when_asked_for(server: RuntimeProcess) -> None:
    config = {"LogFormat": "JSON", "SystemLogLevel": "INFO"}
    source = "import logging\ndef handler(e, c):\n    logging.getLogger().warning('careful')\n"
    create(server, "python-json", "python3.11", {"app.py": source}, LoggingConfig=config)
    answer, _ = invoke(server, "python-json")
    start, warning, report = (json.loads(line) for line in answer["log"].splitlines())
    assert start["type"] == "platform.start"
    assert (warning["level"], warning["message"]) == ("WARNING", "careful")
    assert report["record"]["status"] == "success"
    until(lambda: '"platform.initStart"' in server.log_text("python-json"))


@node
def test_layers_are_found_by_node_and_python(server: RuntimeProcess) -> None:
    files = {
        "nodejs/node_modules/dep/index.js": "module.exports = 'from a layer';",
        "python/dep.py": "value = 'from a layer'\n",
        "data.txt": "first",
    }
    second = {"data.txt": "second", "nodejs/node_modules/other/index.js": "module.exports = 'other';"}
    client = server.client()
    arns = [
        client.publish_layer_version(LayerName=f"deps{index}", Content={"ZipFile": layer(each)})["LayerVersionArn"]
        for index, each in enumerate((files, second))
    ]
    source = """
const layers = process.env.NODE_PATH.split('/nodejs/')[0];
exports.handler = async () =>
  [require('dep'), require('other'), require('fs').readFileSync(layers + '/data.txt', 'utf8')];
"""
    create(server, "node-layers", "nodejs20.x", {"app.js": source}, Layers=arns)
    assert invoke(server, "node-layers")[1] == ["from a layer", "other", "second"]
    create(
        server, "python-layers", "python3.11", {"app.py": "import dep\ndef handler(e, c):\n    return dep.value\n"},
        Layers=arns,
    )  # fmt: skip
    assert invoke(server, "python-layers")[1] == "from a layer"


STREAM = """
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType('text/plain');
  if (event.early) throw new Error('early');
  for (let index = 0; index < (event.pieces ?? 3); index += 1) stream.write(`piece ${index};`);
  if (event.late) throw new Error('late');
  stream.end();
});
"""


@node
def test_a_streamed_result_is_collected_for_a_caller_who_does_not_stream(server: RuntimeProcess) -> None:
    create(server, "node-stream", "nodejs20.x", {"app.js": STREAM})
    answer = server.client().invoke(FunctionName="node-stream", Payload="{}")
    assert answer["Payload"].read() == b"piece 0;piece 1;piece 2;"
    for kind in ("early", "late"):
        answer = server.client().invoke(FunctionName="node-stream", Payload=json.dumps({kind: 1}))
        assert answer["FunctionError"] == "Unhandled"
        assert json.loads(answer["Payload"].read())["errorMessage"] == kind


@node
def test_a_streamed_result_reaches_a_caller_who_streams_piece_by_piece(server: RuntimeProcess) -> None:
    create(server, "node-streams", "nodejs20.x", {"app.js": STREAM})
    answer = server.client().invoke_with_response_stream(FunctionName="node-streams", Payload='{"pieces":2000}')
    payload, ends = b"", []
    for event in answer["EventStream"]:
        payload += event.get("PayloadChunk", {}).get("Payload", b"")
        ends += [event["InvokeComplete"]] if "InvokeComplete" in event else []
    assert payload == b"".join(f"piece {index};".encode() for index in range(2000))
    assert len(ends) == 1
    assert "ErrorCode" not in ends[0]


LOOP = """#!/bin/sh
set -eu
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
headers=$(mktemp)
while true; do
  event=$(curl -sS -D "$headers" "$api/invocation/next")
  id=$(tr -d '\\r' < "$headers" | awk 'tolower($1) == "lambda-runtime-aws-request-id:" {print $2}')
  echo "handling $event"
  answer="{\\"handler\\":\\"$_HANDLER\\",\\"event\\":$event,\\"env\\":\\"${AWS_EXECUTION_ENV:-none}\\"}"
  curl -sS -o /dev/null -d "$answer" "$api/invocation/$id/response"
done
"""


@pytest.mark.skipif(shutil.which("curl", path="/usr/bin:/bin") is None, reason="this machine has no curl")
@pytest.mark.parametrize("runtime", ["provided", "provided.al2", "provided.al2023"])
def test_any_executable_named_bootstrap_is_a_runtime(server: RuntimeProcess, runtime: str) -> None:
    name = runtime.replace(".", "-")
    create(server, name, runtime, {"bootstrap": LOOP}, Handler="what.ever")
    for number in (1, 2):
        answer, body = invoke(server, name, {"n": number})
        assert body == {"handler": "what.ever", "event": {"n": number}, "env": "none"}
    assert 'handling {"n": 2}' in answer["log"]
    until(lambda: f"INIT_START Runtime Version: {runtime.replace('.', ':', 1)}\t" in server.log_text(name))


@pytest.mark.skipif(shutil.which("curl", path="/usr/bin:/bin") is None, reason="this machine has no curl")
def test_the_bootstrap_may_come_from_a_layer(server: RuntimeProcess) -> None:
    made = server.client().publish_layer_version(LayerName="boot", Content={"ZipFile": layer({"bootstrap": LOOP})})
    create(server, "boot-layer", "provided.al2023", {"x.txt": ""}, Layers=[made["LayerVersionArn"]])
    assert invoke(server, "boot-layer")[1]["handler"] == "app.handler"


@pytest.mark.parametrize(
    ("files", "mode", "message"),
    [
        ({"other": ""}, 0o755, "Couldn't find valid bootstrap(s): [{root}/bootstrap "),
        ({"bootstrap": LOOP}, 0o644, "fork/exec {root}/bootstrap: permission denied"),
        ({"bootstrap": "no program"}, 0o755, "fork/exec {root}/bootstrap: exec format error"),
        ({"bootstrap": "#!/no/such\n"}, 0o755, "fork/exec {root}/bootstrap: no such file or directory"),
    ],
)
def test_without_a_bootstrap_that_can_be_executed_the_entry_point_is_invalid(
    server: RuntimeProcess, files: dict[str, str], mode: int, message: str
) -> None:
    name = "invalid-" + re.sub(r"\W+", "-", message)[-20:].strip("-")
    of = server.client()
    of.create_function(
        FunctionName=name, Runtime="provided.al2023", Handler="x", Role=ROLE, Code={"ZipFile": layer(files, mode)}
    )
    until(lambda: of.get_function_configuration(FunctionName=name)["State"] == "Active")
    answer, body = invoke(server, name)
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == "Runtime.InvalidEntrypoint"
    text = body["errorMessage"].partition(" Error: ")[2]
    assert re.match(re.escape(message).replace(r"\{root\}", r"\S+?"), text)
    assert "Status: error\tError Type: Runtime.InvalidEntrypoint" in answer["log"]

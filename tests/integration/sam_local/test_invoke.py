"""`penstock local invoke` as a process: what it prints where, its exit codes, and what it leaves behind: nothing."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from app.sam_local.generate import services
from tests.fakes.command_line import until
from tests.fakes.sam_application import Application

RESOURCES = """
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: shop-orders
      Environment: {Variables: {LEVEL: !Ref Level, OTHER: template}}
  Other: {Type: AWS::Serverless::Function, Properties: {Handler: app.other}}
"""
SOURCE = """
import json, os, subprocess, sys, time
print("loaded")
def handler(event, context):
    print("on stdout")
    print("on stderr", file=sys.stderr)
    if event.get("fail"):
        raise ValueError("no")
    if event.get("exit"):
        os._exit(3)
    if "sleep" in event:
        child = subprocess.Popen(["sleep", str(event["sleep"])])
        print("SLEEPING", flush=True)
        time.sleep(event["sleep"])
    names = ["LEVEL", "OTHER", "UNDECLARED", "AWS_SAM_LOCAL", "AWS_REGION", "AWS_ACCOUNT_ID"]
    names += ["AWS_LAMBDA_FUNCTION_NAME"]
    return {"event": event, "env": {name: os.environ.get(name) for name in names}}
def other(event, context):
    return "other"
"""


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Two functions, the first named otherwise than its logical id."""
    made = Application(tmp_path / "shop", RESOURCES, SOURCE)
    text = (made.folder / "template.yaml").read_text()
    made.write(
        "template.yaml", text.replace("Resources:", "Parameters: {Level: {Type: String, Default: low}}\nResources:")
    )
    return made


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_answer_is_on_stdout_and_the_log_on_stderr(application: Application) -> None:
    """The log as the function writes it, with Lambda's lines around."""
    done = application("invoke", "Orders")
    assert answer(done)["event"] == {}
    assert done.stdout.count("\n") == 1
    for line in ("loaded", "on stdout", "on stderr", "START RequestId: ", "END RequestId: ", "REPORT RequestId: "):
        assert line in done.stderr
    assert answer(done)["env"] == {
        "LEVEL": "low",
        "OTHER": "template",
        "UNDECLARED": None,
        "AWS_SAM_LOCAL": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCOUNT_ID": "123456789012",
        "AWS_LAMBDA_FUNCTION_NAME": "shop-orders",
    }
    assert application.left_over() == []


def test_events_come_from_a_file_or_stdin(application: Application) -> None:
    """And may be named by the function's name."""
    application.write("event.json", '{"id": 1}')
    assert answer(application("invoke", "shop-orders", "-e", "event.json"))["event"] == {"id": 1}
    assert answer(application("invoke", "Orders", "--event", "-", input='{"id": 2}'))["event"] == {"id": 2}


def test_values_come_from_a_file_the_shell_and_parameters(application: Application) -> None:
    """Only for what is declared."""
    application.write("env.json", json.dumps({"Orders": {"OTHER": "file", "UNDECLARED": "x"}}))
    found = answer(
        application(
            "invoke", "Orders", "-n", "env.json", "--region", "eu-west-1",
            "--parameter-overrides", "Level=high", "Unused=1",
        )
    )["env"]  # fmt: skip
    assert (found["LEVEL"], found["OTHER"], found["UNDECLARED"]) == ("high", "file", None)
    assert found["AWS_REGION"] == "eu-west-1"
    shell = answer(application("invoke", "Orders", env={"LEVEL": "shell", "UNDECLARED": "shell"}))["env"]
    assert (shell["LEVEL"], shell["UNDECLARED"]) == ("shell", None)


@pytest.mark.parametrize(
    ("event", "error"),
    [({"fail": True}, "ValueError"), ({"exit": True}, "Runtime.ExitError")],
)
def test_a_functions_own_error_is_its_answer(application: Application, event: dict[str, bool], error: str) -> None:
    """With exit code 0, as SAM CLI."""
    done = application("invoke", "Orders", "-e", "-", input=json.dumps(event))
    assert answer(done)["errorType"] == error


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["Nope"], 1, "Function Nope not found in template; Possible options in your template: ['Orders', 'Other']"),
        ([], 1, "You must provide a function logical ID"),
        (["Orders", "-t", "nope.yaml"], 1, "Template file not found at"),
        (["Orders", "-e", "nope.json"], 1, "nope.json: the file cannot be read"),
        (["Orders", "-e", "template.yaml"], 1, "Could not parse request body into json"),
        (["Orders", "-n", "template.yaml"], 1, "Could not read environment variables overrides"),
        (["Orders", "--parameter-overrides", "nonsense"], 1, "not in valid format"),
        (["Orders", "-d", "many"], 1, "'many' is no port"),
        (["Orders", "--nonsense"], 2, "No such option"),
        (["Orders", "--invoke-image", "x"], 2, "--invoke-image"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_an_exit_code(
    application: Application, arguments: list[str], code: int, text: str
) -> None:
    """1 for what is wrong with what was asked for, 2 for the command line itself."""
    done = application("invoke", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert application.left_over() == []


def test_mistakes_in_a_template_are_told_with_their_lines(application: Application) -> None:
    """Exit code 1."""
    application.write(
        "bad.yaml", "Resources:\n  A:\n    Type: AWS::Lambda::Function\n    Properties: {Handler: a.b, Code: x}\n"
    )
    done = application("invoke", "-t", "bad.yaml")
    assert done.returncode == 1
    assert "bad.yaml:4:17: error: Resources.A.Properties.Runtime: Runtime is missing" in done.stderr


def test_flags_for_containers_are_taken(application: Application) -> None:
    """And what they would have done is said, unless it goes without saying."""
    done = application("invoke", "Other", "--skip-pull-image", "--docker-network", "net", "--shutdown")
    assert done.stdout == '"other"\n'
    assert "--docker-network has no effect" in done.stderr


def test_a_log_file_gets_the_log(application: Application) -> None:
    """Instead of stderr; what was in it stays."""
    application.write("log.txt", "before\n")
    done = application("invoke", "Orders", "--log-file", "log.txt")
    text = (application.folder / "log.txt").read_text()
    assert text.startswith("before\n")
    assert "on stdout" in text
    assert "on stdout" not in done.stderr


def test_what_sam_built_is_used(application: Application) -> None:
    """When it is there and no template is named."""
    text = (application.folder / "template.yaml").read_text().replace("Default: low", "Default: built")
    application.write(".aws-sam/build/template.yaml", text.replace("CodeUri: src", "CodeUri: Orders"))
    application.write(".aws-sam/build/Orders/app.py", SOURCE)
    assert answer(application("invoke", "Orders"))["env"]["LEVEL"] == "built"
    application.write("other.yaml", (application.folder / "template.yaml").read_text())
    assert answer(application("invoke", "Orders", "-t", "other.yaml"))["env"]["LEVEL"] == "low"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_it_is_ended(application: Application, number: int) -> None:
    """Neither the function's own children, nor the runtime, nor its files."""
    process = subprocess.Popen(
        application.command("invoke", "Orders", "-e", "-"),
        cwd=application.folder,
        env=application.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write('{"sleep": 19}')
    process.stdin.close()
    for line in process.stderr:
        if "SLEEPING" in line:
            break
    assert application.left_over()
    process.send_signal(number)
    code = process.wait(20)
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    until(lambda: not application.left_over(), f"nothing is left: {application.left_over()}", 10)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


PARSING = """
import base64, gzip, json, urllib.parse
def handler(event, context):
    records = event["Records"]
    first = records[0]
    source = first.get("eventSource") or first.get("EventSource")
    if source == "aws:s3":
        return [urllib.parse.unquote_plus(r["s3"]["object"]["key"]) for r in records]
    if source == "aws:sqs":
        return [r["body"] for r in records]
    if source == "aws:sns":
        return [r["Sns"]["Message"] for r in records]
    if source == "aws:dynamodb":
        return [r["dynamodb"]["Keys"]["Id"]["N"] for r in records]
    if source == "aws:kinesis":
        return [base64.b64decode(r["kinesis"]["data"]).decode() for r in records]
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["s3", "put", "--key", "a b/c.txt"], ["a b/c.txt"]),
        (["sqs", "receive-message", "--body", "héllo"], ["héllo"]),
        (["sns", "notification", "--message", "x"], ["x"]),
        (["dynamodb", "update"], ["101", "101", "101"]),
        (["kinesis", "get-records", "--data", "x"], ["x"]),
    ],
)
def test_a_generated_event_is_understood_by_a_function(tmp_path: Path, words: list[str], expected: list[str]) -> None:
    """Piped from one command into the other."""
    assert words[0] in services()
    application = Application(tmp_path / "app", "  Fn: {Type: AWS::Serverless::Function}\n", PARSING)
    event = application("generate-event", *words)
    assert event.returncode == 0
    assert answer(application("invoke", "-e", "-", input=event.stdout)) == expected


def test_inline_code_and_zips_run_too(tmp_path: Path) -> None:
    """As `index`, and as they are."""
    application = Application(
        tmp_path / "app",
        "  Inline:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: index.handler\n"
        "      CodeUri: !Ref AWS::NoValue\n"
        "      InlineCode: |\n        def handler(event, context):\n            return 'inline'\n"
        "  Zipped: {Type: AWS::Serverless::Function, Properties: {CodeUri: code.zip}}\n",
        "",
    )
    with zipfile.ZipFile(application.folder / "code.zip", "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'zipped'\n")
    assert answer(application("invoke", "Inline")) == "inline"
    assert answer(application("invoke", "Zipped")) == "zipped"
    assert application.left_over() == []


def test_a_package_may_be_larger_than_an_upload(tmp_path: Path) -> None:
    """60 MB that do not compress: on AWS they would go through S3."""
    application = Application(
        tmp_path / "app",
        "  Fn: {Type: AWS::Serverless::Function}\n",
        "import os\ndef handler(event, context):\n    return os.path.getsize('data.bin')\n",
    )
    (application.folder / "src" / "data.bin").write_bytes(random.Random(1).randbytes(60 * 1024**2))
    assert answer(application("invoke")) == 60 * 1024**2


def test_layers_of_the_template_are_there(tmp_path: Path) -> None:
    """One that is only known by its ARN is left out, and told about."""
    application = Application(
        tmp_path / "app",
        "  Lib: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}\n"
        "  Fn:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {Layers: [!Ref Lib, 'arn:aws:lambda:us-east-1:210987654321:layer:far:3']}\n",
        "import lib\ndef handler(event, context):\n    return lib.WORD\n",
    )
    application.write("layer/python/lib.py", "WORD = 'from the layer'\n")
    done = application("invoke")
    assert answer(done) == "from the layer"
    assert "the layer arn:aws:lambda:us-east-1:210987654321:layer:far:3 is not on this machine" in done.stderr


def test_defaults_come_from_samconfig(application: Application) -> None:
    """What is given on the command line wins."""
    table = '[default.local_invoke.parameters]\nparameter_overrides = "Level=cfg"\n'
    application.write("samconfig.toml", f"version = 0.1\n{table}")
    assert answer(application("invoke", "Orders"))["env"]["LEVEL"] == "cfg"
    given = application("invoke", "Orders", "--parameter-overrides", "Level=given")
    assert answer(given)["env"]["LEVEL"] == "given"

"""start-lambda as a process, asked by boto3 and the AWS CLI; results that are streamed."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import botocore.exceptions
import pytest

from tests.fakes.runtime_process import client
from tests.fakes.sam_application import RUNTIME, Application, Server


@pytest.fixture(scope="module")
def endpoint(application: Application) -> Iterator[Server]:
    """start-lambda on a free port."""
    with application.begin("start-lambda", "--port", "0") as server:
        yield server


def test_boto3_invokes_by_logical_id_name_and_arn(endpoint: Server) -> None:
    """With the log's tail and the version that ran, which SAM CLI refuses."""
    functions = client("lambda", f"http://127.0.0.1:{endpoint.port}")
    for name in ("Echo", "shop-echo", "arn:aws:lambda:us-east-1:123456789012:function:shop-echo"):
        done = functions.invoke(FunctionName=name, Payload=b'{"a": 1}', LogType="Tail", Qualifier="$LATEST")
        assert json.loads(json.load(done["Payload"])["body"]) == {"a": 1}
        assert "REPORT RequestId" in base64.b64decode(done["LogResult"]).decode()
        assert done["ExecutedVersion"] == "$LATEST"
    failed = functions.invoke(FunctionName="Echo", Payload=b'{"queryStringParameters": {"raise": "1"}}')
    assert failed["FunctionError"] == "Unhandled"
    assert functions.invoke(FunctionName="Echo", InvocationType="Event")["StatusCode"] == 202


def test_an_unknown_function_is_not_found(endpoint: Server) -> None:
    """With AWS's error."""
    functions = client("lambda", f"http://127.0.0.1:{endpoint.port}")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        functions.invoke(FunctionName="Nope")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_the_aws_command_line_works(endpoint: Server, tmp_path: Path) -> None:
    """invoke, and the rest of Lambda's API."""
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip

    def aws(*arguments: str) -> str:
        program = Path(sys.executable).with_name("aws")
        url = f"http://127.0.0.1:{endpoint.port}"
        command = [sys.executable, str(program), "--endpoint-url", url, "lambda", *arguments]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return str(done.stdout)

    out = tmp_path / "out.json"
    aws("invoke", "--function-name", "Echo", "--payload", '{"b": 2}', str(out))
    assert json.loads(json.loads(out.read_text())["body"]) == {"b": 2}
    names = json.loads(aws("list-functions"))["Functions"]
    assert sorted((each["FunctionName"], each["Runtime"]) for each in names) == [
        ("GuardFunction", RUNTIME),
        ("shop-echo", RUNTIME),
    ]


STREAMING = """
  Stream:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      InlineCode: |
        exports.handler = awslambda.streamifyResponse(async (event, stream) => {
          stream.setContentType("text/plain");
          stream.write("first ");
          await new Promise((done) => setTimeout(done, 1000));
          stream.write("last");
          stream.end();
        });
      Handler: index.handler
      CodeUri: !Ref AWS::NoValue
      FunctionUrlConfig: {AuthType: AWS_IAM, InvokeMode: RESPONSE_STREAM}
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_streamed_answers_come_as_they_are_made(tmp_path: Path) -> None:
    """Through a function URL, and by InvokeWithResponseStream."""
    application = Application(tmp_path / "app", STREAMING, "")
    with application.begin("start-api", "-p", "0") as server:
        assert f"at http://127.0.0.1:{server.port}/ [function URL, AWS_IAM is not evaluated" in server.log()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/")
        answer = connection.getresponse()
        first, began = answer.read1(), time.monotonic()
        rest = answer.read()
        assert (answer.status, first, rest) == (200, b"first ", b"last")
        assert time.monotonic() - began > 0.5
        connection.close()
    with application.begin("start-lambda", "-p", "0") as server:
        functions = client("lambda", f"http://127.0.0.1:{server.port}")
        stream = functions.invoke_with_response_stream(FunctionName="Stream")["EventStream"]
        parts = [event["PayloadChunk"]["Payload"] for event in stream if "PayloadChunk" in event]
        assert parts == [b"first ", b"last"]

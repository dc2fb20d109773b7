"""start-api and start-lambda as processes, talked to by plain HTTP, boto3 and the AWS CLI."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import botocore.exceptions
import pytest

from tests.fakes.runtime_process import client
from tests.fakes.sam_application import RUNTIME, Application, Server

RESOURCES = """
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Cors: "'*'"
      Variables: {LEVEL: high}
      BinaryMediaTypes: [image~1png]
      Auth:
        Authorizers:
          Guard: {FunctionArn: !GetAtt GuardFunction.Arn}
  Modern:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: ["https://a.example"], AllowMethods: [GET]}
      Auth:
        Authorizers:
          Simple:
            FunctionArn: !GetAtt GuardFunction.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            Identity: {Headers: [X-Key]}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: shop-echo
      FunctionUrlConfig: {AuthType: NONE}
      Events:
        One: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: "/rest/{id}", Method: any}}
        Guarded: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /guarded, Method: get, Auth: {Authorizer: Guard}}}
        Two: {Type: HttpApi, Properties: {ApiId: !Ref Modern, Path: "/http/{proxy+}", Method: any}}
        Simple:
          Type: HttpApi
          Properties: {ApiId: !Ref Modern, Path: /simple, Method: get, Auth: {Authorizer: Simple}}
        Slow: {Type: HttpApi, Properties: {ApiId: !Ref Modern, Path: /slow, Method: get, TimeoutInMillis: 100}}
  GuardFunction: {Type: AWS::Serverless::Function, Properties: {Handler: app.guard}}
"""
SOURCE = """
import base64, json, time
WORD = "first"
def handler(event, context):
    query = event.get("queryStringParameters") or {}
    if "sleep" in query:
        time.sleep(float(query["sleep"]))
    if "raise" in query:
        raise ValueError("no")
    if "malformed" in query:
        return {"statusCode": "none"}
    if "png" in query:
        return {"statusCode": 200, "headers": {"Content-Type": "image/png"},
                "body": base64.b64encode(b"\\x89PNG").decode(), "isBase64Encoded": True}
    return {"statusCode": 200, "headers": {"X-Word": WORD}, "body": json.dumps(event)}
def guard(event, context):
    if event["type"] == "TOKEN":
        token = event["authorizationToken"]
        if token == "none":
            raise Exception("Unauthorized")
        statement = {"Action": "execute-api:Invoke", "Effect": token, "Resource": event["methodArn"]}
        return {"principalId": "ada", "policyDocument": {"Statement": [statement]}, "context": {"n": 1}}
    return {"isAuthorized": event["identitySource"] == ["yes"], "context": {"n": 1}}
"""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """A REST API, an HTTP API and a function URL, with authorizers."""
    return Application(tmp_path_factory.mktemp("sam") / "shop", RESOURCES, SOURCE)


@pytest.fixture(scope="module")
def served(application: Application) -> Iterator[Server]:
    """start-api on a free port."""
    application.write("public/style.css", "a {}")
    with application.begin("start-api", "--port", "0") as server:
        yield server
    assert application.left_over() == []


def test_routes_are_told(served: Server) -> None:
    """With their methods, functions and authorizers; function URLs with their host."""
    for line in (
        f"Mounting Echo at http://127.0.0.1:{served.port}/rest/{{id}} [ANY]",
        f"Mounting Echo at http://127.0.0.1:{served.port}/guarded [GET] (authorizer Guard)",
        f"Mounting Echo at http://127.0.0.1:{served.port}/http/{{proxy+}} [ANY]",
        f"Mounting Echo at http://echo.localhost:{served.port}/ [function URL]",
    ):
        assert line in served.log()


def test_a_rest_route(served: Server) -> None:
    """Header names as sent, variables, stage and its variables; the answer's headers."""
    status, headers, body = served.ask("PUT", "/rest/a%20b?q=1&q=2", b'{"x":1}', X_My_Header="1")
    event = json.loads(body)
    assert (status, headers["x-word"]) == (200, "first")
    assert (event["resource"], event["path"], event["pathParameters"]) == ("/rest/{id}", "/rest/a%20b", {"id": "a b"})
    assert event["headers"]["X-My-Header"] == "1"
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert (event["body"], event["isBase64Encoded"]) == ('{"x":1}', False)
    assert (event["stageVariables"], event["requestContext"]["stage"]) == ({"LEVEL": "high"}, "v1")


def test_an_http_route_and_a_function_url(served: Server) -> None:
    """Format 2.0."""
    event = json.loads(served.ask("DELETE", "/http/a/b?q=1", Cookie="a=1")[2])
    assert (event["version"], event["routeKey"], event["cookies"]) == ("2.0", "ANY /http/{proxy+}", ["a=1"])
    assert event["pathParameters"] == {"proxy": "a/b"}
    url = json.loads(served.ask("GET", "/any/path", Host=f"echo.localhost:{served.port}")[2])
    assert (url["routeKey"], url["rawPath"], url["requestContext"]["accountId"]) == (
        "$default",
        "/any/path",
        "anonymous",
    )


def test_binary_bodies_both_ways(served: Server) -> None:
    """Base64 to the function and from it."""
    event = json.loads(served.ask("POST", "/rest/1", b"\x89PNG", Content_Type="image/png")[2])
    assert (event["isBase64Encoded"], base64.b64decode(event["body"])) == (True, b"\x89PNG")
    status, headers, body = served.ask("GET", "/rest/1?png=1", Accept="image/png")
    assert (status, headers["content-type"], body) == (200, "image/png", b"\x89PNG")


def test_errors_are_answered_as_api_gateway_does(served: Server) -> None:
    """No route, no method, a function that fails, one whose answer is none, one that is too slow."""
    for target, status, body in (
        ("/nowhere", 403, b'{"message":"Missing Authentication Token"}'),
        ("/rest/1?raise=1", 502, b'{"message": "Internal server error"}'),
        ("/rest/1?malformed=1", 502, b'{"message": "Internal server error"}'),
        ("/http/1?raise=1", 500, b'{"message":"Internal Server Error"}'),
        ("/slow?sleep=5", 503, b'{"message":"Service Unavailable"}'),
    ):
        found = served.ask("GET", target)
        assert (found[0], found[2]) == (status, body), target
    assert "Invalid lambda response received: the function failed" in served.log()


def test_preflights_are_answered_without_the_function(served: Server) -> None:
    """By the REST API for anybody, by the HTTP API for its origin; HEAD is a method like any other."""
    status, headers, _ = served.ask("OPTIONS", "/guarded")
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    origin = "https://a.example"
    status, headers, _ = served.ask("OPTIONS", "/http/x", Origin=origin, Access_Control_Request_Method="GET")
    assert (status, headers["access-control-allow-origin"]) == (204, "https://a.example")
    status, headers, _ = served.ask("GET", "/http/x", Origin="https://a.example")
    assert headers["access-control-allow-origin"] == "https://a.example"
    status, headers, body = served.ask("HEAD", "/rest/1")
    assert (status, body, headers["x-word"]) == (200, b"", "first")


def test_authorizers_really_run(served: Server) -> None:
    """Allow, deny, unauthorised, no token at all; simple answers of an HTTP API."""
    status, _, body = served.ask("GET", "/guarded", Authorization="Allow")
    assert status == 200
    assert json.loads(body)["requestContext"]["authorizer"]["n"] == "1"
    for token, expected in (("Deny", 403), ("none", 401), ("", 401)):
        assert served.ask("GET", "/guarded", Authorization=token)[0] == expected
    assert served.ask("GET", "/guarded")[0] == 401
    status, _, body = served.ask("GET", "/simple", X_Key="yes")
    assert json.loads(body)["requestContext"]["authorizer"] == {"lambda": {"n": 1}}
    assert served.ask("GET", "/simple", X_Key="no")[0] == 403
    assert served.ask("GET", "/simple")[0] == 401


def test_static_files_are_served_beside_the_api(served: Server) -> None:
    """And nothing outside their directory."""
    status, headers, body = served.ask("GET", "/style.css")
    assert (status, headers["content-type"], body) == (200, "text/css", b"a {}")
    assert served.ask("GET", "/../template.yaml")[0] == 403
    assert served.ask("GET", "/%2e%2e/template.yaml")[0] == 403


def test_requests_are_answered_at_the_same_time(served: Server) -> None:
    """Eight that sleep take hardly longer than one."""
    served.ask("GET", "/http/1")
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: served.ask("GET", "/http/1?sleep=1")[0], range(8)))
    assert found == [200] * 8
    assert time.monotonic() - began < 5


def test_a_body_that_is_too_long_is_refused(served: Server) -> None:
    """10 MB."""
    assert served.ask("POST", "/http/1", b"x" * (10 * 1024**2 + 1))[0] == 413


# changes ----------------------------------------------------------------------------------------------------------


def small(folder: Path) -> Application:
    """One function behind one route."""
    return Application(
        folder / "small",
        "  Fn:\n    Type: AWS::Serverless::Function\n    Properties:\n      Environment: {Variables: {LEVEL: one}}\n"
        "      Events: {A: {Type: HttpApi, Properties: {Path: /a, Method: get}}}\n"
        "  Still: {Type: AWS::Serverless::Function, Properties: {CodeUri: still}}\n",
        "import os\ndef handler(event, context):\n    return 'one ' + os.environ['LEVEL']\n",
    )


def test_changed_code_and_templates_count_from_the_next_request_on(tmp_path: Path) -> None:
    """Only the function that changed is made anew; a template with mistakes changes nothing; routes come and go."""
    application = small(tmp_path)
    application.write("still/app.py", "def handler(event, context):\n    return 1\n")
    with application.begin("start-api", "-p", "0") as server:
        assert server.ask("GET", "/a")[2] == b'"one one"'
        for word in ("two", "three", "four"):
            application.write(
                "src/app.py", f"import os\ndef handler(event, context):\n    return '{word} ' + os.environ['LEVEL']\n"
            )
            assert server.ask("GET", "/a")[2] == f'"{word} one"'.encode()
        assert server.log().count("Fn was reloaded") == 3
        assert "Still was reloaded" not in server.log()
        text = (application.folder / "template.yaml").read_text()
        application.write("template.yaml", text.replace("LEVEL: one", "LEVEL: two").replace("Path: /a", "Path: /b"))
        assert server.ask("GET", "/a")[0] == 404
        assert server.ask("GET", "/b")[2] == b'"four two"'
        application.write("template.yaml", "Resources: {")
        assert server.ask("GET", "/b")[2] == b'"four two"'
        assert "the template stays as it was" in server.log()
        assert server.end(signal.SIGTERM) == 0
    assert application.left_over() == []


def test_no_watch_keeps_what_was_there_at_the_start(tmp_path: Path) -> None:
    """--no-watch."""
    application = small(tmp_path)
    with application.begin("start-api", "-p", "0", "--no-watch") as server:
        application.write("src/app.py", "def handler(event, context):\n    return 2\n")
        assert server.ask("GET", "/a")[2] == b'"one one"'


def test_a_function_without_code_does_not_keep_the_others_from_running(tmp_path: Path) -> None:
    """It is told about, and runs as soon as its code is there."""
    application = small(tmp_path)
    with application.begin("start-lambda", "-p", "0") as server:
        assert "no such directory" in server.log()
        path = "/2015-03-31/functions/{}/invocations"
        assert server.ask("POST", path.format("Fn"), b"{}")[2] == b'"one one"'
        assert server.ask("POST", path.format("Still"), b"{}")[0] == 404


def test_authorizers_can_be_disabled(application: Application) -> None:
    """--disable-authorizer."""
    with application.begin("start-api", "-p", "0", "--disable-authorizer") as server:
        assert server.ask("GET", "/guarded")[0] == 200
        assert "(authorizer Guard, disabled)" in server.log()


def test_https_with_a_certificate(application: Application, tmp_path: Path) -> None:
    """Both files are needed."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    arguments = ("--ssl-cert-file", str(certificate), "--ssl-key-file", str(key))
    with application.begin("start-api", "-p", "0", *arguments) as server:
        trusting = ssl.create_default_context(cafile=str(certificate))
        trusting.check_hostname = False
        with urllib.request.urlopen(f"https://127.0.0.1:{server.port}/http/x", context=trusting) as found:
            event = json.load(found)
        assert event["headers"]["x-forwarded-proto"] == "https"
    assert application("start-api", "--ssl-cert-file", str(certificate)).returncode == 1


def test_a_template_without_apis_and_a_taken_port_are_errors(application: Application, served: Server) -> None:
    """Exit code 1."""
    application.write("none.yaml", (application.folder / "template.yaml").read_text().partition("Resources:")[0]
                      + "Resources:\n  Fn: {Type: AWS::Serverless::Function}\n")  # fmt: skip
    done = application("start-api", "-t", "none.yaml")
    assert (done.returncode, "does not have any APIs" in done.stderr) == (1, True)
    taken = application("start-api", "-p", str(served.port))
    assert (taken.returncode, "the address cannot be had" in taken.stderr) == (1, True)


# start-lambda -----------------------------------------------------------------------------------------------------


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

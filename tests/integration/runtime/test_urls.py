"""Function URLs over real HTTP: events, responses, CORS, who may, streams, and what is counted."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakes.runtime_process import ROLE, Connection, RuntimeProcess, until

SHOW = "def handler(event, context):\n    return event\n"
STREAMER = """#!/usr/bin/python3
import http.client, json, os, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    body = json.loads(event.read())
    path = "/2018-06-01/runtime/invocation/%s/response" % event.headers["Lambda-Runtime-Aws-Request-Id"]
    query = body.get("queryStringParameters", body)
    api.putrequest("POST", path)
    api.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    api.putheader("Content-Type", query.get("type", "text/plain"))
    api.putheader("Transfer-Encoding", "chunked")
    api.putheader("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
    api.endheaders()
    def send(data):
        api.send(b"%x\\r\\n%s\\r\\n" % (len(data), data))
    if "integration" in query.get("type", ""):
        send(json.dumps({"statusCode": 201, "headers": {"x-own": "yes"}, "cookies": ["a=1"]}).encode())
        send(bytes(8) + b"first ")
    for number in range(int(query.get("count", "3"))):
        send(b"%d;" % number * int(query.get("times", "1")))
        time.sleep(float(query.get("pause", "0")))
    if "fail" in query:
        error = "Lambda-Runtime-Function-Error-Type: Oops\\r\\nLambda-Runtime-Function-Error-Body: e30=\\r\\n"
        api.send(b"0\\r\\n" + error.encode() + b"\\r\\n")
    else:
        api.send(b"0\\r\\n\\r\\n")
    api.getresponse().read()
"""


def url_of(server: RuntimeProcess, name: str, auth: str = "NONE", *, public: bool = True, **more: Any) -> str:
    """The host of the function's new URL; everybody may use it when it is `public`."""
    api = server.client()
    url = api.create_function_url_config(FunctionName=name, AuthType=auth, **more)["FunctionUrl"]
    if public:
        api.add_permission(
            FunctionName=name, StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*",
            FunctionUrlAuthType=auth,
        )  # fmt: skip
        api.add_permission(
            FunctionName=name, StatementId="via-url", Action="lambda:InvokeFunction", Principal="*",
            InvokedViaFunctionUrl=True,
        )  # fmt: skip
    assert url.startswith("http://")
    assert url.endswith(f".lambda-url.us-east-1.localhost:{server.port}/")
    return str(url).removeprefix("http://").rstrip("/")


def ask(
    server: RuntimeProcess, host: str, method: str = "GET", path: str = "/", body: bytes = b"", **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of a request to that host; `_` in a header's name is a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Connection(server.port).request(method, path, body, {"Host": host, **named})


def test_the_event_is_payload_format_2(server: RuntimeProcess) -> None:
    server.create("shows", SHOW)
    host = url_of(server, "shows")
    status, headers, body = ask(
        server, host, "POST", "/a%20b/c?x=1&x=2&y=", b'{"k": 1}', Content_Type="application/json", Cookie="a=1; b=2",
        X_Own="yes", User_Agent="tests",
    )  # fmt: skip
    assert status == 200
    assert headers["content-type"] == "application/json"
    event = json.loads(body)
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert (event["rawPath"], event["rawQueryString"]) == ("/a%20b/c", "x=1&x=2&y=")
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["queryStringParameters"] == {"x": "1,2", "y": ""}
    assert event["headers"]["x-own"] == "yes"
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert (event["body"], event["isBase64Encoded"]) == ('{"k": 1}', False)
    context = event["requestContext"]
    assert context["accountId"] == "anonymous"
    assert context["apiId"] == context["domainPrefix"] == host.partition(".")[0]
    assert context["domainName"] == host.partition(":")[0]
    assert context["stage"] == "$default"
    assert context["http"] == {
        "method": "POST", "path": "/a%20b/c", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "tests",
    }  # fmt: skip
    assert context["requestId"] == headers["x-amzn-requestid"]
    at = datetime.strptime(context["time"], "%d/%b/%Y:%H:%M:%S %z")
    assert int(at.timestamp()) == context["timeEpoch"] // 1000


def test_bodies_that_are_not_text_come_in_base64(server: RuntimeProcess) -> None:
    server.create("binary", SHOW)
    host = url_of(server, "binary")
    _, _, body = ask(server, host, "POST", "/", b"\xff\x00", Content_Type="application/octet-stream")
    event = json.loads(body)
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff\x00", True)
    assert "body" not in json.loads(ask(server, host)[2])


def test_results_become_responses(server: RuntimeProcess) -> None:
    server.create(
        "answers",
        """import json
ANSWERS = {
    "/full": {"statusCode": 201, "headers": {"X-One": "1", "Content-Length": "99"}, "cookies": ["a=1", "b=2"],
              "body": "hello"},
    "/binary": {"statusCode": 200, "headers": {"content-type": "image/gif"}, "body": "R0lG", "isBase64Encoded": True},
    "/plain": "text",
    "/object": {"no": "status"},
    "/bad": {"statusCode": "many"},
    "/split": {"statusCode": 200, "headers": {"x": "a\\nb: c"}},
}
def handler(event, context):
    if event["rawPath"] == "/raise":
        raise ValueError("on purpose")
    return ANSWERS[event["rawPath"]]
""",
    )
    host = url_of(server, "answers")
    status, headers, body = ask(server, host, path="/full")
    assert (status, headers["x-one"], headers["content-length"], body) == (201, "1", "5", b"hello")
    assert headers["set-cookie"] == "b=2"  # http.client keeps the last of two
    assert ask(server, host, path="/binary")[::2] == (200, b"GIF")
    assert ask(server, host, path="/plain")[::2] == (200, b'"text"')
    assert json.loads(ask(server, host, path="/object")[2]) == {"no": "status"}
    for path in ("/bad", "/split", "/raise"):
        assert ask(server, host, path=path)[::2] == (502, b"Internal Server Error")
    status, headers, body = ask(server, host, "HEAD", "/full")
    assert (status, headers["content-length"], body) == (201, "5", b"")


def test_a_url_without_both_permissions_is_forbidden(server: RuntimeProcess) -> None:
    server.create("private", SHOW)
    host, api = url_of(server, "private", public=False), server.client()
    assert ask(server, host)[0] == 403
    api.add_permission(
        FunctionName="private", StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*",
        FunctionUrlAuthType="NONE",
    )  # fmt: skip
    status, headers, body = ask(server, host)
    assert (status, headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert json.loads(body)["Message"].startswith("Forbidden")
    api.add_permission(
        FunctionName="private", StatementId="via", Action="lambda:InvokeFunction", Principal="*",
        InvokedViaFunctionUrl=True,
    )  # fmt: skip
    assert ask(server, host)[0] == 200


def test_a_url_with_iam_wants_a_signature(server: RuntimeProcess) -> None:
    server.create("signed", SHOW)
    host = url_of(server, "signed", "AWS_IAM", public=False)
    assert ask(server, host)[0] == 403
    request = AWSRequest("GET", f"http://{host}/x?a=1", headers={"Host": host})
    SigV4Auth(Credentials("AKIAOWNEROFTHEACCOUN", "anything"), "lambda", "us-east-1").add_auth(request)
    status, _, body = Connection(server.port).request("GET", "/x?a=1", b"", dict(request.headers.items()))
    assert status == 200
    context = json.loads(body)["requestContext"]
    assert context["accountId"] == "123456789012"
    assert context["authorizer"]["iam"]["accessKey"] == "AKIAOWNEROFTHEACCOUN"
    assert context["authorizer"]["iam"]["userArn"] == "arn:aws:iam::123456789012:root"


def test_browsers_are_answered_as_the_cors_configuration_says(server: RuntimeProcess) -> None:
    server.create("cross", "def handler(event, context):\n    return event['requestContext']['http']['method']\n")
    cors = {
        "AllowOrigins": ["https://*.example.com"], "AllowMethods": ["GET", "PUT"], "AllowHeaders": ["x-own"],
        "ExposeHeaders": ["x-shown"], "MaxAge": 60, "AllowCredentials": True,
    }  # fmt: skip
    host = url_of(server, "cross", Cors=cors)
    origin = "https://www.example.com"
    status, headers, body = ask(server, host, "OPTIONS", Origin=origin, Access_Control_Request_Method="PUT")
    assert (status, body) == (200, b"")
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-methods"] == "GET,PUT"
    assert headers["access-control-allow-headers"] == "x-own"
    assert headers["access-control-max-age"] == "60"
    assert headers["access-control-allow-credentials"] == "true"
    status, headers, body = ask(server, host, Origin=origin)
    assert (status, body, headers["access-control-expose-headers"]) == (200, b'"GET"', "x-shown")
    _, headers, _ = ask(server, host, Origin="https://example.org")
    assert "access-control-allow-origin" not in headers


def test_a_url_of_an_alias_throttles_and_counts(server: RuntimeProcess) -> None:
    server.create("counted", SHOW, publish=True)
    api = server.client()
    api.create_alias(FunctionName="counted", Name="live", FunctionVersion="1")
    url = api.create_function_url_config(FunctionName="counted", Qualifier="live", AuthType="NONE")["FunctionUrl"]
    host = url.removeprefix("http://").rstrip("/")
    for sid, action, more in (
        ("a", "lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
        ("b", "lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
    ):
        api.add_permission(
            FunctionName="counted", Qualifier="live", StatementId=sid, Action=action, Principal="*", **more
        )
    assert ask(server, host)[0] == 200
    api.put_function_concurrency(FunctionName="counted", ReservedConcurrentExecutions=0)
    status, headers, body = ask(server, host)
    assert (status, headers["x-amzn-errortype"]) == (429, "TooManyRequestsException")
    assert json.loads(body)["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    cloudwatch, now = server.client("cloudwatch"), datetime.now(UTC)

    def total(metric: str) -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Period=3600, Statistics=["Sum"],
            Dimensions=[{"Name": "FunctionName", "Value": "counted"}],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=1),
        )["Datapoints"]  # fmt: skip
        return float(sum(each["Sum"] for each in found))

    until(lambda: total("UrlRequestCount") == 2)
    assert total("Url4xxCount") == 1
    assert total("Url5xxCount") == 0


def test_a_url_that_is_gone_or_never_was_leads_nowhere(server: RuntimeProcess) -> None:
    server.create("moved", SHOW)
    host = url_of(server, "moved")
    assert ask(server, host)[0] == 200
    server.client().delete_function_url_config(FunctionName="moved")
    assert ask(server, host)[0] == 404
    assert ask(server, "x" * 32 + ".lambda-url.us-east-1.localhost")[0] == 404


def test_a_path_like_lambdas_own_is_the_functions(server: RuntimeProcess) -> None:
    server.create("paths", SHOW)
    host = url_of(server, "paths")
    path = "/2015-03-31/functions/paths/invocations"
    assert json.loads(ask(server, host, "POST", path, b"{}")[2])["rawPath"] == path


# streams ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def streamer(server: RuntimeProcess) -> str:
    """The host of a URL whose function streams."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("bootstrap")
        info.external_attr = 0o755 << 16
        archive.writestr(info, STREAMER)
    api = server.client()
    api.create_function(
        FunctionName="streamer", Runtime="provided.al2023", Handler="x", Role=ROLE, Timeout=10,
        Code={"ZipFile": buffer.getvalue()},
    )  # fmt: skip
    until(lambda: api.get_function_configuration(FunctionName="streamer")["State"] == "Active")
    return url_of(server, "streamer", InvokeMode="RESPONSE_STREAM")


def chunks(server: RuntimeProcess, event: dict[str, str], **more: Any) -> tuple[list[bytes], dict[str, Any]]:
    """The payload chunks and the end of a streamed invocation."""
    answer = server.client().invoke_with_response_stream(
        FunctionName="streamer", Payload=json.dumps(event).encode(), **more
    )
    assert answer["ExecutedVersion"] == "$LATEST"
    pieces, end = [], None
    for each in answer["EventStream"]:
        if "PayloadChunk" in each:
            pieces.append(each["PayloadChunk"]["Payload"])
        else:
            end = each["InvokeComplete"]
    assert end is not None
    return pieces, end


def test_a_streamed_result_comes_piece_by_piece(server: RuntimeProcess, streamer: str) -> None:
    connection = Connection(server.port)._connection
    connection.request("GET", "/?count=3&pause=0.3", headers={"Host": streamer})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/plain")
    came = []
    while piece := answer.read1(100):
        came.append((piece, datetime.now(UTC)))
    assert b"".join(piece for piece, _ in came) == b"0;1;2;"
    assert (came[-1][1] - came[0][1]).total_seconds() > 0.4


def test_a_stream_may_begin_with_status_headers_and_cookies(server: RuntimeProcess, streamer: str) -> None:
    kind = "application/vnd.awslambda.http-integration-response"
    status, headers, body = ask(server, streamer, path=f"/?count=2&type={kind}")
    assert (status, headers["x-own"], headers["set-cookie"], body) == (201, "yes", "a=1", b"first 0;1;")


def test_a_stream_that_breaks_off_breaks_the_connection(server: RuntimeProcess, streamer: str) -> None:
    with pytest.raises(Exception, match="IncompleteRead"):
        ask(server, streamer, path="/?count=2&fail=1")


def test_invoke_with_response_stream_sends_chunks_and_the_end(server: RuntimeProcess, streamer: str) -> None:
    assert streamer
    pieces, end = chunks(server, {"count": "3", "pause": "0.05"}, LogType="Tail")
    assert (len(pieces), b"".join(pieces)) == (3, b"0;1;2;")
    assert "REPORT" in base64.b64decode(end["LogResult"]).decode()
    _, end = chunks(server, {"count": "1", "fail": "1"})
    assert end["ErrorCode"] == "Oops"


def test_a_large_stream_is_not_held_in_memory(server: RuntimeProcess, streamer: str) -> None:
    def resident_kb() -> int:
        with Path(f"/proc/{server.pid}/status").open() as status:
            return int(next(line for line in status if line.startswith("VmHWM")).split()[1])

    before = resident_kb()
    status, _, body = ask(server, streamer, path="/?count=60&times=500000")
    assert (status, len(body)) == (200, 10 * 500_000 * 2 + 50 * 500_000 * 3)
    assert resident_kb() - before < 60_000


def test_a_function_that_does_not_stream_can_be_invoked_as_a_stream(server: RuntimeProcess) -> None:
    server.create("whole", "def handler(event, context):\n    return {'got': event} if event else 1 / 0\n")
    api = server.client()
    answer = api.invoke_with_response_stream(FunctionName="whole", Payload=b'{"a": 1}')
    events = list(answer["EventStream"])
    assert [json.loads(each["PayloadChunk"]["Payload"]) for each in events[:-1]] == [{"got": {"a": 1}}]
    assert "ErrorCode" not in events[-1]["InvokeComplete"]
    failed = list(api.invoke_with_response_stream(FunctionName="whole", Payload=b"{}")["EventStream"])
    assert "ZeroDivisionError" in failed[-1]["InvokeComplete"]["ErrorDetails"]

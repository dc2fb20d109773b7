"""start-api as a process, talked to by plain HTTP."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.sam_application import Application, Server


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

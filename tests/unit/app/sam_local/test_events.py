"""The events functions get, against the documented ones."""

from __future__ import annotations

import base64

from app.sam_local.gateway.events import http_event, proxy_event, rest_event
from app.sam_local.gateway.match import Match
from tests.fakes.http_requests import api, incoming, match

ACCOUNT = "123456789012"
# Source: API Gateway developer guide, input format of a Lambda function for proxy integration
REST_KEYS = {
    "resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters",
    "multiValueQueryStringParameters", "pathParameters", "stageVariables", "requestContext", "body", "isBase64Encoded",
}  # fmt: skip


def test_a_rest_event_has_every_documented_key() -> None:
    """With null for what the request does not have."""
    event = rest_event(incoming("GET", "/orders"), match(api(("GET", "/orders"))), ACCOUNT)
    assert event.keys() == REST_KEYS
    for name in (
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ):
        assert event[name] is None
    assert event["isBase64Encoded"] is False


def test_a_rest_event_tells_the_request() -> None:
    """Names of headers as sent, the path undecoded, variables decoded, the last of several values and all of them."""
    of = api(("GET", "/orders/{id}"), variables={"level": "high"})
    request = incoming("GET", "/orders/a%20b?q=1&q=2&empty=", X_My_Header="One", User_Agent="curl")
    event = rest_event(request, match(of, id="a b"), ACCOUNT)
    assert (event["resource"], event["path"], event["pathParameters"]) == (
        "/orders/{id}",
        "/orders/a%20b",
        {"id": "a b"},
    )
    assert event["headers"]["X-My-Header"] == "One"
    assert event["multiValueHeaders"]["X-My-Header"] == ["One"]
    assert event["headers"]["X-Forwarded-Port"] == "3000"
    assert event["queryStringParameters"] == {"q": "2", "empty": ""}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"], "empty": [""]}
    assert event["stageVariables"] == {"level": "high"}
    context = event["requestContext"]
    assert (context["stage"], context["path"], context["resourcePath"]) == (
        "Prod",
        "/Prod/orders/a%20b",
        "/orders/{id}",
    )
    assert (context["accountId"], context["apiId"], context["httpMethod"]) == (ACCOUNT, "TheApi", "GET")
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "curl"
    assert context["requestTime"] == "23/Nov/2026:17:45:00 +0000"
    assert context["requestTimeEpoch"] == 1795455900123
    assert "authorizer" not in context


def test_a_rest_body_is_base64_only_for_a_binary_media_type() -> None:
    """Which the API names; `image/*` and `*/*` stand for many."""
    request = incoming("POST", "/", b"\x89PNG", Content_Type="image/png; q=1")
    for types, expected in ((("image/png",), True), (("image/*",), True), (("*/*",), True), ((), False)):
        event = rest_event(request, match(api(("POST", "/"), binary_types=types)), ACCOUNT)
        assert event["isBase64Encoded"] is expected
        assert (event["body"] == base64.b64encode(b"\x89PNG").decode()) is expected


def test_an_http_event_is_of_format_2() -> None:
    """Lower-case names, values with commas between, cookies apart, optional parts left out."""
    of = api(("ANY", "/b/{proxy+}"), kind="http", stage="$default")
    request = incoming("POST", "/b/x%20y?q=1&q=2", b"a=b", Cookie="a=1; b=2", Content_Type="text/plain", X_A="1")
    event = http_event(request, match(of, proxy="x y"), ACCOUNT)
    assert (event["version"], event["routeKey"]) == ("2.0", "ANY /b/{proxy+}")
    assert (event["rawPath"], event["rawQueryString"]) == ("/b/x y", "q=1&q=2")
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-a"] == "1"
    assert event["queryStringParameters"] == {"q": "1,2"}
    assert event["pathParameters"] == {"proxy": "x y"}
    assert (event["body"], event["isBase64Encoded"]) == ("a=b", False)
    assert "stageVariables" not in event
    assert event["requestContext"]["http"] == {
        "method": "POST",
        "path": "/b/x y",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "",
    }
    assert (event["requestContext"]["stage"], event["requestContext"]["timeEpoch"]) == ("$default", 1795455900123)


def test_an_http_event_without_query_cookies_and_body_leaves_them_out() -> None:
    """As AWS does."""
    event = http_event(incoming(), match(api(("GET", "/"), kind="http", stage="$default")), ACCOUNT)
    assert event.keys() == {
        "version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded",
    }  # fmt: skip


def test_the_stage_is_in_the_path_unless_it_is_the_default() -> None:
    """rawPath of an HTTP API with a stage of its own."""
    of = api(("GET", "/x"), kind="http", stage="dev")
    assert http_event(incoming("GET", "/x"), match(of), ACCOUNT)["rawPath"] == "/dev/x"


def test_binary_bodies_of_http_apis_are_told_by_their_type() -> None:
    """Text types, and what is UTF-8 without a type, are text."""
    of = match(api(("POST", "/"), kind="http", stage="$default"))
    for kind, body, expected in (
        ("application/json", b"{}", False),
        ("application/vnd.api+json", b"{}", False),
        ("text/plain", "é".encode(), False),
        ("text/plain", b"\xff", True),
        ("application/octet-stream", b"abc", True),
        ("image/png", b"abc", True),
        ("", b"abc", False),
        ("", b"\xff", True),
    ):
        event = http_event(incoming("POST", "/", body, Content_Type=kind), of, ACCOUNT)
        assert event["isBase64Encoded"] is expected, (kind, body)


def test_an_http_api_may_use_format_1() -> None:
    """With its version, and lower-case names."""
    of = api(("GET", "/x"), kind="http", stage="$default", payload="1.0")
    event = proxy_event(incoming("GET", "/x", X_A="1"), match(of), ACCOUNT)
    assert event["version"] == "1.0"
    assert event.keys() == {*REST_KEYS, "version"}
    assert event["headers"]["x-a"] == "1"
    assert event["requestContext"]["path"] == "/x"


def test_what_an_authorizer_said_reaches_the_function() -> None:
    """In each format's place."""
    rest, modern = api(("GET", "/")), api(("GET", "/"), kind="http", stage="$default")
    told = {"principalId": "ada", "level": "1"}
    assert proxy_event(incoming(), match(rest), ACCOUNT, told)["requestContext"]["authorizer"] == told
    assert proxy_event(incoming(), match(modern), ACCOUNT, told)["requestContext"]["authorizer"] == {"lambda": told}


def test_routes_without_a_path_are_keyed_default() -> None:
    """`$default` alone."""
    of = api(("ANY", "$default"), kind="http", stage="$default")
    assert http_event(incoming(), Match(of, of.routes[0]), ACCOUNT)["routeKey"] == "$default"

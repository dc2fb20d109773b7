"""Function URLs: results as responses, preludes of streams, CORS, bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.http import Request
from runtime.urls.cors import applied, granted, preflight
from runtime.urls.event import body_of
from runtime.urls.response import BadResult, Prelude, response_of

ORIGIN = "https://a.example"


def request(method: str = "GET", **headers: str) -> Request:
    """A request; `_` in a header's name is a hyphen."""
    return Request(method, "/", "", {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize("payload", ['"text"', "null", "3", '{"a": 1}', "[1]"])
def test_a_result_without_a_status_is_the_body(payload: str) -> None:
    response = response_of(payload.encode())
    assert (response.status, response.headers, response.body) == (
        200,
        (("Content-Type", "application/json"),),
        payload.encode(),
    )


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"statusCode": 204}, 204, b""),
        ({"statusCode": "302"}, 302, b""),
        ({"statusCode": 200, "body": "ü"}, 200, "ü".encode()),
        ({"statusCode": 200, "body": {"a": 1}}, 200, b'{"a": 1}'),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, b"hi"),
        ({"statusCode": 200, "body": None}, 200, b""),
    ],
)
def test_a_result_with_a_status_describes_the_response(result: dict[str, Any], status: int, body: bytes) -> None:
    response = response_of(json.dumps(result).encode())
    assert (response.status, response.body) == (status, body)


def test_headers_and_cookies_are_sent_and_ours_are_kept() -> None:
    result = {
        "statusCode": 200,
        "headers": {"X-Number": 3, "Transfer-Encoding": "chunked", "content-type": "text/html"},
        "cookies": ["a=1", "b=2"],
    }
    assert response_of(json.dumps(result).encode()).headers == (
        ("X-Number", "3"), ("content-type", "text/html"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "result",
    [
        b"not json",
        b'{"statusCode": "ok"}',
        b'{"statusCode": 99}',
        b'{"statusCode": true}',
        b'{"statusCode": 200, "headers": ["a"]}',
        b'{"statusCode": 200, "cookies": "a"}',
        b'{"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}',
        b'{"statusCode": 200, "body": "%", "isBase64Encoded": true}',
    ],
)
def test_results_that_are_no_responses(result: bytes) -> None:
    with pytest.raises(BadResult):
        response_of(result)


def test_a_prelude_may_come_in_pieces() -> None:
    prelude = Prelude()
    assert prelude.feed(b'{"statusCode": 201,') is None
    assert prelude.feed(b' "headers": {"a": "b"}}' + bytes(5)) is None
    found = prelude.feed(bytes(3) + b"rest")
    assert found is not None
    assert (found[0].status, found[0].headers[0], found[1]) == (201, ("a", "b"), b"rest")


def test_a_stream_without_a_prelude_is_noticed() -> None:
    for piece in (b"x" * (2 << 20), b"[1]" + bytes(8), b"{" + bytes(8)):
        with pytest.raises(BadResult):
            Prelude().feed(piece)


CORS = {"AllowOrigins": ["https://*.example", ORIGIN], "AllowMethods": ["GET"], "MaxAge": 0}


def test_only_a_preflight_is_answered_for_the_function() -> None:
    asked = {"origin": ORIGIN, "access_control_request_method": "GET"}
    assert preflight({}, request("OPTIONS", **asked)) is None
    assert preflight(CORS, request("GET", **asked)) is None
    assert preflight(CORS, request("OPTIONS", origin=ORIGIN)) is None
    answer = preflight(CORS, request("OPTIONS", **asked))
    assert answer is not None
    assert dict(answer.headers) == {
        "Content-Type": "application/json", "Access-Control-Allow-Origin": ORIGIN, "Vary": "Origin",
        "Access-Control-Allow-Methods": "GET", "Access-Control-Max-Age": "0",
    }  # fmt: skip
    refused = preflight(CORS, request("OPTIONS", **{**asked, "origin": "https://b.example.org"}))
    assert refused is not None
    assert "Access-Control-Allow-Origin" not in dict(refused.headers)


def test_any_origin_is_a_star_unless_credentials_are_allowed() -> None:
    origin = request(origin=ORIGIN)
    assert granted({"AllowOrigins": ["*"]}, origin) == (("Access-Control-Allow-Origin", "*"),)
    shown = dict(granted({"AllowOrigins": ["*"], "AllowCredentials": True}, origin))
    assert shown["Access-Control-Allow-Origin"] == ORIGIN
    assert shown["Access-Control-Allow-Credentials"] == "true"
    assert granted({"AllowOrigins": ["*"]}, request()) == ()


def test_the_configuration_has_the_say_over_what_the_function_allows() -> None:
    own = (("Access-Control-Allow-Origin", "https://evil.example.org"), ("x", "y"))
    assert applied({}, request(origin=ORIGIN), own) == own
    assert dict(applied(CORS, request(origin=ORIGIN), own))["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"text", "text/plain; charset=utf-8", ("text", False)),
        (b"{}", "application/vnd.api+json", ("{}", False)),
        (b"a=1", "application/x-www-form-urlencoded", ("YT0x", True)),
        (b"\xff", "text/plain", ("/w==", True)),
        (b"x", "", ("eA==", True)),
        (b"", "", ("", False)),
    ],
)
def test_which_bodies_are_text(body: bytes, content_type: str, expected: tuple[str, bool]) -> None:
    assert body_of(body, content_type) == expected

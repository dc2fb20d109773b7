"""What clients get for what functions return."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from app.sam_local.gateway.answers import Malformed, http_answer, no_route, rest_answer
from app.sam_local.gateway.match import NoMatch
from tests.fakes.http_requests import api

PNG = base64.b64encode(b"\x89PNG").decode()


def rest(result: Any, accept: str = "*/*", types: tuple[str, ...] = ()) -> tuple[int, dict[str, str], bytes]:
    answer = rest_answer(json.dumps(result).encode(), accept, types)
    return answer.status, dict(answer.headers), answer.body


def test_a_proxy_answer_becomes_the_response() -> None:
    """Status, headers of both kinds, body; JSON is the type unless it is said."""
    status, headers, body = rest({"statusCode": 201, "headers": {"X-A": 1, "X-B": True}, "body": "é"})
    assert (status, body) == (201, "é".encode())
    assert headers == {"Content-Type": "application/json", "X-A": "1", "X-B": "true"}
    assert rest({"statusCode": "404"})[0] == 404
    assert rest({})[0] == 200
    both = {"headers": {"set-cookie": "lost", "X": "1"}, "multiValueHeaders": {"Set-Cookie": ["a", "b"]}}
    several = rest_answer(json.dumps(both).encode(), "", ())
    assert [pair for pair in several.headers if pair[0] == "Set-Cookie"] == [("Set-Cookie", "a"), ("Set-Cookie", "b")]
    assert ("set-cookie", "lost") not in several.headers


@pytest.mark.parametrize(
    "result",
    [
        None,
        "text",
        7,
        [{"statusCode": 200}],
        {"statusCode": "abc"},
        {"statusCode": 20},
        {"statusCode": True},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": 7},
        {"statusCode": 200, "unknown": 1},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"a": {}}},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "multiValueHeaders": {"a": "b"}},
    ],
)
def test_what_is_no_proxy_answer_is_malformed(result: Any) -> None:
    """A REST API answers 502 to it."""
    with pytest.raises(Malformed):
        rest(result)


def test_base64_is_decoded_when_the_client_accepts_a_binary_type() -> None:
    """Otherwise the text is passed on."""
    result = {"body": PNG, "isBase64Encoded": True, "headers": {"Content-Type": "text/plain"}}
    assert rest(result, "image/png,text/html", ("image/png",))[2] == b"\x89PNG"
    assert rest(result, "text/html", ("image/png",))[2] == PNG.encode()
    assert rest(result, "image/png", ())[2] == PNG.encode()
    with pytest.raises(Malformed):
        rest({"body": "not base64!", "isBase64Encoded": True}, "image/png", ("*/*",))


def test_a_result_without_a_status_is_the_body_in_format_2() -> None:
    """Whatever it is."""
    for result in ({"message": "x"}, [1], "text", 7, None):
        answer = http_answer(json.dumps(result).encode())
        assert (answer.status, json.loads(answer.body)) == (200, result)
        assert answer.headers == (("Content-Type", "application/json"),)


def test_an_answer_of_format_2() -> None:
    """Cookies become Set-Cookie headers, base64 is decoded, a body that is no text is written as JSON."""
    answer = http_answer(
        json.dumps({"statusCode": 201, "cookies": ["a=1", "b=2"], "body": PNG, "isBase64Encoded": True}).encode()
    )
    assert (answer.status, answer.body) == (201, b"\x89PNG")
    assert answer.headers[-2:] == (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert http_answer(b'{"statusCode":200,"body":{"a":1}}').body == b'{"a":1}'
    with pytest.raises(Malformed):
        http_answer(b'{"statusCode":"x"}')


def test_headers_about_the_connection_are_not_passed_on() -> None:
    """They would contradict what is sent."""
    answer = http_answer(b'{"statusCode":200,"headers":{"content-length":"7","Transfer-Encoding":"chunked","a":"b"}}')
    assert dict(answer.headers) == {"Content-Type": "application/json", "a": "b"}


def test_no_route_is_answered_in_each_kinds_words() -> None:
    """403 with a token said to be missing, or 404."""
    rest_, http = no_route(NoMatch(api(("GET", "/")))), no_route(NoMatch(api(("GET", "/"), kind="http")))
    assert (rest_.status, rest_.body) == (403, b'{"message":"Missing Authentication Token"}')
    assert (http.status, http.body) == (404, b'{"message":"Not Found"}')

"""From request to answer: preflights, authorizers, calls, errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.sam_local.gateway.messages import Incoming, Outgoing
from app.sam_local.gateway.serve import Ask, Call, Gateway, answered, timed_out
from sam.local.model import Api, Authorizer, Cors
from tests.fakes.http_requests import api, incoming

CORS = Cors(("https://a.example",), ("GET",), ("x-key",), ("x-seen",), 60, credentials=True)
TOKEN = Authorizer("Auth", "TOKEN", "Auth", ("$request.header.Authorization",), "Bearer .+")


def gateway(*apis: Api, authorizers: bool = True) -> Gateway:
    return Gateway(apis, "us-east-1", "123456789012", authorizers)


def headers(answer: Outgoing) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers}


def preflight(origin: str, target: str = "/x") -> Incoming:
    return incoming("OPTIONS", target, Origin=origin, Access_Control_Request_Method="GET")


# cross-origin requests --------------------------------------------------------------------------------------------


def test_a_rest_api_answers_options_on_each_path_with_fixed_headers() -> None:
    """Whoever asks; methods are those of the path unless they are configured."""
    cors = Cors(origins=("*",), headers=("x-key",), max_age_s=5)
    answer = gateway(api(("GET", "/x"), ("POST", "/x"), cors=cors)).route(incoming("OPTIONS", "/x"))
    assert isinstance(answer, Outgoing)
    assert answer.status == 200
    assert headers(answer) == {
        "content-type": "application/json",
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET,OPTIONS,POST",
        "access-control-allow-headers": "x-key",
        "access-control-max-age": "5",
    }
    every = gateway(api(("ANY", "/x"), cors=cors)).route(incoming("OPTIONS", "/x"))
    assert isinstance(every, Outgoing)
    assert "DELETE" in headers(every)["access-control-allow-methods"]


def test_an_http_api_answers_a_preflight_by_its_origin() -> None:
    """With headers for an allowed one, without for another."""
    of = gateway(api(("GET", "/x"), kind="http", cors=CORS))
    allowed, refused = of.route(preflight("https://a.example")), of.route(preflight("https://b.example"))
    assert isinstance(allowed, Outgoing)
    assert isinstance(refused, Outgoing)
    assert (allowed.status, refused.status) == (204, 204)
    assert headers(allowed) == {
        "access-control-allow-origin": "https://a.example",
        "vary": "Origin",
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "x-seen",
        "access-control-allow-methods": "GET",
        "access-control-allow-headers": "x-key",
        "access-control-max-age": "60",
    }
    assert headers(refused) == {}


def test_an_http_api_with_only_a_default_route_answers_preflights_too() -> None:
    """Which the function never sees."""
    of = gateway(api(("ANY", "$default"), kind="http", cors=CORS))
    assert isinstance(of.route(preflight("https://a.example")), Outgoing)
    assert isinstance(of.route(incoming("OPTIONS", "/x")), Call)


def test_without_cors_options_go_to_a_route_or_nowhere() -> None:
    """As any other method."""
    assert isinstance(gateway(api(("ANY", "/x"))).route(preflight("https://a")), Call)
    answer = gateway(api(("GET", "/x"))).route(preflight("https://a"))
    assert isinstance(answer, Outgoing)
    assert answer.status == 403


def test_an_http_apis_cors_replaces_what_the_function_says() -> None:
    """A REST API leaves it alone."""
    said = b'{"statusCode":200,"headers":{"access-control-allow-origin":"https://theirs"}}'
    request = incoming("GET", "/x", Origin="https://a.example")
    for kind, expected in (("http", "https://a.example"), ("rest", "https://theirs")):
        call = gateway(api(("GET", "/x"), kind=kind, cors=CORS)).route(request)
        assert isinstance(call, Call)
        assert headers(answered(call, request, said, failed=False)[0])["access-control-allow-origin"] == expected


# authorizers ------------------------------------------------------------------------------------------------------


def asked(of: Gateway, request: Incoming) -> tuple[Ask, dict[str, Any]]:
    ask = of.route(request)
    assert isinstance(ask, Ask)
    return ask, json.loads(ask.event)


def protected(authorizer: Authorizer, **more: Any) -> Api:
    return api(("GET", "/orders/{id}"), authorizer="Auth", authorizers={"Auth": authorizer}, **more)


def policy(effect: str, resource: str = "*", **more: Any) -> bytes:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return json.dumps({"principalId": "ada", "policyDocument": {"Statement": [statement]}, **more}).encode()


def test_a_token_authorizer_is_asked_for_a_token_that_looks_like_one() -> None:
    """Anything else is 401 without asking."""
    of = gateway(protected(TOKEN))
    _, event = asked(of, incoming("GET", "/orders/7", Authorization="Bearer x"))
    assert event == {
        "type": "TOKEN",
        "authorizationToken": "Bearer x",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:TheApi/Prod/GET/orders/7",
    }
    for request in (incoming("GET", "/orders/7"), incoming("GET", "/orders/7", Authorization="x")):
        answer = of.route(request)
        assert isinstance(answer, Outgoing)
        assert (answer.status, answer.body) == (401, b'{"message":"Unauthorized"}')


@pytest.mark.parametrize(
    ("payload", "failed", "status"),
    [
        (policy("Allow"), False, None),
        (policy("Allow", "arn:aws:execute-api:*:*:TheApi/Prod/GET/orders/*"), False, None),
        (policy("Allow", "arn:aws:execute-api:*:*:TheApi/Prod/POST/*"), False, 403),
        (policy("Deny"), False, 403),
        (b'{"principalId":"ada"}', False, 500),
        (b'{"policyDocument":{"Statement":[]}}', False, 500),
        (b"7", False, 500),
        (b'{"errorMessage":"Unauthorized"}', True, 401),
        (b'{"errorMessage":"else"}', True, 500),
    ],
)
def test_a_rest_authorizers_answer_lets_through_or_refuses(payload: bytes, failed: bool, status: int | None) -> None:
    """By its policy; an error whose message is Unauthorized is a no."""
    of, request = gateway(protected(TOKEN)), incoming("GET", "/orders/7", Authorization="Bearer x")
    ask, _ = asked(of, request)
    step = of.authorized(request, ask, payload, failed=failed)
    if status is None:
        assert isinstance(step, Call)
    else:
        assert isinstance(step, Outgoing)
        assert step.status == status


def test_a_rest_authorizers_context_reaches_the_function_as_text() -> None:
    """With the principal."""
    of, request = gateway(protected(TOKEN)), incoming("GET", "/orders/7", Authorization="Bearer x")
    ask, _ = asked(of, request)
    call = of.authorized(request, ask, policy("Allow", context={"n": 1, "b": True}), failed=False)
    assert isinstance(call, Call)
    told = json.loads(call.event)["requestContext"]["authorizer"]
    assert told == {"n": "1", "b": "true", "principalId": "ada", "integrationLatency": 0}


def test_a_request_authorizer_sees_the_request() -> None:
    """And needs every identity source."""
    sources = ("$request.header.X-Key", "$request.querystring.q", "$stageVariables.level", "$context.stage")
    of = gateway(protected(Authorizer("Auth", "REQUEST", "Auth", sources), variables={"level": "1"}))
    _, event = asked(of, incoming("GET", "/orders/7?q=1", X_Key="k"))
    assert (event["type"], event["resource"], event["queryStringParameters"]) == (
        "REQUEST",
        "/orders/{id}",
        {"q": "1"},
    )
    assert event["methodArn"].endswith("/GET/orders/7")
    assert "body" not in event
    for request in (incoming("GET", "/orders/7", X_Key="k"), incoming("GET", "/orders/7?q=1")):
        answer = of.route(request)
        assert isinstance(answer, Outgoing)
        assert answer.status == 401


@pytest.mark.parametrize(
    ("answer", "status"),
    [({"isAuthorized": True, "context": {"n": 1}}, None), ({"isAuthorized": False}, 403), ({}, 500)],
)
def test_an_http_authorizer_may_answer_simply(answer: dict[str, Any], status: int | None) -> None:
    """isAuthorized; its context is passed on as it is."""
    authorizer = Authorizer("Auth", "REQUEST", "Auth", ("$request.header.X-Key",), payload="2.0", simple=True)
    of = gateway(protected(authorizer, kind="http", stage="$default"))
    request = incoming("GET", "/orders/7", X_Key="k")
    ask, event = asked(of, request)
    assert (event["version"], event["identitySource"], event["routeKey"]) == ("2.0", ["k"], "GET /orders/{id}")
    assert event["routeArn"].endswith("/$default/GET/orders/7")
    step = of.authorized(request, ask, json.dumps(answer).encode(), failed=False)
    if status is None:
        assert isinstance(step, Call)
        assert json.loads(step.event)["requestContext"]["authorizer"] == {"lambda": {"n": 1}}
    else:
        assert isinstance(step, Outgoing)
        assert step.status == status


def test_authorizers_can_be_left_out() -> None:
    """--disable-authorizer."""
    assert isinstance(gateway(protected(TOKEN), authorizers=False).route(incoming("GET", "/orders/7")), Call)


# answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "payload", "failed", "status", "body"),
    [
        ("rest", b'"no"', False, 502, b'{"message": "Internal server error"}'),
        ("rest", b'{"errorMessage":"x"}', True, 502, b'{"message": "Internal server error"}'),
        ("http", b'{"statusCode":"x"}', False, 500, b'{"message":"Internal Server Error"}'),
        ("http", b'{"errorMessage":"x"}', True, 500, b'{"message":"Internal Server Error"}'),
    ],
)
def test_errors_have_each_kinds_words(kind: str, payload: bytes, failed: bool, status: int, body: bytes) -> None:
    """Of the function, and of its answer."""
    request = incoming("GET", "/x")
    call = gateway(api(("GET", "/x"), kind=kind)).route(request)
    assert isinstance(call, Call)
    answer, problem = answered(call, request, payload, failed=failed)
    assert (answer.status, answer.body) == (status, body)
    assert problem


def test_a_function_that_is_too_slow_is_not_waited_for() -> None:
    """29 s (REST) and 30 s (HTTP) unless the route says otherwise."""
    rest, http = (gateway(api(("GET", "/x"), kind=kind)).route(incoming("GET", "/x")) for kind in ("rest", "http"))
    assert isinstance(rest, Call)
    assert isinstance(http, Call)
    assert (rest.timeout_s, http.timeout_s) == (29.0, 30.0)
    assert (timed_out(rest).status, timed_out(http).status) == (504, 503)

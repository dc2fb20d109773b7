"""Who is let through to the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.api.guard import BIGGEST_BODY_BYTES
from tests.fakes.asgi import Answer

Ask = Callable[..., Answer]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "bearer s3cret-token", "Basic s3cret-token", "s3cret-token"]
)
def test_without_the_token_nothing_is_answered(api: Ask, header: str) -> None:
    """Neither what is there nor what is not."""
    for path in ("/v1/status", "/v1/nowhere", "/"):
        answer = api("GET", path, authorization=header)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.document["error"]["class"] == "NotAllowed"


def test_a_token_that_is_no_ascii_is_wrong(api: Ask) -> None:
    """And crashes nothing."""
    assert api("GET", "/v1/status", authorization="Bearer tökén").status == 401


def test_the_token_opens(api: Ask) -> None:
    """Every address."""
    assert api("GET", "/v1/status").status == 200


def test_health_needs_no_token(api: Ask) -> None:
    """And tells nothing but the version."""
    answer = api("GET", "/v1/health", authorization="")
    assert answer.status == 200
    assert set(answer.document) == {"status", "version"}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "localhost.evil", "[::1"]
)
def test_another_host_name_is_refused_even_with_the_token(api: Ask, host: str) -> None:
    """A page that had its own name point at this machine (DNS rebinding)."""
    assert api("GET", "/v1/status", host=host).status == 403
    assert api("GET", "/v1/health", host=host).status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8123", "localhost:1", "LOCALHOST", "[::1]:80"])
def test_this_machine_s_names_are_served(api: Ask, host: str) -> None:
    """With any port."""
    assert api("GET", "/v1/health", host=host).status == 200


def test_a_body_that_is_too_big_is_refused(api: Ask) -> None:
    """By its announced length."""
    answer = api("POST", "/v1/executions", b"{}", content_length=str(BIGGEST_BODY_BYTES + 1))
    assert answer.status == 413


@pytest.mark.parametrize("length", ["x", "-1", "1e9"])
def test_a_length_that_is_no_number_is_too_big(api: Ask, length: str) -> None:
    """Whatever it was meant to say."""
    assert api("POST", "/v1/executions", b"{}", content_length=length).status == 413


def test_a_body_without_a_length_is_cut_off(api: Ask) -> None:
    """When it gets too big."""
    answer = api("POST", "/v1/executions", b"x" * (BIGGEST_BODY_BYTES + 1), content_length="")
    assert answer.status == 400
    assert "bigger than" in answer.document["error"]["what"]

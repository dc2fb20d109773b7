"""Signatures that botocore makes are found right, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from runtime.http import Request
from runtime.policy.signature import access_key_id, read, verified

KEY, SECRET, TOKEN = "ASIA" + "A" * 16, "very secret", "a token/with=signs"
INVOKE = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations"


def signed(
    maker: Any, service: str, method: str, path: str, body: bytes = b"", *, token: str = TOKEN, **headers: str
) -> Request:
    """A request as the server sees it, signed by one of botocore's signers."""
    request = AWSRequest(method=method, url=f"http://127.0.0.1:4566{path}", data=body, headers=headers)
    maker(Credentials(KEY, SECRET, token or None), service, "us-east-1").add_auth(request)
    prepared = request.prepare()
    address, _, query = prepared.url.removeprefix("http://127.0.0.1:4566").partition("?")
    seen = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    return Request(method, address, query, {"host": "127.0.0.1:4566", **seen}, body)


def right(request: Request, secret: str = SECRET, token: str = TOKEN) -> bool:
    signature = read(request)
    assert signature is not None
    return verified(request, signature, secret, token)


CASES = [
    (SigV4Auth, "lambda", "POST", INVOKE, b'{"a": 1}'),
    (SigV4Auth, "lambda", "POST", f"{INVOKE}?Qualifier=live&b=%20x%2Fy&a=", b""),
    (SigV4Auth, "lambda", "GET", "/a%20b/%E2%82%AC?q=%2B1&q=0", b""),
    (SigV4Auth, "sqs", "POST", "/", b"Action=ListQueues"),
    (S3SigV4Auth, "s3", "PUT", "/bucket/a%20key%2B/with~signs", b"body"),
    (S3SigV4Auth, "s3", "GET", "/bucket?list-type=2&prefix=a%2F", b""),
    (S3SigV4QueryAuth, "s3", "GET", "/bucket/key%20?versionId=3", b""),
    (SigV4QueryAuth, "sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", b""),
]


@pytest.mark.parametrize("token", [TOKEN, ""])
@pytest.mark.parametrize("case", CASES)
def test_what_botocore_signs_is_right_with_its_secret_only(case: tuple[Any, ...], token: str) -> None:
    request = signed(*case, token=token)

    assert access_key_id(request) == KEY
    assert right(request, token=token)
    assert not right(request, "another secret", token)


@pytest.mark.parametrize("case", CASES)
def test_any_change_makes_it_wrong(case: tuple[Any, ...]) -> None:
    request = signed(*case)

    assert not right(replace(request, method="DELETE"))
    assert not right(replace(request, path=f"{request.path}x"))
    assert not right(replace(request, query=f"{request.query}&more=1"))
    assert not right(replace(request, headers={**request.headers, "host": "elsewhere"}))
    if case[0] is SigV4Auth:
        assert not right(replace(request, body=request.body + b" "))


def test_a_temporary_key_needs_its_token() -> None:
    assert not right(signed(*CASES[0], token=""))
    assert not right(signed(*CASES[0], token="another"))


def test_spaces_in_header_values_do_not_matter() -> None:
    assert right(signed(SigV4Auth, "lambda", "GET", "/", meta=" several   spaces "))


@pytest.mark.parametrize(
    "header", ["", "Basic abc", "AWS4-HMAC-SHA256 Credential=key/20260101, Signature=1", "AWS4-HMAC-SHA256"]
)
def test_what_is_no_signature_is_none(header: str) -> None:
    assert read(Request("GET", "/", "", {"authorization": header} if header else {}, b"")) is None


def test_an_unsigned_request_has_no_key() -> None:
    assert access_key_id(Request("GET", "/", "", {}, b"")) == ""

"""Which service a request is for."""

from __future__ import annotations

import pytest

from runtime.gateway.addresses import bucket_of, service_of, target_of

_SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
_FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
_PRESIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz=1"


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "service"),
    [
        ("POST", "/", "", {"authorization": _SIGNED.format("sqs")}, "sqs"),
        ("POST", "/", "", {"authorization": _SIGNED.format("cognito-idp")}, "cognito-idp"),
        ("GET", "/bucket/key", _PRESIGNED, {}, "s3"),
        ("GET", "/bucket/key", "AWSAccessKeyId=x&Signature=y&Expires=1", {}, "s3"),
        ("GET", "/bucket/key", "", {"authorization": "AWS AKIA:signature"}, "s3"),
        ("GET", "/bucket/key", "", {}, "s3"),
        ("GET", "/", "", {"host": "photos.localhost:4566"}, "s3"),
        ("POST", "/2015-03-31/functions/f/invocations", "", {}, ""),
        ("GET", "/2015-03-31/functions", "", {"host": "photos.localhost"}, "s3"),
        ("GET", "/_code/abc.zip", "", {}, ""),
        ("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", "", {}, ""),
        ("GET", "/", "", {}, ""),
        ("POST", "/", "", _FORM, "?"),
        ("POST", "/", "", {"x-amz-target": "DynamoDB_20120810.ListTables"}, "?"),
        ("PUT", "/a/b", "", {"host": "abc.lambda-url.us-east-1.localhost:1"}, ""),
        ("PUT", "/a/b", "", {"host": "abc.lambda-url.us-east-1.localhost", "authorization": _SIGNED.format("s3")}, ""),
    ],
)
def test_the_service(method: str, path: str, query: str, headers: dict[str, str], service: str) -> None:
    assert service_of(method, path, query, headers) == service


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("photos.localhost", "photos"),
        ("photos.localhost:4566", "photos"),
        ("my.photos.localhost", "my.photos"),
        ("photos.s3.localhost", "photos"),
        ("photos.s3.eu-west-1.localhost:1", "photos"),
        ("photos.s3-us-west-2.amazonaws.com", "photos"),
        ("photos.s3.amazonaws.com", "photos"),
        ("localhost:4566", ""),
        ("s3.localhost", ""),
        ("s3.us-east-1.localhost", ""),
        ("127.0.0.1:4566", ""),
        ("example.com", ""),
        ("abc.lambda-url.us-east-1.localhost:1", ""),
    ],
)
def test_the_bucket_in_a_hosts_name(host: str, bucket: str) -> None:
    assert bucket_of(host) == bucket


def test_the_bucket_goes_in_front_of_the_path_for_s3_alone() -> None:
    assert target_of("s3", "/a%20b", "x=1", "photos.localhost") == "/photos/a%20b?x=1"
    assert target_of("s3", "/photos/a", "", "127.0.0.1:1") == "/photos/a"
    assert target_of("sqs", "/", "", "queue.localhost") == "/"

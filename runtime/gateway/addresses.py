"""Which service a request is for, and what it asks of S3 when the bucket is in the host's name. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SIGNED = re.compile(r"(?:Credential=|X-Amz-Credential=)[^&,\s]*?/[^/]*/[^/]*/([a-z0-9-]+)/aws4_request")
_LAMBDA_PATH = re.compile(r"/\d{4}-\d{2}-\d{2}/")
_BUCKET_HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9][a-z0-9.-]*?)\.)??"
    r"(?:s3(?:[.-][a-z]{2}(?:-[a-z]+)+-\d)?\.)?(?:localhost|amazonaws\.com)(?::\d+)?",
    re.IGNORECASE,
)
LAMBDA = "lambda"
URL_MARK = ".lambda-url."
"""In the host's name of every function URL."""


def service_of(method: str, path: str, query: str, headers: Mapping[str, str]) -> str:
    """The signing name of the service; empty when the request says nothing of any service but Lambda.

    Unsigned requests are Lambda's at Lambda's paths; JSON and form requests are for whom they name ("?": the
    backend finds out); whatever is left is S3's, which alone has public resources.
    """
    host, authorization = headers.get("host", ""), headers.get("authorization", "")
    if URL_MARK in host:
        return ""
    signed = _SIGNED.search(authorization) or _SIGNED.search(query.replace("%2F", "/").replace("%2f", "/"))
    if signed is not None:
        return signed.group(1)
    if authorization.startswith("AWS ") or "AWSAccessKeyId=" in query:
        return "s3"
    if bucket_of(host):
        return "s3"
    if _LAMBDA_PATH.match(path) or path.startswith(("/_", "/service/")):
        return ""
    if "x-amz-target" in headers:
        return "?"
    if path == "/":
        form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return "?" if method == "POST" and form else ""
    return "s3"


def bucket_of(host: str) -> str:
    """The bucket that the host's name carries (`photos.localhost:4566`, `photos.s3.us-east-1.localhost`), or empty."""
    if URL_MARK in host:
        return ""
    match = _BUCKET_HOST.fullmatch(host)
    return (match["bucket"] or "").lower() if match is not None else ""


def target_of(service: str, path: str, query: str, host: str) -> str:
    """What to ask the backend for: `path` and `query`, the bucket always in front of the path."""
    bucket = bucket_of(host) if service == "s3" else ""
    path = f"/{bucket}{path}" if bucket else path
    return f"{path}?{query}" if query else path

"""Cross-origin requests to function URLs that have a Cors configuration. Pure.

Source: Lambda's API reference, "Cors", and the Fetch standard's "CORS protocol".
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from runtime.http import Request, Response

Headers = tuple[tuple[str, str], ...]
_PREFIX = "access-control-"


def preflight(cors: Mapping[str, Any], request: Request) -> Response | None:
    """The answer to a browser that asks before it sends its request; None when this is no such question."""
    asked = request.headers.get("access-control-request-method")
    if not cors or request.method != "OPTIONS" or "origin" not in request.headers or asked is None:
        return None
    shown = granted(cors, request)
    if shown:
        for member, header in (("AllowMethods", "Allow-Methods"), ("AllowHeaders", "Allow-Headers")):
            if cors.get(member):
                shown = (*shown, (f"Access-Control-{header}", ",".join(cors[member])))
        if cors.get("MaxAge") is not None:
            shown = (*shown, ("Access-Control-Max-Age", str(cors["MaxAge"])))
    return Response(200, (("Content-Type", "application/json"), *shown))


def granted(cors: Mapping[str, Any], request: Request) -> Headers:
    """The headers that let the request's origin read the answer; none when it may not, or did not ask."""
    origin = request.headers.get("origin")
    allowed = cors.get("AllowOrigins") or ()
    if origin is None or not any(fnmatchcase(origin, each) for each in allowed):
        return ()
    with_credentials = bool(cors.get("AllowCredentials"))
    shown: Headers = (("Access-Control-Allow-Origin", "*" if "*" in allowed and not with_credentials else origin),)
    if shown[0][1] != "*":
        shown = (*shown, ("Vary", "Origin"))
    if with_credentials:
        shown = (*shown, ("Access-Control-Allow-Credentials", "true"))
    if cors.get("ExposeHeaders"):
        shown = (*shown, ("Access-Control-Expose-Headers", ",".join(cors["ExposeHeaders"])))
    return shown


def applied(cors: Mapping[str, Any], request: Request, headers: Headers) -> Headers:
    """`headers` of a function's answer, where the URL's configuration has the say over what they allow."""
    if not cors:
        return headers
    own = tuple(each for each in headers if not each[0].lower().startswith(_PREFIX))
    return (*own, *granted(cors, request))

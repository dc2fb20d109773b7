"""Requests to a local API, as values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.sam_local.gateway.match import Match
from app.sam_local.gateway.messages import Incoming
from sam.local.model import Api, Route

AT = datetime(2026, 11, 23, 17, 45, 0, 123000, UTC)


def incoming(method: str = "GET", target: str = "/", body: bytes = b"", **headers: str) -> Incoming:
    """A request; header names have `_` for `-`, a `Host` is added."""
    path, _, query = target.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    pairs = {"Host": "127.0.0.1:3000", **named}
    return Incoming(
        method=method,
        path=path,
        query=query,
        headers=tuple(pairs.items()),
        body=body,
        source_ip="127.0.0.1",
        scheme="http",
        protocol="HTTP/1.1",
        at=AT,
        request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    )


def api(*routes: tuple[str, str], kind: str = "rest", stage: str = "Prod", **more: Any) -> Api:
    """An API whose routes (method, path) all lead to the function `F`."""
    payload = more.pop("payload", "1.0" if kind == "rest" else "2.0")
    authorizer = more.pop("authorizer", "")
    made = tuple(Route(path, method, "F", payload, authorizer) for method, path in routes)
    return Api(more.pop("logical_id", "TheApi"), kind, stage, made, **more)


def match(of: Api, **parameters: str) -> Match:
    """The API's first route with those path variables."""
    return Match(of, of.routes[0], parameters)

"""Cross-origin requests: preflights that the API answers itself, and headers it adds. Pure.

Source: SAM CorsConfiguration (REST: an OPTIONS method with fixed headers on each path), API Gateway's CORS of HTTP APIs
(by the request's Origin, instead of what the function says).
"""

from __future__ import annotations

from collections.abc import Sequence

from app.sam_local.gateway.messages import Incoming, Outgoing, Pairs
from sam.local.model import Cors

_ALL = ("OPTIONS", "GET", "PUT", "POST", "DELETE", "PATCH", "HEAD")
_PREFIX = "Access-Control-"


def rest_preflight(cors: Cors, methods: Sequence[str]) -> Outgoing:
    """The answer of the OPTIONS method that SAM gives each path of a REST API with Cors."""
    known = _ALL if "ANY" in methods else tuple(dict.fromkeys((*methods, "OPTIONS")))
    allowed = cors.methods or tuple(sorted(known))
    headers: list[tuple[str, str]] = [(f"{_PREFIX}Allow-Origin", ",".join(cors.origins) or "*")]
    headers.append((f"{_PREFIX}Allow-Methods", ",".join(allowed)))
    if cors.headers:
        headers.append((f"{_PREFIX}Allow-Headers", ",".join(cors.headers)))
    if cors.max_age_s is not None:
        headers.append((f"{_PREFIX}Max-Age", str(cors.max_age_s)))
    if cors.credentials:
        headers.append((f"{_PREFIX}Allow-Credentials", "true"))
    return Outgoing(200, (("Content-Type", "application/json"), *headers))


def is_preflight(incoming: Incoming) -> bool:
    """Whether a browser asks what it may send."""
    return (
        incoming.method == "OPTIONS"
        and bool(incoming.header("origin"))
        and bool(incoming.header("access-control-request-method"))
    )


def preflight(cors: Cors, incoming: Incoming) -> Outgoing:
    """The answer of an HTTP API with CORS: 204, with headers only for an origin that is allowed."""
    added = list(added_headers(cors, incoming))
    if added:
        if cors.methods:
            added.append((f"{_PREFIX}Allow-Methods", ",".join(cors.methods)))
        if cors.headers:
            added.append((f"{_PREFIX}Allow-Headers", ",".join(cors.headers)))
        if cors.max_age_s is not None:
            added.append((f"{_PREFIX}Max-Age", str(cors.max_age_s)))
    return Outgoing(204, tuple(added))


def added_headers(cors: Cors, incoming: Incoming) -> Pairs:
    """What every answer to that request says about its origin; nothing for an origin that is not allowed."""
    origin = incoming.header("origin")
    if not origin or not _allows(cors.origins, origin):
        return ()
    anyone = "*" in cors.origins and not cors.credentials
    headers = [(f"{_PREFIX}Allow-Origin", "*" if anyone else origin)]
    if not anyone:
        headers.append(("Vary", "Origin"))
    if cors.credentials:
        headers.append((f"{_PREFIX}Allow-Credentials", "true"))
    if cors.expose:
        headers.append((f"{_PREFIX}Expose-Headers", ",".join(cors.expose)))
    return tuple(headers)


def _allows(allowed: Sequence[str], origin: str) -> bool:
    """`https://*` and `http://*` stand for every origin of that scheme."""
    return any(each in ("*", origin) or (each.endswith("//*") and origin.startswith(each[:-1])) for each in allowed)

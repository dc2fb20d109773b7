"""What stands before every request: the Host header, the bearer token, the size of the body. Pure ASGI."""

from __future__ import annotations

import json
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import InvalidInput

BIGGEST_BODY_BYTES = 4_000_000
_TOO_BIG = f"the body is bigger than {BIGGEST_BODY_BYTES} bytes"
OPEN_PATHS = ("/v1/health",)
OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Lets a request through to `app` only when it names this host, knows the token and is not too big.

    A page in a browser that was tricked into asking us by another name (DNS rebinding) names that other host.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        if _host(headers.get(b"host", b"")) not in OWN_HOSTS:
            await _refuse(send, 403, "NotAllowed", "this host name is not served", 3)
        elif scope["path"] not in OPEN_PATHS and not self._knows(headers.get(b"authorization", b"")):
            await _refuse(send, 401, "NotAllowed", "the token is missing or wrong", 3)
        elif _length(headers.get(b"content-length", b"0")) > BIGGEST_BODY_BYTES:
            await _refuse(send, 413, "InvalidInput", _TOO_BIG, 2)
        else:
            await self._app(scope, _limited(receive), send)

    def _knows(self, header: bytes) -> bool:
        return secrets.compare_digest(header, self._wanted)


def _host(header: bytes) -> str:
    text = header.decode("latin-1").lower()
    return text[: text.find("]") + 1] if text.startswith("[") else text.partition(":")[0]


def _length(header: bytes) -> int:
    return int(header) if header.isdigit() else BIGGEST_BODY_BYTES + 1


def _limited(receive: Receive) -> Receive:
    """`receive`, which refuses to go on when a body without a length gets too big. Raises: InvalidInput."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > BIGGEST_BODY_BYTES:
            raise InvalidInput(_TOO_BIG)
        return message

    return limited


async def _refuse(send: Send, status: int, kind: str, what: str, exit_code: int) -> None:
    error = {"class": kind, "what": what, "hint": "", "exit_code": exit_code, "diagnostics": []}
    body = json.dumps({"error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

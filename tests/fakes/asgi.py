"""Asking an ASGI application without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Answer:
    """What came back; `lines` are the documents of an NDJSON body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        """The body's lines, each as JSON."""
        return [json.loads(line) for line in self.body.splitlines()]


def ask(app: ASGIApp, method: str, path: str, body: bytes | Any = b"", **headers: str) -> Answer:
    """The answer to one request; a body that is no bytes is sent as JSON, header names have _ for -."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"host": "127.0.0.1:80", "content-length": str(len(raw))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return asyncio.run(_ask(app, method, path, raw, {name: value for name, value in given.items() if value}))


async def _ask(app: ASGIApp, method: str, path: str, raw: bytes, headers: Mapping[str, str]) -> Answer:
    sent: list[Message] = []
    received = iter([{"type": "http.request", "body": raw, "more_body": False}])

    async def receive() -> Message:
        for message in received:
            return message
        await asyncio.sleep(60)  # a client that waits for its answer
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": place,
        "raw_path": place.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    try:
        await app(scope, receive, send)
    except Exception:
        if not sent:  # what was answered before counts: servers log the rest
            raise
    start = next(message for message in sent if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, body)

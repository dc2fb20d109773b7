"""The servers' ASGI side: requests become `Incoming`, answers are sent, and files that changed count at once."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.sam_local.gateway.messages import Incoming, Outgoing, json_answer
from app.sam_local.live import Live
from app.sam_local.problems import LocalError
from app.sam_local.upstream import Head, Upstream

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

API_BODY_BYTES = 10 * 1024**2  # Source: API Gateway quotas, payload size
_AS_SENT = "penstock.headers"
FAILED = json_answer(502, '{"message": "Internal server error"}')


class AsSent(HttpToolsProtocol):
    """Remembers how header names were written: functions behind a REST API see them so."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._as_sent: list[tuple[bytes, bytes]] = []
        self.scope["extensions"] = {_AS_SENT: {"names": self._as_sent}}

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._as_sent.append((name, value))


class Answers(Protocol):
    """What the servers differ in."""

    async def answer(self, incoming: Incoming, send: Send) -> None:
        """Answer one request by what is sent."""
        ...


class Front:
    """An ASGI application. `say` tells why a request failed; `most_bytes` is the longest body that is taken."""

    def __init__(
        self, answers: Answers, live: Live, say: Callable[[str], None], most_bytes: int = API_BODY_BYTES
    ) -> None:
        self._answers = answers
        self._live = live
        self._say = say
        self._most_bytes = most_bytes
        self._changing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = await _read(receive, self._most_bytes)
        if body is None:
            await send_answer(send, json_answer(413, '{"message":"Request Too Long"}'))
            return
        try:
            await self._fresh()
            await self._answers.answer(_incoming(scope, body), send)
        except LocalError as problem:
            self._say(str(problem))
            await send_answer(send, FAILED)
        except Exception as problem:  # noqa: BLE001 - a mistake of ours is one line, and the server stays
            self._say(f"unexpected {type(problem).__name__}: {problem}")
            with contextlib.suppress(RuntimeError):  # the answer had begun
                await send_answer(send, FAILED)

    async def _fresh(self) -> None:
        """Wait until what changed before this request is in effect."""
        if self._live.look() or self._changing.locked():
            async with self._changing:
                if self._live.look():
                    await asyncio.to_thread(self._live.apply)


async def pass_on(
    upstream: Upstream,
    incoming: Incoming,
    target: str,
    headers: Iterable[tuple[str, str]],
    send: Send,
    say: Callable[[str], None],
) -> None:
    """Answer with what the runtime answers to the same request at `target` with these headers, as it comes."""
    async with contextlib.aclosing(upstream.stream(incoming.method, target, headers, incoming.body)) as parts:
        async for part in parts:
            if isinstance(part, Head):
                say(told(incoming, part.status))
                await send({"type": "http.response.start", "status": part.status, "headers": _passed_on(part)})
            else:
                await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def told(incoming: Incoming, status: int) -> str:
    """One line about a request that was answered."""
    return f"{incoming.at:%Y-%m-%d %H:%M:%S} {incoming.method} {incoming.path} {status}"


async def send_answer(send: Send, answer: Outgoing) -> None:
    """Send it whole."""
    headers = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in answer.headers
    ]
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if answer.status in (204, 304) else answer.body})


def _passed_on(head: Head) -> list[tuple[bytes, bytes]]:
    """The answer's headers but those about the connection to the runtime."""
    hop = ("connection", "transfer-encoding", "keep-alive", "date")
    return [(_latin(name), _latin(value)) for name, value in head.headers if name.lower() not in hop]


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")


async def _read(receive: Receive, most_bytes: int) -> bytes | None:
    """The body; None when it is too long."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= most_bytes:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= most_bytes else None


def _incoming(scope: Scope, body: bytes) -> Incoming:
    raw = (scope.get("extensions") or {}).get(_AS_SENT, {}).get("names") or scope["headers"]
    client = scope.get("client") or ("127.0.0.1", 0)
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return Incoming(
        method=scope["method"],
        path=path.decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw),
        body=body,
        source_ip=client[0],
        scheme=scope["scheme"],
        protocol=f"HTTP/{scope['http_version']}",
        at=datetime.now(UTC),
        request_id=str(uuid.uuid4()),
    )

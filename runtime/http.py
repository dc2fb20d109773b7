"""HTTP/1.1 for both of the runtime's servers: bytes in, one `Request` at a time out, `Response` back.

Answers are given through a callback, not a coroutine, so that a warm invocation never waits for the event loop's
scheduler. Requests that a client pipelines are answered one after the other, in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import httptools

MAX_BODY_BYTES = 70_167_211
"""The largest body taken (Source: Lambda's limit for CreateFunction with ZipFile, base64 included)."""

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_NAMES = {
    name.encode(): name.lower()
    for name in (
        "Host", "Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type",
        "Transfer-Encoding", "User-Agent", "X-Amz-Date", "X-Amz-Invocation-Type", "X-Amz-Log-Type", "X-Amzn-Trace-Id",
        "amz-sdk-invocation-id", "amz-sdk-request", "host", "accept", "user-agent", "content-type", "content-length",
    )
}  # fmt: skip
"""Header names that arrive all the time, so that they need no decoding."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` and `query` are as sent (not decoded); header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; Content-Length and Connection are added when it is written."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def encode(self, *, close: bool = False) -> bytes:
        """The bytes on the wire. 1xx, 204 and 304 carry no body and no length."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}\r\n"]
        lines += [f"{name}: {value}\r\n" for name, value in self.headers]
        if self.status not in {204, 304}:
            lines.append(f"Content-Length: {len(self.body)}\r\n")
        if close:
            lines.append("Connection: close\r\n")
        lines.append("\r\n")
        return "".join(lines).encode("latin-1", "replace") + self.body


Reply = Callable[[Response], None]
Handler = Callable[[Request, Reply], None]


class HttpProtocol(asyncio.Protocol):
    """One connection. `handler(request, reply)` is called for each request; `reply` is to be called exactly once."""

    def __init__(self, handler: Handler, connections: set[HttpProtocol], *, max_body: int = MAX_BODY_BYTES) -> None:
        self._handler = handler
        self._connections = connections
        self._max_body = max_body
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._busy = False
        self._keep_alive = True
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    # asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's signature)
        self._transport = None
        self._connections.discard(self)
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, b"protocol upgrades are not supported")
        except httptools.HttpParserError:
            self._refuse(400, b"this is not HTTP/1.1")
        if self._size > self._max_body:
            self._refuse(413, b'{"Type":"User","message":"Request entity too large"}')

    # httptools callbacks ----------------------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        known = _NAMES.get(name)
        self._headers[known or name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if "expect" in self._headers and self._transport is not None:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._max_body:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._size > self._max_body:
            return
        path, _, query = self._url.decode("latin-1").partition("?")
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        method = self._parser.get_method().decode("ascii")
        request = Request(method, path, query, self._headers, body)
        self._reset()
        self._waiting.append((request, self._parser.should_keep_alive()))
        if not self._busy:
            self._next()

    # answers ----------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        request, self._keep_alive = self._waiting.popleft()
        self._busy = True
        self._handler(request, self._reply)

    def _reply(self, response: Response) -> None:
        self._busy = False
        if self._transport is None:
            return
        self._transport.write(response.encode(close=not self._keep_alive))
        if not self._keep_alive:
            self.close()
        elif self._waiting:
            self._next()

    def _refuse(self, status: int, body: bytes) -> None:
        if self._transport is not None:
            self._transport.write(Response(status, (("Content-Type", "application/json"),), body).encode(close=True))
            self.close()

    def close(self) -> None:
        """End the connection after what is written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once; nothing that still arrives on it is handled."""
        transport, self._transport = self._transport, None
        self._handler = _ignore
        if transport is not None:
            transport.abort()


def _ignore(_request: Request, _reply: Reply) -> None:
    """What an aborted connection does with a request that was on its way."""

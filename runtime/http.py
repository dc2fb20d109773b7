"""HTTP/1.1 for both of the runtime's servers: bytes in, one `Request` at a time out, `Response` back.

Answers are given through a callback, not a coroutine, so that a warm invocation never waits for the event loop's
scheduler. Requests that a client pipelines are answered one after the other, in order. Bodies are whole, but for the
requests whose handler wants them as they arrive, and for answers that are made piece by piece.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httptools

from runtime.incoming import Incoming

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 70_167_211
"""The largest body taken (Source: Lambda's limit for CreateFunction with ZipFile, base64 included)."""
_MAX_HEAD_BYTES = 1 << 16
"""The longest request line and headers taken, together."""
_MAX_WAITING = 64
"""A client that pipelines more requests than this is not read until some are answered."""
_STREAM_FROM_BYTES = 1 << 20
"""A body shorter than this, of known length, is never handed over in pieces."""

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
_OFFER = frozenset({"upgrade", "connection"})
_FAULT = b'{"Type":"Server","Message":"An internal error occurred; the runtime\'s log says which"}'
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` and `query` are as sent (not decoded); header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: tuple[str, int] | None = None
    """The client's address."""
    session: dict[str, Any] = field(default_factory=dict)
    """What handlers keep for as long as the connection lives: the same for each of its requests."""
    incoming: Incoming | None = None
    """The body as it arrives, when the handler asked for that; `body` is empty then."""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; Content-Length, Transfer-Encoding and Connection are added when it is written."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    """The rest of the body, piece by piece, after `body`."""
    length: int | None = None
    """The length to announce when it is not that of `body`: of a stream, or of what a HEAD asked about."""

    def encode(self, *, close: bool = False) -> bytes:
        """The bytes on the wire, without the stream. 1xx, 204 and 304 carry no body and no length."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}\r\n"]
        lines += [f"{name}: {value}\r\n" for name, value in self.headers]
        if self.stream is not None and self.length is None:
            if not close:
                lines.append("Transfer-Encoding: chunked\r\n")
        elif self.status not in {204, 304}:
            lines.append(f"Content-Length: {len(self.body) if self.length is None else self.length}\r\n")
        if close:
            lines.append("Connection: close\r\n")
        lines.append("\r\n")
        return "".join(lines).encode("latin-1", "replace") + self.body


Reply = Callable[[Response], None]
Handler = Callable[[Request, Reply], None]
Streams = Callable[[Request], bool]
"""Whether the handler wants the body of this request (which is long, or of unknown length) as it arrives."""


class HttpProtocol(asyncio.Protocol):
    """One connection. `handler(request, reply)` is called for each request; `reply` is to be called exactly once."""

    def __init__(
        self,
        handler: Handler,
        connections: set[HttpProtocol],
        *,
        max_body: int = MAX_BODY_BYTES,
        streams: Streams | None = None,
    ) -> None:
        self._handler = handler
        self._connections = connections
        self._max_body = max_body
        self._streams = streams
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._peer: tuple[str, int] | None = None
        self._session: dict[str, Any] = {}
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._answering: Request | None = None
        self._advancing = self._crowded = self._ended = False
        self._incoming: Incoming | None = None
        self._pouring: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._keep_alive = True
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head: int | None = 0
        self._body: list[bytes] = []
        self._size = 0

    # asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._peer = tuple(peer[:2]) if isinstance(peer, tuple) else None
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's signature)
        self._transport = None
        self._connections.discard(self)
        self._waiting.clear()
        if self._incoming is not None:
            self._incoming.fail()
        if self._pouring is not None:
            self._pouring.cancel()

    def eof_received(self) -> bool:
        """The client sends no more; what it asked for is answered first."""
        self._ended = True
        return self._answering is not None and self._incoming is None

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
        rest = self._fed(data)
        while rest:
            rest = self._fed(rest)
        if self._head is not None and self._head > _MAX_HEAD_BYTES:
            self._refuse(431, b'{"Type":"User","message":"Request header fields too large"}')
        if self._size > self._max_body:
            self._refuse(413, b'{"Type":"User","message":"Request entity too large"}')

    def _fed(self, data: bytes) -> bytes:
        """What is to be parsed instead: a request that offers to change protocols, without the offer."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            method = self._parser.get_method()
            if method == b"CONNECT":
                self._refuse(400, b"this is no proxy")
                return b""
            lines = [f"{name}: {text}\r\n" for name, text in self._headers.items() if name not in _OFFER]
            head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, self._url, "".join(lines).encode("latin-1"))
            self._parser = httptools.HttpRequestParser(self)
            self._reset()
            return head + data[upgrade.args[0] :]
        except httptools.HttpParserError:
            self._refuse(400, b"this is not HTTP/1.1")
        return b""

    # httptools callbacks ----------------------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        known = _NAMES.get(name) or name.decode("latin-1").lower()
        text = value.decode("latin-1")
        self._headers[known] = f"{self._headers[known]},{text}" if known in self._headers else text

    def on_headers_complete(self) -> None:
        headers = self._headers
        self._head = None
        if self._parser.should_upgrade():
            return
        if "expect" in headers and self._transport is not None:
            self._transport.write(_CONTINUE)
        if self._streams is None:
            return
        if "transfer-encoding" in headers or int(headers.get("content-length") or 0) >= _STREAM_FROM_BYTES:
            request = self._request(b"", Incoming(self._transport))
            if self._streams(request):
                self._incoming = request.incoming
                self._arrived(request)

    def on_body(self, body: bytes) -> None:
        if self._incoming is not None:
            self._incoming.feed(body)
            return
        self._size += len(body)
        if self._size <= self._max_body:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():  # what follows has not been taken for its body
            return
        if self._incoming is not None:
            self._incoming.end()
            self._incoming = None
            self._reset()
        elif self._size <= self._max_body:
            request = self._request(self._body[0] if len(self._body) == 1 else b"".join(self._body))
            self._reset()
            self._arrived(request)

    def _request(self, body: bytes, incoming: Incoming | None = None) -> Request:
        path, _, query = self._url.decode("latin-1").partition("?")
        method = self._parser.get_method().decode("ascii")
        return Request(method, path, query, self._headers, body, self._peer, self._session, incoming)

    def _arrived(self, request: Request) -> None:
        self._waiting.append((request, self._parser.should_keep_alive()))
        if self._transport is not None and len(self._waiting) > _MAX_WAITING:
            self._crowded = True
            self._transport.pause_reading()
        self._advance()

    # answers ----------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Hand on what waits, until a request is not answered at once."""
        if self._advancing:
            return
        self._advancing = True
        while self._waiting and self._answering is None:
            request, self._keep_alive = self._waiting.popleft()
            self._answering = request
            try:
                self._handler(request, self._reply)
            except Exception:  # noqa: BLE001  (a fault of ours must not pass for the client's)
                _log.exception("%s %s failed", request.method, request.path)
                if self._answering is request:
                    self._reply(Response(500, (("Content-Type", "application/json"),), _FAULT))
        self._advancing = False
        if self._crowded and not self._waiting and self._transport is not None:
            self._crowded = False
            self._transport.resume_reading()

    def _reply(self, response: Response) -> None:
        if self._transport is None:
            self._answering = None
            if response.stream is not None:
                self._pouring = asyncio.get_running_loop().create_task(_close(response.stream))
        elif response.stream is None:
            self._transport.write(response.encode(close=not self._keep_alive))
            self._answered()
        else:
            self._pouring = asyncio.get_running_loop().create_task(self._pour(response, response.stream))

    def _answered(self) -> None:
        request, self._answering = self._answering, None
        if request is not None and request.incoming is not None:
            request.incoming.discard()
        if not self._keep_alive or (self._ended and not self._waiting):
            self.close()
        else:
            self._advance()

    async def _pour(self, response: Response, stream: AsyncIterator[bytes]) -> None:
        """Write an answer that is made piece by piece, no faster than the client reads it."""
        chunked = response.length is None
        if chunked and self._parser.get_http_version() == "1.0":
            chunked = self._keep_alive = False
        self._write(response.encode(close=not self._keep_alive))
        try:
            async for piece in stream:
                if piece:
                    self._write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                    await self._writable.wait()
        except Exception:  # noqa: BLE001  (the head is written: only a broken connection can tell the client)
            _log.exception("an answer broke off")
            self.abort()
            return
        finally:
            self._pouring = None
            await _close(stream)
        if chunked:
            self._write(b"0\r\n\r\n")
        self._answered()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _refuse(self, status: int, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
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


async def _close(stream: AsyncIterator[bytes]) -> None:
    """Tell the maker of an answer that nobody reads on."""
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()


def _ignore(_request: Request, _reply: Reply) -> None:
    """What an aborted connection does with a request that was on its way."""

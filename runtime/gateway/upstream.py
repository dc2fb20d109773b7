"""One exchange with the backend: the request goes out as it comes in, the answer is handed on as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import httptools

from runtime.http import Response

_READ_BYTES = 1 << 18
_WHOLE_BYTES = 1 << 20
"""Answers up to this length are not streamed."""
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade", "expect",
     "proxy-connection"}
)  # fmt: skip


class _Answer:
    """What httptools has understood of the answer so far."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.length: int | None = None
        self.pieces: list[bytes] = []
        self.has_head = self.complete = self.chunked = False

    def on_header(self, name: bytes, value: bytes) -> None:
        text = name.decode("latin-1")
        if text.lower() == "content-length":
            self.length = int(value)
        elif text.lower() == "transfer-encoding":
            self.chunked = True
        if text.lower() not in _HOP_BY_HOP:
            self.headers.append((text, value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


class Exchange:
    """One connection to 127.0.0.1:`port`, for one request; iterates over the pieces of a long answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._answer = _Answer()
        self._parser = httptools.HttpResponseParser(self._answer)
        self._sending: asyncio.Task[None] | None = None

    async def run(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | AsyncIterator[bytes], length: int
    ) -> Response:
        """The answer; `body` has `length` bytes.

        Raises:
            ConnectionRefusedError: nothing listens; nothing of the body was taken.
            OSError: the connection broke before the answer.
        """
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_READ_BYTES)
        try:
            self._writer.write(_head(method, target, headers, length))
            self._sending = asyncio.create_task(self._send(body))
            await self._read_head()
            return await self._response(method)
        except BaseException:
            await self.aclose()
            raise

    def __aiter__(self) -> Exchange:
        return self

    async def __anext__(self) -> bytes:
        """The next piece of the answer's body.

        Raises:
            ConnectionResetError: the backend went away before the end.
        """
        answer = self._answer
        while not answer.pieces:
            if answer.complete:
                await self.aclose()
                raise StopAsyncIteration
            await self._feed("the backend broke off in the middle of an answer")
        pieces, answer.pieces = answer.pieces, []
        return b"".join(pieces)

    async def aclose(self) -> None:
        """End the connection, whatever is still under way."""
        if self._sending is not None:
            self._sending.cancel()
        self._writer.close()

    async def _send(self, body: bytes | AsyncIterator[bytes]) -> None:
        """A backend that answers before it has read everything ends this early, which is its right."""
        if isinstance(body, bytes):
            self._writer.write(body)
            return
        async for piece in body:
            self._writer.write(piece)
            try:
                await self._writer.drain()
            except ConnectionError:
                return

    async def _read_head(self) -> None:
        assert self._sending is not None
        reading = asyncio.create_task(self._read_until_head())
        try:
            await asyncio.wait({reading, self._sending}, return_when=asyncio.FIRST_EXCEPTION)
            if self._sending.done():
                self._sending.result()
            await reading
        finally:
            reading.cancel()

    async def _read_until_head(self) -> None:
        while not self._answer.has_head:
            await self._feed("the backend ended the connection without an answer")

    async def _feed(self, broken: str) -> None:
        data = await self._reader.read(_READ_BYTES)
        if data:
            self._parser.feed_data(data)
        elif self._answer.has_head and self._answer.length is None and not self._answer.chunked:
            self._answer.complete = True  # the end of the connection is the end of the answer
        else:
            raise ConnectionResetError(broken)

    async def _response(self, method: str) -> Response:
        answer, status = self._answer, self._parser.get_status_code()
        headers = tuple(answer.headers)
        if method == "HEAD" or status in {204, 304}:
            await self.aclose()
            return Response(status, headers, length=answer.length or 0)
        if answer.complete or (answer.length is not None and answer.length <= _WHOLE_BYTES):
            return Response(status, headers, b"".join([piece async for piece in self]))
        return Response(status, headers, stream=self, length=answer.length)


def _head(method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name not in _HOP_BY_HOP]
    if length or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")

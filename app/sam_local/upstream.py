"""HTTP/1.1 to the private runtime, many requests at once, with asyncio and the standard library alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from app.sam_local.lambda_api import OWNER
from app.sam_local.problems import LocalError

Pairs = Iterable[tuple[str, str]]
_GONE = "the local runtime stopped answering"
_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "expect", "te", "upgrade")


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and headers of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """The value of a header; "" when it is not there."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Upstream:
    """The runtime on `port`; connections are kept and used again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def invoke(self, function: str, event: bytes) -> tuple[Head, bytes]:
        """The answer to an Invoke of the function of that name. Raises: LocalError."""
        path = f"/2015-03-31/functions/{quote(function)}/invocations"
        headers = (*OWNER.items(), ("Content-Type", "application/json"))
        async with contextlib.aclosing(self.stream("POST", path, headers, event)) as parts:
            head = await anext(parts)
            assert isinstance(head, Head)
            return head, b"".join([part async for part in parts if isinstance(part, bytes)])

    async def stream(self, method: str, target: str, headers: Pairs, body: bytes) -> AsyncGenerator[Head | bytes, None]:
        """First the Head of the answer, then its body as it comes. Raises: LocalError."""
        reader, writer = await self._connection()
        reusable = False
        try:
            writer.write(_request(method, target, headers, body))
            await writer.drain()
            head = _head(await reader.readuntil(b"\r\n\r\n"))
            yield head
            async for part in _body(reader, head, method):
                yield part
            reusable = head.header("connection").lower() != "close"
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as problem:
            raise LocalError(_GONE, why=str(problem)) from None
        finally:
            if reusable:
                self._idle.append((reader, writer))
            else:
                writer.close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        try:
            return await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as problem:
            raise LocalError(_GONE, why=str(problem)) from None


def _request(method: str, target: str, headers: Pairs, body: bytes) -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _HOP]
    if not any(line.lower().startswith("host:") for line in lines[1:]):
        lines.append("Host: 127.0.0.1")
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _head(raw: bytes) -> Head:
    first, *rest = raw.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in rest if line)
    return Head(int(first.split(" ", 2)[1]), tuple((name.strip(), value.strip()) for name, _, value in pairs))


async def _body(reader: asyncio.StreamReader, head: Head, method: str) -> AsyncIterator[bytes]:
    if method == "HEAD" or head.status in (204, 304):
        return
    if head.header("transfer-encoding").lower() == "chunked":
        while size := int((await reader.readline()).partition(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        while (await reader.readline()).strip():
            """Trailers are not passed on."""
        return
    left = int(head.header("content-length") or 0)
    while left:
        part = await reader.read(min(left, 1 << 16))
        if not part:
            raise EOFError
        left -= len(part)
        yield part

"""What surrounds one environment's process: its Runtime API listener, its log pipe, its start and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

from runtime.environment.launcher import Launch, Launcher
from runtime.http import Handler, HttpProtocol

_READ_BYTES = 1 << 16
_READS_AT_ONCE = 64
_RETRY_S = 0.01


class Sandbox:
    """A place for one process at a time. The address stays the same when the process is replaced."""

    def __init__(
        self,
        launcher: Launcher,
        on_request: Handler,
        on_line: Callable[[str], None],
        on_exit: Callable[[int], None],
    ) -> None:
        self._launcher = launcher
        self._on_request = on_request
        self._on_line = on_line
        self._on_exit = on_exit
        self._connections: set[HttpProtocol] = set()
        self._server: asyncio.Server | None = None
        self._process: str | None = None
        self._starts = 0
        self._log: int | None = None
        self._partial = b""
        self.pid: int | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets NODELAY
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(16)
        host, port = self._socket.getsockname()
        self.address = f"{host}:{port}"
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpProtocol(self._on_request, self._connections), sock=self._socket
        )

    def start(self, launch: Launch) -> None:
        """Start a process; the one before it has ended or been killed."""
        self._starts += 1
        this = self._starts
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        try:
            self._process = self._launcher.launch(
                launch, writing, lambda pid: self._started(this, pid), lambda code: self._exited(this, code)
            )
        except OSError:  # the template has not read earlier requests yet, or it just died and is being replaced
            os.close(reading)
            asyncio.get_running_loop().call_later(_RETRY_S, self._start_again, this, launch)
            return
        finally:
            os.close(writing)
        self._log = reading
        asyncio.get_running_loop().add_reader(reading, self.drain)

    def _start_again(self, which: int, launch: Launch) -> None:
        if which == self._starts:
            self.start(launch)

    def drain(self) -> None:
        """Hand on every complete line the process has written so far."""
        for _ in range(_READS_AT_ONCE):
            if self._log is None:
                return
            try:
                data = os.read(self._log, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self._close_log()
                return
            *lines, self._partial = (self._partial + data).split(b"\n")
            for line in lines:
                self._on_line(line.decode("utf-8", "replace"))
            if len(self._partial) > _READ_BYTES * 4:
                self.flush()

    def flush(self) -> None:
        """Hand on the last line although it has no end yet."""
        if self._partial:
            partial, self._partial = self._partial, b""
            self._on_line(partial.decode("utf-8", "replace"))

    def kill(self) -> None:
        """End the process at once; `on_exit` is not called for it."""
        self._starts += 1
        if self._process is not None:
            self._launcher.kill(self._process)
        self._ended()

    def close(self) -> None:
        """End the process and stop listening."""
        self.kill()
        self._listening.cancel()
        if self._server is not None:
            self._server.close()
        self._socket.close()

    def _started(self, which: int, pid: int) -> None:
        if which == self._starts:
            self.pid = pid

    def _exited(self, which: int, code: int) -> None:
        if which == self._starts:
            self._ended()
            self._on_exit(code)

    def _ended(self) -> None:
        self.drain()
        self.flush()
        self._close_log()
        self._process = self.pid = None
        for connection in list(self._connections):
            connection.abort()

    def _close_log(self) -> None:
        if self._log is not None:
            asyncio.get_running_loop().remove_reader(self._log)
            with contextlib.suppress(OSError):
                os.close(self._log)
            self._log = None

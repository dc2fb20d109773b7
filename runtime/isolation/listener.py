"""Where the processes of one sandbox ask: an address on loopback that answers them and nobody else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from runtime.http import Handler, HttpProtocol, Streams
from runtime.isolation.peers import peer_uid

_BACKLOG = 16


class Listener:
    """It has its address from the start; connections wait until `serve`."""

    def __init__(self) -> None:
        self._connections: set[HttpProtocol] = set()
        self._server: asyncio.Server | None = None
        self._listening: asyncio.Task[None] | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets NODELAY
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(_BACKLOG)
        self._here: tuple[str, int] = self._socket.getsockname()

    @property
    def address(self) -> str:
        """host:port."""
        host, port = self._here
        return f"{host}:{port}"

    @property
    def is_connected(self) -> bool:
        """Whether somebody has a connection."""
        return bool(self._connections)

    def serve(self, handler: Handler, streams: Streams | None, user: Callable[[], int | None]) -> None:
        """Answer from now on; only connections of that user, if there is one."""

        def connection() -> HttpProtocol:
            return _Guarded(handler, self._connections, streams, self._here, user())

        async def listen() -> None:
            self._server = await asyncio.get_running_loop().create_server(connection, sock=self._socket)

        self._listening = asyncio.create_task(listen())

    def disconnect(self) -> None:
        """End every connection."""
        for connection in list(self._connections):
            connection.abort()

    def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
        if self._server is not None:
            self._server.close()
        self.disconnect()
        self._socket.close()


class _Guarded(HttpProtocol):
    """A connection that is ended at once when it comes from somebody else's process."""

    def __init__(
        self,
        handler: Handler,
        connections: set[HttpProtocol],
        streams: Streams | None,
        here: tuple[str, int],
        user: int | None,
    ) -> None:
        super().__init__(handler, connections, streams=streams)
        self._here = here
        self._user = user

    def eof_received(self) -> bool:
        """Who asks for the next event and goes away gets no answer."""
        return False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._user is not None and peer_uid(transport.get_extra_info("peername"), self._here) != self._user:
            self.abort()

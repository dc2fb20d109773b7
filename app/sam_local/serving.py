"""Listening until somebody ends it, and ending when the runtime behind it does."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from app.sam_local.front import AsSent, Front
from app.sam_local.private import PrivateRuntime
from app.sam_local.problems import LocalError

_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 takes a free one."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @property
    def scheme(self) -> str:
        """`https` when there is a certificate."""
        return "https" if self.certificate is not None else "http"


class _Server(uvicorn.Server):
    """Signals are ours: an end that was asked for is no error."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(address: Address) -> socket.socket:
    """The socket.

    Raises:
        LocalError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as problem:
        listener.close()
        where = f"{address.host}:{address.port}"
        raise LocalError(
            "the address cannot be had", where=where, why=problem.strerror or "", hint="use --port"
        ) from None
    listener.listen(1024)
    return listener


async def serve(
    front: Front, listener: socket.socket, address: Address, runtime: PrivateRuntime, ready: Callable[[], None]
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called when requests are answered.

    Raises:
        LocalError: the runtime ended, or the certificate cannot be used.
    """
    try:
        config = uvicorn.Config(
            front,
            http=AsSent,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=1,
            ssl_certfile=str(address.certificate) if address.certificate is not None else None,
            ssl_keyfile=str(address.key) if address.key is not None else None,
        )
        config.load()
    except OSError as problem:
        raise LocalError("the certificate cannot be used", why=str(problem)) from None
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _end, server)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    ready()
    while not serving.done():
        await asyncio.wait([serving], timeout=_LOOK_EVERY_S)
        if runtime.has_ended() and not server.should_exit:
            server.should_exit = True
            await serving
            raise LocalError("the local runtime ended", why="\n".join(runtime.tail()))
    await serving


def _end(server: uvicorn.Server) -> None:
    server.force_exit = server.should_exit
    server.should_exit = True

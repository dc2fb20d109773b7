"""`python -m app.processes.engine`: the API, and the ticker that starts executions for schedules and git hooks."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from app import announce, settings, wiring
from app.api.routes import Routes, application
from app.api.watch import Watch
from app.processes import logs
from app.processes.ticker import TickerThread
from app.settings import Settings
from app.supervised import processes
from app.supervisor.components import ENGINE, steady_port
from core.clock import SystemClock
from core.units import iso

HOST = "127.0.0.1"


def main() -> int:
    """Serve until SIGTERM or SIGINT; 0."""
    here = settings.read(os.environ, Path.cwd())
    logs.begin(here)
    here.run_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    clock = SystemClock()
    store = wiring.database(here, clock)
    service = wiring.service(here, store, clock)
    watch = Watch(store.changed)
    app = application(Routes(service, watch, lambda: processes(here)), watch, wiring.token(here))
    ticker = TickerThread(service, store, clock, here)
    ticker.start()
    try:
        asyncio.run(_serve(app, here))
    finally:
        ticker.stop()
        store.close()
    return 0


async def _serve(app: ASGIApp, here: Settings) -> None:
    with _listen(here) as listener:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
            log_config=None,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        port = listener.getsockname()[1]
        announce.write(
            here.announcement(ENGINE),
            pid=os.getpid(),
            port=port,
            url=f"http://{HOST}:{port}",
            started_at=iso(datetime.now(UTC)),
        )
        await serving


def _listen(here: Settings) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, here.api_port or steady_port(here.announcement(ENGINE))))
    listener.listen(128)
    return listener


if __name__ == "__main__":
    sys.exit(main())

"""The Prefect server as a child process: a migrated database from a per-user copy, a loopback socket, an announcement.

Run as `python -m pipelines.engine.prefect_server` with the environment of `prefect_home.server_environment`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import prefect
import uvicorn
from prefect.server.api.server import create_app
from prefect.server.database import provide_database_interface

from core.files import write_atomic
from core.units import iso
from pipelines.engine.patient import Patient

HOST = "127.0.0.1"


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.engine.prefect_server")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--announce", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    prepare_database(options.home / "prefect.db", template_path())
    listener = listen(_earlier_port(options.announce))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn ends on them, and raises them again when it has
    try:
        asyncio.run(_serve(listener, options.announce))
    finally:
        listener.close()
    return 0


def template_path() -> Path:
    """Where this user's migrated, empty database for this version of Prefect is kept."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(cache) if cache else Path.home() / ".cache"
    return root / "penstock" / f"prefect-{prefect.__version__}.db"


def prepare_database(database: Path, template: Path) -> str:
    """Make `database` exist with the present schema: "kept", "copied" from `template`, or "migrated" (and kept as it).

    Migrating takes seconds, copying milliseconds. The template is created atomically; without a writable place for it
    every new home migrates by itself.
    """
    if database.exists():
        return "kept"
    if template.exists():
        write_atomic(database, template.read_bytes())
        return "copied"
    asyncio.run(provide_database_interface().create_db())
    try:
        _keep(database, template)
    except OSError as problem:
        print(f"cannot keep {template}: {problem}", file=sys.stderr)  # noqa: T201 - the server's log is its stderr
    return "migrated"


def listen(preferred_port: int) -> socket.socket:
    """A listening loopback socket, on `preferred_port` when that is free."""
    for port in (preferred_port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets NODELAY
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError:
            listener.close()
            if port == 0:
                raise
        else:
            return listener
    raise AssertionError("port 0 is always tried")


def _keep(database: Path, template: Path) -> None:
    template.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = template.with_suffix(f".{os.getpid()}.tmp")
    source = sqlite3.connect(database)
    copy = sqlite3.connect(partial)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
    partial.replace(template)


def _earlier_port(announce: Path) -> int:
    try:
        return int(json.loads(announce.read_text("utf-8"))["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


async def _serve(listener: socket.socket, announce: Path) -> None:
    config = uvicorn.Config(
        Patient(create_app(final=True)),
        log_level="warning",
        lifespan="on",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        _announce(listener.getsockname()[1], announce)
    await serving


def _announce(port: int, announce: Path) -> None:
    announce.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    facts = {
        "pid": os.getpid(),
        "port": port,
        "url": f"http://{HOST}:{port}/api",
        "started_at": iso(datetime.now(UTC)),
    }
    write_atomic(announce, json.dumps(facts))


if __name__ == "__main__":
    sys.exit(main())

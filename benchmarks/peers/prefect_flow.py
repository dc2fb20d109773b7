"""Plain Prefect: a flow of four tasks in a warm process against a running server, as sync and as async flow."""

from __future__ import annotations

import subprocess
import sys
from typing import Literal

from benchmarks.common import install
from benchmarks.common.processes import Server, free_port, listens
from benchmarks.common.rounds import Sample

WORKER = """
import asyncio, sys, time
from prefect import flow, task

@task
def step(name):
    return name

@flow
def sync_four():
    for name in ("source", "build", "test", "deploy"):
        step(name)

@flow
async def async_four():
    for name in ("source", "build", "test", "deploy"):
        step(name)

print("ready", flush=True)
for line in sys.stdin:
    started = time.perf_counter()
    if line.strip() == "sync":
        sync_four()
    else:
        asyncio.run(async_four())
    print(time.perf_counter() - started, flush=True)
"""


class PrefectServer:
    """A Prefect server and one warm process that runs flows against it."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self._worker: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts the server with a home of its own, then the process, and waits for both."""
        home = install.CACHE / "prefect"
        home.mkdir(parents=True, exist_ok=True)
        port = free_port()
        settings = {
            "PREFECT_HOME": str(home / "home"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
        }
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        self._server = Server(command, home, home / "server.log", **settings)
        self._server.wait_until(lambda: listens(port), timeout_s=90)
        self._worker = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=install.environment(PREFECT_API_URL=f"http://127.0.0.1:{port}/api", **settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=home,
        )
        self._answer()

    def once(self, kind: Literal["sync", "async"]) -> Sample:
        """One flow run of four tasks, as the process itself timed it."""
        if self._worker is None or self._worker.stdin is None:
            raise SystemExit("Prefect was not started")
        self._worker.stdin.write(kind + "\n")
        self._worker.stdin.flush()
        return Sample(float(self._answer()))

    def stop(self) -> None:
        """Ends the process and the server."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait()
        if self._server is not None:
            self._server.stop()

    def _answer(self) -> str:
        if self._worker is None or self._worker.stdout is None:
            raise SystemExit("Prefect was not started")
        line = self._worker.stdout.readline()
        if not line:
            raise SystemExit("the Prefect process ended early")
        return line

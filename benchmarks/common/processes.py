"""Servers the benchmarks start: in a session of their own, waited for, and ended with everything they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.common.install import environment


class Server:
    """A process in its own session; `stop()` ends the whole session."""

    def __init__(self, command: Sequence[str | Path], cwd: Path, log: Path, **env: str) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env=environment(**env),
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.log = log

    def wait_until(self, ready: Callable[[], bool], timeout_s: float = 60) -> None:
        """Returns when `ready()`; ends the benchmark with the server's log when it dies or takes too long."""
        end = time.monotonic() + timeout_s
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                text = self.log.read_text(errors="replace")[-2000:]
                self.stop()
                raise SystemExit(f"{self.process.args!r} did not come up:\n{text}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends the process and its session; harmless when it is gone."""
        for sign, wait_s in ((signal.SIGTERM, 8.0), (signal.SIGKILL, 5.0)):
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                break
            try:
                self.process.wait(wait_s)
            except subprocess.TimeoutExpired:
                continue


def free_port() -> int:
    """A TCP port of the loopback address nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Whether somebody accepts connections on the loopback `port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True

"""A Prefect server for all of these tests, and runners that are processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.engine import prefect_home
from store.records import ExecutionRecord
from tests.fakes.engine import World

PATIENCE_S = 60.0


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Return when `condition` holds; fail when it does not come to that."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.01)


@dataclass(slots=True)
class Server:
    """A Prefect server process in `home`."""

    home: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def announce(self) -> Path:
        """Where it says it is."""
        return self.home / "prefect.json"

    @property
    def url(self) -> str:
        """Its API's address."""
        return prefect_home.announced_url(self.announce)

    def start(self) -> None:
        """Start it and wait until it answers."""
        directory = self.home / "prefect"
        with (self.home / "prefect.log").open("ab") as log:
            self.process = subprocess.Popen(
                prefect_home.server_command(directory, self.announce),
                env=prefect_home.server_environment(directory, os.environ),
                stdout=log,
                stderr=log,
            )
        until(lambda: prefect_home.healthy(self.url), "the Prefect server answers")

    def kill(self, number: int = signal.SIGKILL) -> int:
        """End it; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is up."""
    server = Server(tmp_path_factory.mktemp("prefect"))
    server.start()
    yield server
    server.kill(signal.SIGTERM)


@dataclass(slots=True)
class Engine:
    """A world with runner processes that drive it (see runner_process.py for what its actions do)."""

    world: World
    server: Server
    runners: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_runner(self, name: str = "runner-1") -> subprocess.Popen[bytes]:
        """A runner that has said it is there."""
        socket_path = self.world.home / "run" / f"{name}.sock"
        socket_path.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.integration.engine.runner_process"]
        with (self.world.home / "runner.log").open("ab") as log:
            runner = subprocess.Popen(
                [*command, str(self.world.home), name, str(self.server.announce)],
                env=prefect_home.client_environment(self.world.home / "prefect", os.environ),
                stdout=log,
                stderr=log,
            )
        self.runners.append(runner)
        until(socket_path.exists, "the runner is there")
        return runner

    def nudge(self, name: str = "runner-1") -> None:
        """Say that there is something to do."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto(b"!", str(self.world.home / "run" / f"{name}.sock"))

    def status(self, execution: ExecutionRecord) -> str:
        """The execution's status now."""
        return self.world.execution(execution.id).status.value

    def ends(self, execution: ExecutionRecord, status: str) -> None:
        """Wait for its end."""
        until(lambda: self.status(execution) not in ("InProgress", "Stopping"), f"{execution.id} ends")
        assert self.status(execution) == status, self.world.execution(execution.id)

    def runs(self, execution: ExecutionRecord, place: str) -> None:
        """Wait until that action's work has begun: it left a file."""
        until(lambda: self.marks(execution, place), f"{place} works")

    def marks(self, execution: ExecutionRecord, place: str) -> list[str]:
        """One line for each start of that action's work: `<start> <pid of its process>`."""
        try:
            return (self.world.home / "marks" / execution.id / place.replace("/", ".")).read_text().splitlines()
        except FileNotFoundError:
            return []

    def release(self, execution: ExecutionRecord) -> None:
        """Let its waiting actions end."""
        (self.world.home / "marks" / execution.id).mkdir(parents=True, exist_ok=True)
        (self.world.home / "marks" / execution.id / "go").touch()


@pytest.fixture
def engine(tmp_path: Path, server: Server) -> Iterator[Engine]:
    """An engine without a runner yet."""
    engine = Engine(World(tmp_path), server)
    yield engine
    for runner in engine.runners:
        if runner.poll() is None:
            runner.terminate()
            runner.wait(20)
    engine.world.close()

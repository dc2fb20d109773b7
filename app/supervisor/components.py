"""Which processes there are, and the command and environment of each. Starts nothing."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app import announce
from app.settings import Settings
from pipelines.engine import prefect_home

RUNTIME, PREFECT, ENGINE, RUNNER = "runtime", "prefect", "engine", "runner-1"


@dataclass(frozen=True, slots=True)
class Component:
    """One supervised process, started in `directory`. It is ready when it has written or bound `sign`.

    `command` is asked anew at every start.
    """

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    sign: Path


def components(settings: Settings, environ: Mapping[str, str]) -> tuple[Component, ...]:
    """Every process in the order in which they start; they stop in the opposite order."""
    base = {**environ, **settings.environment(), "PYTHONUNBUFFERED": "1"}
    prefect_directory = settings.home / "prefect"

    def component(name: str, command: Callable[[], list[str]], environment: Mapping[str, str], sign: Path) -> Component:
        log = settings.log_directory / f"{name}.log"
        return Component(name, command, environment, settings.run_directory, log, sign)

    prefect_sign = settings.announcement(PREFECT)
    runtime_sign = settings.announcement(RUNTIME)

    def runtime_command() -> list[str]:
        port = settings.runtime_port or steady_port(runtime_sign)
        return _python("runtime", "--home", settings.home / "runtime", "--port", port, "--announce", runtime_sign)

    return (
        component(
            RUNTIME,
            runtime_command,
            base,
            runtime_sign,
        ),
        component(
            PREFECT,
            lambda: prefect_home.server_command(prefect_directory, prefect_sign),
            prefect_home.server_environment(prefect_directory, base),
            prefect_sign,
        ),
        component(ENGINE, lambda: _python("app.processes.engine"), base, settings.announcement(ENGINE)),
        component(
            RUNNER,
            lambda: _python("app.processes.runner", "--name", RUNNER),
            prefect_home.client_environment(prefect_directory, base),
            settings.run_directory / f"{RUNNER}.sock",
        ),
    )


def steady_port(announcement: Path) -> int:
    """The port announced last when it is free now, so that clients find a restarted server; else 0 (any)."""
    before = announce.last(announcement)
    if before is None or not before.port:
        return 0
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", before.port))
        except OSError:
            return 0
    return before.port


def _python(module: str, *arguments: object) -> list[str]:
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]

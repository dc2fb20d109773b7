"""The servers in the background: starting them when they are down, waiting until they answer, stopping them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from app import announce
from app.cli import printer
from app.cli.client import HINT, NOT_UP, Client, NotUp, connect
from app.settings import Settings
from app.supervised import is_supervised, states
from core.errors import PenstockError, Unavailable

T = TypeVar("T")
START_S = 120.0  # the first start of all migrates Prefect's database
RESTART_S = 20.0
ORPHANED_S = 2.0  # so long is waited for an engine that nobody would start again
STOP_S = 30.0
FAILING = 3  # so many failures in a row are no hiccup
COMPONENTS = ("runtime", "prefect", "engine", "runner-1")

_warned: set[str] = set()


def engine(here: Settings) -> Client:
    """A client of the running engine.

    Raises:
        NotUp: it does not run.
    """
    client = connect(here)
    if client is None:
        raise NotUp(NOT_UP, hint=HINT)
    return client


def is_up(here: Settings) -> bool:
    """Whether an engine says that it is there."""
    return connect(here) is not None


def with_engine(here: Settings, act: Callable[[Client], T]) -> T:
    """What `act` answers; the servers are started first when no engine takes its request."""
    client = connect(here)
    if client is not None:
        try:
            return act(client)
        except NotUp:
            pass
    start(here, ("engine",))
    return act(engine(here))


def with_engine_again(here: Settings, act: Callable[[Client], T]) -> T:
    """What `act` answers once the engine is back, which is waited for but not started: somebody may have stopped it.

    Raises:
        NotUp: it did not come back.
    """
    until = time.monotonic() + RESTART_S
    while True:
        try:
            return act(engine(here))
        except NotUp:
            if time.monotonic() > until - (0 if is_supervised(here) else RESTART_S - ORPHANED_S):
                raise
        time.sleep(0.05)


def start(here: Settings, wanted: Sequence[str] = COMPONENTS) -> None:
    """Start the supervisor unless it runs, and wait until every process in `wanted` is ready.

    Raises:
        Unavailable: one cannot be started; the message holds the tail of its log.
    """
    before = failures(here)  # a server that was killed often may still start well
    launched = None if is_supervised(here) else _launch(here)
    until = time.monotonic() + START_S
    said = False
    while missing := [name for name in wanted if not ready(here, name)]:
        if not said:
            printer.note(f"starting the servers of {here.home} …")
            said = True
        if launched is not None and launched.poll() is not None and not is_supervised(here):
            raise _failed(here, "supervisor", "the supervisor ended at once")
        for name in missing:
            if failures(here).get(name, 0) >= max(FAILING, before.get(name, 0) + 1):
                raise _failed(here, name, f"{name} does not start")
        if time.monotonic() > until:
            raise _failed(here, missing[0], f"{missing[0]} was not ready after {START_S:.0f} s")
        time.sleep(0.02)


def stop(here: Settings) -> bool:
    """Stop everything; False when nothing ran.

    Raises:
        Unavailable: the supervisor does not stop.
    """
    if not is_supervised(here):
        return False
    said = announce.read(here.announcement("supervisor"))
    if said is not None:
        os.kill(said.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_S
    while is_supervised(here):
        if time.monotonic() > until:
            raise Unavailable("the supervisor does not stop", hint=f"see {here.log_directory / 'supervisor.log'}")
        time.sleep(0.02)
    return True


def ready(here: Settings, name: str) -> bool:
    """Whether that process runs and said that it serves."""
    if name.startswith("runner"):
        return (here.run_directory / f"{name}.sock").exists() and states(here).get(name, {}).get("state") == "running"
    said = announce.read(here.announcement(name))
    return said is not None and said.pid == states(here).get(name, {}).get("pid", said.pid)


def failures(here: Settings) -> dict[str, int]:
    """How often in a row each process has failed."""
    return {name: int(state.get("failures", 0)) for name, state in states(here).items()}


def warn_of_failing(here: Settings) -> None:
    """Say once of every process that it does not start, with the tail of its log."""
    for name, count in failures(here).items():
        if count >= FAILING and name not in _warned:
            _warned.add(name)
            printer.note(f"penstock: warning: {_failed(here, name, f'{name} does not start')}")


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 65_536))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []


def _launch(here: Settings) -> subprocess.Popen[bytes]:
    """The supervisor, in a session of its own so that it outlives this terminal."""
    for directory in (here.home, here.run_directory, here.log_directory):
        _make(directory)
    (here.run_directory / "components.json").unlink(missing_ok=True)
    with (here.log_directory / "supervisor.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "app.processes.supervisor"],
            cwd=here.run_directory,
            env={**os.environ, **here.environment()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise PenstockError("the directory cannot be made", where=str(directory), why=problem.strerror or "") from None


def _failed(here: Settings, name: str, what: str) -> Unavailable:
    log = here.log_directory / f"{name}.log"
    return Unavailable(what + _quoted(tail(log, 12)), hint=f"see {log}")


def _quoted(lines: Iterable[str]) -> str:
    return "".join(f"\n  | {line}" for line in lines) + "\n"

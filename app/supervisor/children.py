"""Starting a child that dies with us, remembering it on disk, and ending what an earlier supervisor left behind."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from app.supervisor.components import Component
from core import holder
from core.files import write_atomic

_PR_SET_PDEATHSIG = 1
BIGGEST_LOG_BYTES = 10_000_000


def spawn(component: Component) -> subprocess.Popen[bytes]:
    """The started process; its output goes to the component's log.

    On Linux the kernel kills it when this process ends in any way, kill -9 included. Call from the main thread only:
    the kernel's promise is tied to the thread that forks.
    """
    component.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _rotate(component.log)
    with component.log.open("ab") as log:
        return subprocess.Popen(
            component.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=component.directory,
            env=dict(component.environment),
            start_new_session=True,
            preexec_fn=_die_with_parent(),
        )


def record(path: Path, children: Mapping[str, int]) -> None:
    """Remember which process plays which part: name → pid."""
    write_atomic(path, json.dumps({name: holder.of(pid) for name, pid in children.items()}))


def end_leftovers(path: Path) -> list[str]:
    """The names of recorded processes that were still running and have been killed."""
    try:
        recorded = dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return []
    running = {name: str(who) for name, who in recorded.items() if holder.is_alive(str(who))}
    for who in running.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(who.split("/")[2]), signal.SIGKILL)
    until = time.monotonic() + 5
    while any(holder.is_alive(who) for who in running.values()) and time.monotonic() < until:
        time.sleep(0.01)
    return sorted(running)


def tail(log: Path, lines: int = 12) -> list[str]:
    """The last lines of a log; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []


def _rotate(log: Path) -> None:
    with contextlib.suppress(OSError):
        if log.stat().st_size > BIGGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


def _die_with_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return prepare

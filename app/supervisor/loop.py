"""The supervisor: one tick looks at every child, restarts the dead with back-off, and writes down how each is."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.supervisor import children
from app.supervisor.components import Component
from core.files import write_atomic

BACK_OFF_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_S = 20.0  # a child that lived that long has its back-off forgotten
STOP_GRACE_S = 5.0

_log = logging.getLogger("penstock.supervisor")


@dataclass(slots=True)
class Child:
    """One component and the process that plays it now, if any."""

    component: Component
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float = 0.0
    restarts: int = 0
    last_exit: int | None = None

    def status(self) -> dict[str, object]:
        """How it is, for `run/components.json`: state is running, or waiting (to be restarted)."""
        return {
            "state": "running" if self.process is not None else "waiting",
            "pid": self.process.pid if self.process is not None else None,
            "restarts": self.restarts,
            "failures": self.failures,
            "last_exit": self.last_exit,
            "log": str(self.component.log),
        }


@dataclass(slots=True)
class Supervisor:
    """Keeps `components` running until told to stop, or until `run_directory`, which holds what it writes, is gone."""

    components: Sequence[Component]
    run_directory: Path
    children: list[Child] = field(init=False)
    _place: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        self.children = [Child(component) for component in self.components]
        self._place = _identity(self.run_directory)

    def _has_home(self) -> bool:
        """Whether the home it was started for is still there, and no other one in its place."""
        return self._place is not None and _identity(self.run_directory) == self._place

    def run(self) -> None:
        """Supervise until SIGTERM, SIGINT or SIGHUP, then stop every child in the opposite order of starting."""
        left = children.end_leftovers(self.run_directory / "children.json")
        if left:
            _log.warning("ended what an earlier supervisor left: %s", ", ".join(left))
        with _signals() as wake:
            try:
                while wake.stop is None and self._has_home():
                    wake.wait(self.tick(time.monotonic()))
                _log.info("stopping: %s", signal.Signals(wake.stop).name if wake.stop else "the home was removed")
            finally:
                self.stop()

    def tick(self, now: float) -> float:
        """Reap, restart what is due; seconds until the next look is worth it."""
        changed = False
        for child in self.children:
            changed |= self._reap(child, now)
        for child in self.children:
            if child.process is None and child.restart_at <= now:
                changed |= self._start(child, now)
        if changed:
            self._write_down()
        waits = [child.restart_at - now for child in self.children if child.process is None]
        return max(0.0, min([1.0, *waits]))

    def stop(self) -> None:
        """End every child: the runner hands back what it drives first, then the others end together."""
        *others, last = self.children
        for group in ([last], others):
            started = time.monotonic()
            for child in group:
                if child.process is not None:
                    child.process.terminate()
            for child in group:
                _wait_for_end(child, started)
        self._write_down()

    def _reap(self, child: Child, now: float) -> bool:
        code = child.process.poll() if child.process is not None else None
        if code is None:
            return False
        child.process, child.last_exit = None, code
        if now - child.started > STEADY_S:
            child.failures = 0
        wait = BACK_OFF_S[min(child.failures, len(BACK_OFF_S) - 1)]
        child.failures += 1
        child.restart_at = now + wait
        _log.warning("%s ended with %d, starting it again in %.1f s", child.component.name, code, wait)
        return True

    def _start(self, child: Child, now: float) -> bool:
        if child.last_exit is not None:
            child.restarts += 1
        try:
            child.process = children.spawn(child.component)
        except OSError as problem:
            _log.error("%s cannot be started: %s", child.component.name, problem)
            child.last_exit, child.failures = 127, child.failures + 1
            child.restart_at = now + BACK_OFF_S[-1]
            return True
        child.started = now
        _log.info("%s started, pid %d", child.component.name, child.process.pid)
        return True

    def _write_down(self) -> None:
        if not self._has_home():
            return
        running = {child.component.name: child.process.pid for child in self.children if child.process is not None}
        status = {child.component.name: child.status() for child in self.children}
        try:
            children.record(self.run_directory / "children.json", running)
            write_atomic(self.run_directory / "components.json", json.dumps(status))
        except FileNotFoundError:
            if self._has_home():  # else it was removed this very moment
                raise


def _identity(directory: Path) -> tuple[int, int] | None:
    """What tells this directory from any other at the same path; None when there is none."""
    try:
        found = directory.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _wait_for_end(child: Child, since: float) -> None:
    """Wait for a child that was told to end; what has not within the grace is killed."""
    if child.process is None:
        return
    try:
        child.process.wait(max(0.0, since + STOP_GRACE_S - time.monotonic()))
    except subprocess.TimeoutExpired:
        _log.warning("%s did not stop, killed", child.component.name)
        child.process.kill()
        child.process.wait()
    _log.info("%s stopped after %.1f s", child.component.name, time.monotonic() - since)
    child.process = None


class _Wake:
    """Ends a wait when a signal arrives; `stop` is the signal that asked us to stop."""

    def __init__(self, reader: int) -> None:
        self.reader = reader
        self.stop: int | None = None

    def wait(self, seconds: float) -> None:
        ready, _, _ = select.select([self.reader], [], [], seconds)
        if ready:
            for number in os.read(self.reader, 512):
                if number != signal.SIGCHLD and self.stop is None:
                    self.stop = number


@contextmanager
def _signals() -> Iterator[_Wake]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield _Wake(reader)
    finally:
        signal.set_wakeup_fd(previous)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)

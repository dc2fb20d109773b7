"""Running a command: its lines as they come, its end at once, and nothing of it left when it must stop."""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.process_lines import Lines
from core.process_scan import TAG_VARIABLE, kill_members, kill_tagged, members, signal_all
from core.units import duration

__all__ = ["TAG_VARIABLE", "ProcessResult", "kill_tagged", "run"]

_ASK_EVERY_S = 0.1  # how often should_stop is asked
_GRACE_S = 2.0  # between TERM and KILL
_DRAIN_S = 0.2  # for output that comes after the command's end
_LOOK_EVERY_S = 0.02  # whether TERM was enough
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """How a command ended. `exit_code` is the shell's (127 not found, 126 cannot run, 128 + n by signal n).

    It is None when the command was stopped or timed out. `message` says in words what happened, "" for exit code 0.
    """

    exit_code: int | None
    reason: Literal["exited", "timed-out", "stopped"]
    duration_s: float
    message: str


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None],
    timeout_s: float | None,
    should_stop: Callable[[], str] | None,
    tag: str,
    stdin_text: str | None = None,
) -> ProcessResult:
    """How `command` ended; `on_line` got every line of its output (stdout and stderr as one stream) in this thread.

    `env` is the whole environment, to which only PENSTOCK_ACTION_TAG=`tag` is added. When `timeout_s` has passed or
    `should_stop` (asked every 100 ms) gives a reason, the command with its process group and everything that carries
    the tag gets TERM, then KILL after 2 s. What the command left running in the background stays when it ends by
    itself (`kill_tagged` ends it); its output is neither waited for nor read any more. Lines longer than 64 KiB come
    in pieces. Safe from many threads at once.
    """
    started = time.monotonic()
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**env, TAG_VARIABLE: tag} if tag else dict(env),
            stdin=subprocess.DEVNULL if stdin_text is None else subprocess.PIPE,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        os.close(reading)
        code = 127 if isinstance(error, FileNotFoundError) else 126
        return ProcessResult(code, "exited", time.monotonic() - started, _cannot_start(command, cwd, error))
    finally:
        os.close(writing)
    with _Run(process, reading, on_line, tag, stdin_text) as running:
        reason, message = running.until_end(started, timeout_s, should_stop)
    duration_s = time.monotonic() - started
    if reason != "exited":
        return ProcessResult(None, reason, duration_s, message)
    return _exited(process.returncode, duration_s)


class _Run:
    """One started command: its output, its input and its end, all watched in the calling thread."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reading: int,
        on_line: Callable[[str], None],
        tag: str,
        stdin_text: str | None,
    ) -> None:
        self._process = process
        self._reading = reading
        self._tag = tag
        self._lines = Lines(on_line)
        self._input = memoryview((stdin_text or "").encode("utf-8"))
        self._ended = False
        self._selector = selectors.DefaultSelector()
        self._end_fd = _end_fd(process)

    def __enter__(self) -> _Run:
        os.set_blocking(self._reading, False)
        self._selector.register(self._reading, selectors.EVENT_READ, self._read)
        self._selector.register(self._end_fd, selectors.EVENT_READ, self._end)
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)
            self._selector.register(self._process.stdin.fileno(), selectors.EVENT_WRITE, self._write)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ended:  # something went wrong in here: leave nothing behind
            self._kill()
        self._process.wait()
        self._selector.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        os.close(self._end_fd)
        os.close(self._reading)

    def until_end(
        self, started: float, timeout_s: float | None, should_stop: Callable[[], str] | None
    ) -> tuple[Literal["exited", "timed-out", "stopped"], str]:
        """Why it ended, and what to say about it when it was not by itself."""
        deadline = None if timeout_s is None else started + timeout_s
        ask_at = time.monotonic() + _ASK_EVERY_S
        while not self._ended:
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                self._terminate()
                return "timed-out", f"timed out after {duration(timeout_s or 0.0)}"
            if should_stop is not None and now >= ask_at:
                reason = should_stop()
                if reason:
                    self._terminate()
                    return "stopped", reason
                ask_at = time.monotonic() + _ASK_EVERY_S
            waits = [] if deadline is None else [deadline - now]
            waits += [] if should_stop is None else [ask_at - now]
            self._turn(max(0.0, min(waits)) if waits else None)
        self._drain()
        return "exited", ""

    def _turn(self, wait_s: float | None) -> bool:
        """Handle what is ready, waiting for it at most `wait_s`; whether anything was."""
        ready = self._selector.select(wait_s)
        for key, _ in ready:
            key.data()
        return bool(ready)

    def _read(self) -> None:
        try:
            chunk = os.read(self._reading, _CHUNK)
        except BlockingIOError:
            return
        if chunk:
            self._lines.feed(chunk)
        else:
            self._selector.unregister(self._reading)

    def _write(self) -> None:
        stdin = self._process.stdin
        if stdin is None or stdin.closed:
            return
        try:
            self._input = self._input[os.write(stdin.fileno(), self._input[:_CHUNK]) :] if self._input else self._input
        except BlockingIOError:
            return
        except BrokenPipeError:  # it does not want to read any more
            self._input = memoryview(b"")
        if not self._input:
            self._selector.unregister(stdin.fileno())
            stdin.close()

    def _end(self) -> None:
        self._ended = True
        self._selector.unregister(self._end_fd)

    def _drain(self) -> None:
        """Read what was written before the end in any case, and what comes after it for a short time."""
        owed = struct.unpack("i", fcntl.ioctl(self._reading, termios.FIONREAD, b"\0\0\0\0"))[0]
        until = time.monotonic() + _DRAIN_S
        while self._reading in self._selector.get_map():
            wait_s = until - time.monotonic()
            if wait_s <= 0 and owed <= 0:
                break
            self._turn(max(0.0, wait_s))
            owed -= _CHUNK
        self._lines.end()

    def _terminate(self) -> None:
        """TERM for everything that belongs to the command, then KILL for what is left after the grace."""
        leader = self._process.pid
        signal_all(members(leader, self._tag) | {leader}, signal.SIGTERM)
        until = time.monotonic() + _GRACE_S
        while time.monotonic() < until and not (self._ended and not members(leader, self._tag)):
            self._turn(_LOOK_EVERY_S)
        self._kill()
        while not self._ended:
            self._turn(None)
        self._drain()

    def _kill(self) -> None:
        kill_members(self._process.pid, self._tag)


def _end_fd(process: subprocess.Popen[bytes]) -> int:
    """A descriptor that becomes readable when the process has ended; the process is not reaped by that."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(process.pid)
    reading, writing = os.pipe()

    def wait() -> None:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        os.close(writing)

    threading.Thread(target=wait, name=f"end of {process.pid}", daemon=True).start()
    return reading


def _exited(returncode: int, duration_s: float) -> ProcessResult:
    if returncode < 0:
        return ProcessResult(128 - returncode, "exited", duration_s, f"killed by {signal.Signals(-returncode).name}")
    return ProcessResult(returncode, "exited", duration_s, f"exit code {returncode}" if returncode else "")


def _cannot_start(command: Sequence[str], cwd: Path, error: Exception) -> str:
    if not cwd.is_dir():
        return f"there is no directory {cwd} to run in"
    if isinstance(error, FileNotFoundError):
        return f"there is no program '{command[0]}'"
    return f"'{command[0]}' cannot be run: {getattr(error, 'strerror', None) or error}"

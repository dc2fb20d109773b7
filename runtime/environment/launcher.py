"""The server's side of the template process: ask it for environments, hear when they end, restart it if it dies."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.environment import runtime_directory

_MESSAGE_BYTES = 1 << 17
_TEMPLATE = Path(__file__).with_name("template.py")
_log = logging.getLogger(__name__)

OnStart = Callable[[int], None]
OnExit = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Launch:
    """What a new environment process is to become."""

    handler: str
    directory: str
    path: list[str]
    environment: dict[str, str]
    arguments: tuple[str, ...] = ()
    """What is executed; empty for the Python handler."""


class Launcher:
    """One template process, started when the first environment is wanted (or by `warm_up`)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.runtime_directory = Path()
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ids = itertools.count(1)
        self._running: dict[str, tuple[OnStart, OnExit]] = {}
        self._stopping = False

    async def start(self) -> None:
        """Kill what an earlier server left behind, then have a template ready."""
        self._root.mkdir(parents=True, exist_ok=True)
        self.runtime_directory = await asyncio.to_thread(runtime_directory.build, self._root)
        await asyncio.to_thread(sweep, self._root)
        self._spawn()

    def launch(self, launch: Launch, log_descriptor: int, on_start: OnStart, on_exit: OnExit) -> str:
        """The id of the new process; `on_start(pid)` and later `on_exit(exit code, negative for a signal)` follow.

        `log_descriptor` becomes its stdout and stderr; the caller still has to close it.

        Raises:
            OSError: the template does not take requests (its socket is full).
        """
        if self._control is None:
            self._spawn()
        assert self._control is not None
        identifier = str(next(self._ids))
        message = {
            "id": identifier,
            "handler": launch.handler,
            "directory": launch.directory,
            "path": launch.path,
            "environment": launch.environment,
            "arguments": launch.arguments,
        }
        socket.send_fds(self._control, [json.dumps(message).encode()], [log_descriptor])
        self._running[identifier] = (on_start, on_exit)
        return identifier

    def kill(self, identifier: str) -> None:
        """Kill that process and its group; `on_exit` follows."""
        if self._control is not None and identifier in self._running:
            with contextlib.suppress(OSError):
                self._control.send(json.dumps({"kill": identifier}).encode())

    async def stop(self) -> None:
        """Kill every environment and the template."""
        self._stopping = True
        self._disconnect()
        template = self._template
        if template is not None:
            try:
                await asyncio.to_thread(template.wait, 5)
            except subprocess.TimeoutExpired:
                template.kill()
                await asyncio.to_thread(template.wait)
        self._forget()

    def _spawn(self) -> None:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (mine, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        # the interpreter itself, not the virtual environment's link to it: a handler must not find our packages
        interpreter = str(Path(sys.executable).resolve())
        command = [interpreter, "-I", "-S", "-X", "utf8", str(_TEMPLATE), str(theirs.fileno())]
        self._template = subprocess.Popen(
            [*command, str(self.runtime_directory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env={},
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        mine.setblocking(False)
        self._control = mine
        asyncio.get_running_loop().add_reader(mine.fileno(), self._receive)

    def _receive(self) -> None:
        assert self._control is not None
        while self._control is not None:
            try:
                data = self._control.recv(_MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._lost()
                return
            message = json.loads(data)
            on_start, on_exit = self._running[message["id"]]
            if "pid" in message:
                on_start(message["pid"])
            else:
                del self._running[message["id"]]
                on_exit(message["exit"])

    def _lost(self) -> None:
        """The template died, and by that its environments; the next launch starts another."""
        if self._stopping:
            return
        _log.warning("the template process ended; its environments are gone and will be started again")
        self._disconnect()
        if self._template is not None:
            self._template.wait()
        sweep(self._root)
        self._forget()

    def _disconnect(self) -> None:
        """The template reads from this that it is to end."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None

    def _forget(self) -> None:
        """Tell everybody whose process is gone; they may ask for another at once."""
        self._template = None
        running, self._running = self._running, {}
        for _, on_exit in running.values():
            on_exit(-signal.SIGKILL)


def sweep(root: Path) -> int:
    """How many processes of earlier environments under `root` were still there; they are killed."""
    mark = f"LAMBDA_RUNTIME_DIR={root}{os.sep}".encode()
    killed = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if any(each.startswith(mark) for each in (entry / "environ").read_bytes().split(b"\0")):
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
    return killed

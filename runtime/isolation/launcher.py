"""The server's side of the template process: started, asked for keepers, replaced when it dies, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.isolation import runtime_directory
from runtime.isolation.inside.enter import INTERPRETER
from runtime.isolation.memory import Shared

_MESSAGE_BYTES = 1 << 17
_OURS = Path(__file__).parent
_START = "import sys; sys.path.insert(0, '.'); from inside.enter import main; main()"
_INNER_USER = 993
"""Who a handler is inside when the server is not root."""
_HELLO_S = 20.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hello:
    """What the template says of itself: which isolation it could enter."""

    mode: str
    """"root", "user" or "none"."""
    refused: str
    """Why it is none."""
    temporary: str
    """How /tmp is bounded: "image", "memory" or "none"."""
    overlay: bool
    """Whether layers can be laid over each other by the kernel."""


class Launcher:
    """One template process at a time. Keepers outlive it; the next request starts another."""

    def __init__(self, root: Path, hidden: Path, *, off: bool, preload: bool = True) -> None:
        self.root = root
        self._hidden = hidden
        self._off = off
        self._preload = preload
        self._template: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._users = range(0)
        self._stopping = False
        self._hello: asyncio.Future[Hello] | None = None
        self.links = Path()
        self.shared = Shared()
        self.modules = 1
        self.pages = os.memfd_create("penstock-imports", os.MFD_CLOEXEC)

    async def start(self, users: range) -> Hello:
        """End what an earlier server left behind, then have a template. `users` are the sandboxes' user ids."""
        self._users = users
        self.root.mkdir(parents=True, exist_ok=True)
        for name in ("root", "images"):
            (self.root / name).mkdir(exist_ok=True)
        self.links = await asyncio.to_thread(runtime_directory.build, self.root)
        self._shown = await asyncio.to_thread(runtime_directory.entries)
        await asyncio.to_thread(sweep, self.root)
        self._hello = asyncio.get_running_loop().create_future()
        self._spawn()
        return await asyncio.wait_for(self._hello, _HELLO_S)

    def request(self, plan: Mapping[str, Any], channel: socket.socket) -> None:
        """Have a keeper forked, which is told what to do through the other end of `channel`.

        Raises:
            OSError: the template does not take requests at this moment.
        """
        if self._control is None:
            self._spawn()
        assert self._control is not None
        socket.send_fds(self._control, [json.dumps(plan).encode()], [channel.fileno()])

    async def stop(self) -> None:
        """End the template; it first sees every keeper end."""
        self._stopping = True
        self._disconnect()
        template, self._template = self._template, None
        if template is not None:
            try:
                await asyncio.to_thread(template.wait, 5)
            except subprocess.TimeoutExpired:
                template.kill()
                await asyncio.to_thread(template.wait)
        await asyncio.to_thread(sweep, self.root)
        os.close(self.pages)

    def _spawn(self) -> None:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (mine, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        configuration = json.dumps(self._configuration(theirs.fileno()))
        self._template = subprocess.Popen(
            [str(own_interpreter()), "-I", "-S", "-c", _START, configuration],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), self.pages),
            env={},
            cwd=_OURS,
            start_new_session=True,
        )
        theirs.close()
        mine.setblocking(False)
        self._control = mine
        asyncio.get_running_loop().add_reader(mine.fileno(), self._receive)

    def _configuration(self, control: int) -> dict[str, Any]:
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        packages = (f"lib/{version}/site-packages", "lib/python3/dist-packages", f"local/lib/{version}/dist-packages")
        shown = {name: str(path) for name, path in self._shown.items()}
        return {
            "control": control,
            "pages": self.pages,
            "off": self._off,
            "preload": self._preload,
            "mark": f"{self.root}{os.sep}",
            "root": str(self.root / "root"),
            "images": str(self.root / "images"),
            "links": str(self.links),
            "ours": str(_OURS),
            "hidden": [str(self._hidden)],
            "interpreter": {
                "path": str(own_interpreter()),
                "inside": f"{INTERPRETER}/bin/{own_interpreter().name}",
                "prefix": str(Path(sys.base_prefix).resolve()),
                "packages": packages,
            },
            "runtime": {**shown, "bootstrap.py": str(_OURS / "inside" / "bootstrap.py")},
            "users": [self._users.start, self._users.stop],
            "inner": _INNER_USER,
        }

    def _receive(self) -> None:
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
            if "mode" in message:
                if self._hello is not None and not self._hello.done():
                    self._hello.set_result(Hello(**message))
            else:
                self.shared = Shared(message["base_kb"] * 1024, message["preloaded_kb"] * 1024)
                self.modules = max(message["modules"], 1)

    def _lost(self) -> None:
        """The template died; the next request starts another."""
        self._disconnect()
        if self._template is not None:
            self._template.wait()
        if self._hello is not None and not self._hello.done():
            self._hello.set_exception(ChildProcessError("the template process ended while it started"))
        elif not self._stopping:
            _log.warning("the template process ended; the next environment is started by a new one")

    def _disconnect(self) -> None:
        """The template reads from this that it is to end."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None


def own_interpreter() -> Path:
    """The interpreter itself, not a virtual environment's link to it."""
    return Path(sys.executable).resolve()


def sweep(root: Path) -> int:
    """How many processes of an earlier server's sandboxes were still there; they are killed.

    A template and what was forked from it carry the mark in the environment they were started with; where sandboxes
    have no process namespace of their own, what a handler started has the handler's LAMBDA_RUNTIME_DIR.
    """
    marks = tuple(f"{name}={root}{os.sep}".encode() for name in ("PENSTOCK_RUNTIMES", "LAMBDA_RUNTIME_DIR"))
    killed = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if any(each.startswith(marks) for each in (entry / "environ").read_bytes().split(b"\0")):
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
    return killed

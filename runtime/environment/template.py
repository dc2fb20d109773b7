"""The process that environments are forked from. Run by path in an isolated interpreter; imports nothing of ours.

It has already imported what every Python function needs before its own code, so a new environment costs a fork.
Requests arrive on a socket from the server (`SOCK_SEQPACKET`, JSON, the log pipe attached); starts and exits are
reported on it. When the socket closes, the server is gone: every environment is killed, and so is this process.
The Runtime API client reads its address while its native module is loaded, which is why that happens after the fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import signal
import site
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_MESSAGE_BYTES = 1 << 17
_REAP_EVERY_MS = 5000
_OPEN_FILES = 1024
"""Source: reference §8, file descriptors."""
_PRELOADED = (
    "concurrent.futures.thread",
    "http.client",
    "logging",
    "simplejson",
    "snapshot_restore_py",
    "awslambdaric.lambda_config",
    "awslambdaric.lambda_context",
    "awslambdaric.lambda_literals",
    "awslambdaric.lambda_runtime_exception",
    "awslambdaric.lambda_runtime_hooks_runner",
    "awslambdaric.lambda_runtime_log_utils",
    "awslambdaric.lambda_runtime_marshaller",
)

_libc = ctypes.CDLL(None, use_errno=True)


class Template:
    """The forking side: who runs, and who has ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._running: dict[int, tuple[str, int, str]] = {}  # pidfd → (id, pid, runtime api address)

    def serve(self) -> dict[str, Any]:
        """Returns only in a forked child, with the request it is to become."""
        while True:
            self._reap_orphans()
            for descriptor, _ in self._poll.poll(_REAP_EVERY_MS):
                if descriptor in self._running:
                    self._report_exit(descriptor)
                elif descriptor == self._control.fileno():
                    request = self._receive()
                    if request is not None:
                        return request

    def _receive(self) -> dict[str, Any] | None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 1)
        except ConnectionResetError:  # the server died before it read what was sent to it
            data, descriptors = b"", []
        if not data:
            self.end()
        message: dict[str, Any] = json.loads(data)
        if "kill" in message:
            self._kill(message["kill"])
            return None
        template = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become_leader(template)
            os.dup2(descriptors[0], 1)
            os.dup2(descriptors[0], 2)
            self._control.detach()
            os.closerange(3, 65_536)
            return message
        os.close(descriptors[0])
        descriptor = os.pidfd_open(pid)
        self._running[descriptor] = (message["id"], pid, message["environment"]["AWS_LAMBDA_RUNTIME_API"])
        self._poll.register(descriptor, select.POLLIN)
        self._send({"id": message["id"], "pid": pid})
        return None

    def _kill(self, identifier: str) -> None:
        for running, pid, _ in self._running.values():
            if running == identifier:
                _kill_group(pid)

    def _report_exit(self, descriptor: int) -> None:
        identifier, pid, address = self._running.pop(descriptor)
        self._poll.unregister(descriptor)
        os.close(descriptor)
        _kill_group(pid)
        _, status = os.waitpid(pid, 0)
        self._kill_orphans(address)
        self._send({"id": identifier, "exit": os.waitstatus_to_exitcode(status)})

    def _kill_orphans(self, address: str) -> None:
        """Kill what the ended environment left behind under sessions of its own; this process inherits it."""
        mark = f"AWS_LAMBDA_RUNTIME_API={address}".encode()
        known = {pid for _, pid, _ in self._running.values()}
        for child in _children():
            if child in known:
                continue
            with contextlib.suppress(OSError):
                if mark in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                    os.kill(child, signal.SIGKILL)

    def _reap_orphans(self) -> None:
        """Take note of the end of processes that environments left behind."""
        known = {pid for _, pid, _ in self._running.values()}
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if ended.si_pid in known:
                    return  # reported when its descriptor says so
                os.waitpid(ended.si_pid, 0)

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._control.send(json.dumps(message).encode())
        except OSError:
            self.end()

    def end(self) -> None:
        """Kill every descendant that is left, then this process."""
        for _, pid, _ in self._running.values():
            _kill_group(pid)
        while children := _children():  # killing one hands its own children to this process
            for child in children:
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL)
            for child in children:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child, 0)
        os._exit(0)


def _become_leader(template: int) -> None:
    """Lead a session of its own, and die with the template."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != template:
        os._exit(1)
    os.setsid()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _children() -> list[int]:
    """The processes whose parent is this one."""
    me, found = os.getpid(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == me:
                    found.append(int(entry.name))
    return found


def _become(request: dict[str, Any]) -> None:
    """Take on the environment, directory and module path of the request."""
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["directory"])
    sys.path[:] = request["path"] + [entry for entry in sys.path if entry not in request["path"]]
    if request["arguments"]:
        _execute(request["arguments"], request["environment"])
    sys.argv[:] = ["bootstrap.py", request["handler"]]
    importlib.invalidate_caches()


def _execute(arguments: list[str], environment: dict[str, str]) -> None:
    """Become another program: an extension, or a runtime that is not Python."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(arguments[0], arguments, environment)  # noqa: S606  (that is what was asked for)
    except OSError as error:
        os.write(2, f"fork/exec {arguments[0]}: {(error.strerror or '').lower()}\n".encode())
        os._exit(126)


def main() -> None:
    """Fork environments until the server is gone; in each of them, run the Runtime API client."""
    control, runtime_directory = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    for builtin in (site.setquit, site.setcopyright, site.sethelper):
        builtin()
    sys.path.insert(0, runtime_directory)
    for name in _PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    template = Template(control)
    try:
        request = template.serve()
    except BaseException:
        traceback.print_exc()
        template.end()
        raise
    _become(request)
    client = importlib.import_module("awslambdaric.__main__")
    client.main(sys.argv)


if __name__ == "__main__":
    main()

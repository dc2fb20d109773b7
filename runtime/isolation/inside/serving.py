"""The process that sandboxes are forked from: it has imported what functions need, and never runs anything of theirs.

Requests arrive on a socket from the server (`SOCK_SEQPACKET`, JSON, the new keeper's own socket attached). When it
closes, the server is gone or stopping: the keepers, whose sockets close too, end by themselves, and this process after
them.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from . import become, disks, forking, syscalls
from .enter import HOST, RUNTIME
from .keeper import Keeper, Surroundings
from .preload import preload
from .stash import Stash

_MESSAGE_BYTES = 1 << 17
_REAP_EVERY_MS = 5000
_GRACE_S = 3.0


def serve(stash: Stash) -> tuple[CodeType, dict[str, Any]]:
    """Fork keepers until the server is gone; returns in a handler, with what it runs."""
    options = json.loads(sys.argv[1])
    isolated = options["mode"] != "none"
    start = _start(options)
    runtime = RUNTIME if isolated else options["links"]
    sys.path[:] = [runtime, *(entry for entry in sys.path if entry not in {"", ".", options["ours"]})]
    control = socket.socket(fileno=options["control"])
    around = Surroundings(options["mode"], _image(options) if isolated else "", options["inner"], runtime)
    _send(control, _hello(options, around))
    base_kb, whole_kb = preload(f"{HOST}/proc" if isolated else "/proc", everything=options["preload"])
    code = become.load_bootstrap(start.bootstrap)
    stash.put_away(__package__.rpartition(".")[2])
    gc.collect()
    gc.freeze()
    _send(control, {"base_kb": base_kb, "preloaded_kb": whole_kb - base_kb, "modules": stash.size()})
    keeper = _Template(control, options, around, stash).run()
    return become.handler(keeper.run(), start, code)


def _hello(options: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    isolated = around.mode != "none"
    return {
        "mode": around.mode,
        "refused": options["refused"],
        "temporary": ("image" if around.image else "memory") if isolated else "none",
        "overlay": isolated and _can_overlay(options),
    }


def _start(options: Mapping[str, Any]) -> become.Start:
    if options["mode"] == "none":
        return become.Start(options["interpreter"]["path"], f"{options['ours']}/inside/bootstrap.py")
    return become.Start(options["interpreter"]["inside"], f"{RUNTIME}/bootstrap.py")


def _image(options: Mapping[str, Any]) -> str:
    """The blank file system for /tmp, tried out; "" where the machine cannot mount one."""
    image = ""

    def attempt() -> None:
        disks.mount(image, "/tmp", f"{HOST}/dev")

    with contextlib.suppress(OSError):
        image = disks.blank(f"{HOST}{options['images']}", disks.USUAL_MB)
    return image if image and _works(attempt) else ""


def _can_overlay(options: Mapping[str, Any]) -> bool:
    """Whether the kernel lays directories over each other for this process."""
    lower = f"{HOST}{options['ours']}:{HOST}{options['images']}"
    return _works(lambda: syscalls.mount("overlay", "/opt", "overlay", syscalls.READ_ONLY, f"lowerdir={lower}"))


def _works(mount: Callable[[], None]) -> bool:
    """Whether something can be mounted, tried in a namespace that ends with the trial."""
    pid = os.fork()
    if pid == 0:
        try:
            syscalls.unshare(syscalls.NEW_MOUNTS)
            mount()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


class _Template:
    """The forking side."""

    def __init__(self, control: socket.socket, options: Mapping[str, Any], around: Surroundings, stash: Stash) -> None:
        self._control = control
        self._options = options
        self._around = around
        self._stash = stash
        self._keepers: set[int] = set()
        self._groups: set[str] = set()
        syscalls.prctl(syscalls.CHILD_SUBREAPER, int(around.mode == "user"))

    def run(self) -> Keeper:
        """Returns only in a forked child: the keeper that it is to be."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        while True:
            ready = poll.poll(_REAP_EVERY_MS)
            self._reap()
            keeper = self._receive() if ready else None
            if keeper is not None:
                return keeper

    def _receive(self) -> Keeper | None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 1)
        except ConnectionResetError:  # the server died before it read what was sent to it
            data, descriptors = b"", []
        if not data:
            self._end()
        plan = json.loads(data)
        channel = socket.socket(fileno=descriptors[0])
        try:
            pid = self._fork()
        except OSError as error:  # no more processes or namespaces at this moment
            with contextlib.suppress(OSError), channel:
                channel.send(json.dumps({"failed": f"{error.strerror}: {error.filename or 'fork'}"}).encode())
            return None
        if pid == 0:
            return self._become_keeper(plan, channel.detach())
        self._keepers.add(pid)
        self._groups.update(plan["groups"])
        with contextlib.suppress(OSError), channel:
            channel.send(json.dumps({"keeper": pid}).encode())
        return None

    def _fork(self) -> int:
        if self._around.mode == "root":
            return forking.first_of_a_namespace()
        return forking.first_of_a_namespace_for_a_user() if self._around.mode == "user" else os.fork()

    def _become_keeper(self, plan: Mapping[str, Any], channel: int) -> Keeper:
        number = syscalls.shared_number(self._options["pages"], plan["page"])

        def count(given: int) -> None:
            number.value = given

        self._stash.on_given = count
        self._control.detach()
        os.closerange(3, channel)
        os.closerange(channel + 1, 1 << 20)
        return Keeper(socket.socket(fileno=channel), plan, self._around, self._stash.open)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                self._keepers.discard(pid)

    def _end(self) -> None:
        """See every keeper end, leave no control group behind, then end."""
        deadline = time.monotonic() + _GRACE_S
        self._reap()
        while self._keepers and time.monotonic() < deadline:
            time.sleep(0.002)
            self._reap()
        for pid in self._keepers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        host = HOST if self._around.mode != "none" else ""
        for group in (*self._groups, *{os.path.dirname(group) for group in self._groups}):
            with contextlib.suppress(OSError):
                os.rmdir(f"{host}{group}")
        os._exit(0)


def _send(control: socket.socket, message: Mapping[str, Any]) -> None:
    try:
        control.send(json.dumps(message).encode())
    except OSError:
        os._exit(0)

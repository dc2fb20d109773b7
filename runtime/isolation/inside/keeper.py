"""The keeper of one sandbox: process 1 inside it. It makes the place, starts processes, reaps them, ends them.

It is told what to do on a socket of its own (`SOCK_SEQPACKET`, JSON). When that closes, nobody wants the sandbox any
more: it ends, and the kernel ends everything else in its process namespace, and all mounts with the last of them.
One process is forked ahead of time and waits, so that a Python handler starts without the cost of a fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from . import become, privileges, syscalls
from .place import Place
from .processes import descendants, resident_bytes

_MESSAGE_BYTES = 1 << 17
_WATCH_MS = 100
_CANNOT_EXECUTE = 126
_ALL_DESCRIPTORS = 1 << 20


class Surroundings(NamedTuple):
    """What is the same for every sandbox of a template."""

    mode: str
    image: str
    """The blank file system that /tmp is a copy of; empty where /tmp has to be memory."""
    inner_user: int
    runtime: str
    """Where the Runtime API client is found."""


class Keeper:
    """`plan` says what is this sandbox's own: user, address, groups. `forget` hides from a handler what is not its."""

    def __init__(
        self, channel: socket.socket, plan: Mapping[str, Any], around: Surroundings, forget: Callable[[], None]
    ) -> None:
        self._channel = channel
        self._around = around
        self._address: str = plan["address"]
        self._forget = forget
        self._isolated = around.mode != "none"
        self._user: int = plan["user"] if around.mode == "root" else around.inner_user
        self._place = Place(around.mode, self._user, around.image, plan["groups"])
        self._running: dict[int, str] = {}
        self._prepared: tuple[int, socket.socket] | None = None
        self._watched_bytes = self._shared_bytes = 0
        self._exhausted = False

    def run(self) -> dict[str, Any]:
        """Until the sandbox is given up; returns in a process that is to become a handler, with what was asked for."""
        try:
            self._place.make()
        except OSError as error:
            self._fail(error)
        syscalls.prctl(syscalls.CHILD_SUBREAPER, 1)
        waking, woken = socket.socketpair()
        for end in (waking, woken):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        self._sockets = (waking, woken)
        request = self._prepare()
        if request is not None:
            return request
        poll = select.poll()
        for each in (self._channel, waking):
            poll.register(each, select.POLLIN)
        while request is None:
            ready = {descriptor for descriptor, _ in poll.poll(self._wait_ms())}
            if waking.fileno() in ready:
                waking.recv(_MESSAGE_BYTES)
            self._reap()
            self._watch()
            if self._channel.fileno() in ready:
                request = self._receive()
        return request

    def _wait_ms(self) -> int | None:
        return _WATCH_MS if self._watched_bytes and self._running else None

    # what the server wants --------------------------------------------------------------------------------------

    def _receive(self) -> dict[str, Any] | None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._channel, _MESSAGE_BYTES, 1)
        except ConnectionResetError:
            data, descriptors = b"", []
        if not data:
            self._end()
        message: dict[str, Any] = json.loads(data)
        if "furnish" in message:
            self._furnish(message["furnish"])
        if "spawn" in message:
            return self._spawn(message, descriptors[0])
        if "signal" in message:
            self._signal(message["signal"], message["number"])
        if "kill" in message:
            self._kill_all()
        return None

    def _furnish(self, wanted: Mapping[str, Any]) -> None:
        self._watched_bytes, self._shared_bytes = wanted["watched_bytes"], wanted["shared_bytes"]
        try:
            overhead = self._place.furnish(wanted)
        except OSError as error:
            self._fail(error)
        else:
            self._send({"furnished": overhead})

    def _spawn(self, message: dict[str, Any], log: int) -> dict[str, Any] | None:
        arguments = message["arguments"]
        if not arguments and self._prepared is not None:
            (pid, waiting), self._prepared = self._prepared, None
            with contextlib.suppress(OSError):  # it was killed; its end is noticed below
                socket.send_fds(waiting, [json.dumps(message).encode()], [log])
            waiting.close()
        else:
            pid = os.fork()
            if pid == 0:
                self._leave(log)
                if arguments:
                    _execute(arguments, message["environment"], message["directory"])
                return {**message, "rehearsal": self._turn_to_python()}
        os.close(log)
        self._running[pid] = message["spawn"]
        return None

    def _signal(self, identifier: str, number: int) -> None:
        for pid, running in self._running.items():
            if running == identifier:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, number)

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            self._channel.send(json.dumps(message).encode())
        except OSError:
            self._end()

    def _fail(self, error: OSError) -> None:
        self._send({"failed": f"{error.strerror}: {error.filename}"})
        self._end()

    def _end(self) -> None:
        if not self._isolated:
            self._kill_all()
        os._exit(0)

    # processes --------------------------------------------------------------------------------------------------

    def _prepare(self) -> dict[str, Any] | None:
        """Fork the process that waits. Returns in it, when it is wanted, with what is asked for."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            ours.detach()
            self._leave(None, theirs.fileno())
            rehearsal = self._turn_to_python()
            data, descriptors, _, _ = socket.recv_fds(theirs, _MESSAGE_BYTES, 1)
            if not data:
                os._exit(0)
            theirs.close()
            _write_to(descriptors[0])
            return {**json.loads(data), "rehearsal": rehearsal}
        theirs.close()
        self._prepared = (pid, ours)
        return None

    def _leave(self, log: int | None, kept: int = 2) -> None:
        """In a child: be nobody's keeper, and nobody in particular. `kept` is a descriptor that stays open."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            if not self._isolated:
                syscalls.prctl(syscalls.PARENT_DEATH_SIGNAL, signal.SIGKILL)
            if log is not None:
                if self._around.mode == "root":
                    os.fchown(log, self._user, self._user)  # so that /dev/stdout can be opened
                _write_to(log)
            for each in (self._channel, *self._sockets, *(self._prepared or ())[1:]):
                each.detach()
            os.closerange(3, kept)
            os.closerange(kept + 1, _ALL_DESCRIPTORS)
            privileges.give_up(self._around.mode, self._user)
        except OSError as error:
            os.write(2, f"the process could not be confined: {error}\n".encode())
            os._exit(_CANNOT_EXECUTE)

    def _turn_to_python(self) -> become.Rehearsal:
        self._forget()
        return become.Rehearsal(self._address, self._around.runtime)

    def _reap(self) -> None:
        """Take note of every process that has ended: those that were asked for are reported."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, used = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return
                if self._prepared is not None and self._prepared[0] == pid:
                    self._prepared = None
                if pid in self._running:
                    identifier = self._running.pop(pid)
                    if not self._running:
                        self._kill_all()  # what they left behind
                    exhausted, self._exhausted = self._exhausted, False
                    code = os.waitstatus_to_exitcode(status)
                    peak = used.ru_maxrss * 1024
                    self._send({"exit": identifier, "code": code, "exhausted": exhausted, "peak": peak})

    def _kill_all(self) -> None:
        """End every process of the sandbox; when this returns, none is left."""
        self._running.clear()
        self._prepared = None
        with contextlib.suppress(ChildProcessError):
            while True:
                if self._isolated:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(-1, signal.SIGKILL)
                else:
                    for pid in descendants():
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                os.waitpid(-1, 0)

    def _watch(self) -> None:
        """Where the kernel does not hold the sandbox to its memory: look, and end what takes more."""
        if not self._watched_bytes or not self._running:
            return
        if resident_bytes(descendants(), self._shared_bytes) > self._watched_bytes:
            self._exhausted = True
            for pid in self._running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)


def _write_to(log: int) -> None:
    """What is written from now on goes there."""
    os.dup2(log, 1)
    os.dup2(log, 2)
    if log > 2:
        os.close(log)


def _execute(arguments: list[str], environment: dict[str, str], directory: str) -> None:
    """Become another program: an extension, or a runtime that is not Python."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    try:
        os.chdir(directory)
        os.execve(arguments[0], arguments, environment)
    except OSError as error:
        os.write(2, f"fork/exec {arguments[0]}: {(error.strerror or '').lower()}\n".encode())
        os._exit(_CANNOT_EXECUTE)

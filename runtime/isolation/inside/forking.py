"""Forks a process that is the first of a process namespace of its own."""

from __future__ import annotations

import errno
import os

from . import syscalls
from .enter import HOST

_ANSWER_BYTES = 32


def first_of_a_namespace() -> int:
    """0 in the new process, which is process 1 there; else which one it is here.

    Raises:
        OSError: the kernel refused; this process is as before.
    """
    own = os.open(f"{HOST}/proc/self/ns/pid", os.O_RDONLY)
    try:
        syscalls.unshare(syscalls.NEW_PIDS)  # of what is forked next
        try:
            pid = os.fork()
        except OSError:
            syscalls.enter(own, syscalls.NEW_PIDS)
            raise
        if pid != 0:
            syscalls.enter(own, syscalls.NEW_PIDS)
    finally:
        os.close(own)
    return pid


def first_of_a_namespace_for_a_user() -> int:
    """The same where the way back is barred: only root of the machine may enter the namespace this process is in.

    So a process in between goes into the new namespace, forks there and ends; this one, which has to be a subreaper,
    inherits its child.

    Raises:
        OSError: the kernel refused; this process is as before.
    """
    reading, writing = os.pipe()
    try:
        os.set_blocking(reading, False)
        between = os.fork()
        if between == 0:
            return _go_and_fork(writing)
        os.waitpid(between, 0)
        answer = int(os.read(reading, _ANSWER_BYTES))
    finally:
        os.close(reading)
        os.close(writing)
    if answer < 0:
        raise OSError(-answer, os.strerror(-answer), "unshare")
    return answer


def _go_and_fork(writing: int) -> int:
    """Returns in the new process only."""
    try:
        syscalls.unshare(syscalls.NEW_PIDS)
        pid = os.fork()
    except OSError as error:
        pid = -(error.errno or errno.EAGAIN)
    if pid != 0:
        os.write(writing, str(pid).encode())
        os._exit(0)
    return pid

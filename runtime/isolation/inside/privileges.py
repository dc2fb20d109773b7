"""What a process gives up, for good, before anything of a function runs in it."""

from __future__ import annotations

import os
import resource

from . import seccomp, syscalls
from .enter import map_user

OPEN_FILES = PROCESSES = 1024
"""Source: reference §8, file descriptors and processes/threads."""


def give_up(mode: str, user: int) -> None:
    """Become `user`, without capabilities, without a way to gain any, and within Lambda's limits.

    Raises:
        OSError: it is not possible; the process must not go on.
    """
    if mode == "root":
        syscalls.bound_capabilities()
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    elif mode == "user":
        syscalls.unshare(syscalls.NEW_USERS)
        map_user(user, 0, 0)
        syscalls.bound_capabilities()
    if mode != "none":
        syscalls.keep_capabilities()
        resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
    syscalls.prctl(syscalls.NO_NEW_PRIVILEGES, 1)
    syscalls.prctl(syscalls.DUMPABLE, 1)  # else its own /proc/self would be closed to it, unlike a fresh process's
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if mode != "none":
        seccomp.install()

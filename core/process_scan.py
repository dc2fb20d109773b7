"""Finding and ending the processes of an action, by session, process group and the tag in their environment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

TAG_VARIABLE = "PENSTOCK_ACTION_TAG"

_PROC = Path("/proc")
_ROUNDS = 50  # a process may fork while it is being looked for
_PAUSE_S = 0.01


def kill_tagged(tag: str) -> int:
    """How many processes carried `tag` in their environment; all of them are dead or dying afterwards (SIGKILL).

    Repeats until none is left, so that a process which forks meanwhile does not escape. Finds nothing where there is
    no /proc.
    """
    return kill_members(None, tag) if tag else 0


def kill_members(leader: int | None, tag: str) -> int:
    """As `kill_tagged`, for everything in the session or group of `leader` too.

    `leader` must not be reaped yet, so that its id cannot be anybody else's.
    """
    killed: set[int] = set()
    if leader is not None:
        signal_all([leader], signal.SIGKILL)
    for _ in range(_ROUNDS):
        found = members(leader, tag)
        if not found:
            break
        killed |= found
        signal_all(found, signal.SIGKILL)
        time.sleep(_PAUSE_S)
    return len(killed)


def members(leader: int | None, tag: str) -> set[int]:
    """The living processes in the session or group of `leader`, or with `tag`; never this one, never zombies."""
    marker = f"{TAG_VARIABLE}={tag}".encode()
    found: set[int] = set()
    try:
        pids = [int(name) for name in os.listdir(_PROC) if name.isdecimal()]  # noqa: PTH208  (called in a loop)
    except OSError:
        return found
    for pid in pids:
        if pid != os.getpid() and _belongs(pid, leader, marker if tag else b""):
            found.add(pid)
    return found


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send the signal; those that are gone or not ours are left out."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _belongs(pid: int, leader: int | None, marker: bytes) -> bool:
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
        fields = stat[stat.rindex(b")") + 2 :].split()  # state, parent, group, session …
        if fields[0] in (b"Z", b"X"):
            return False
        if leader is not None and leader in (int(fields[2]), int(fields[3])):
            return True
        return bool(marker) and marker in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except (OSError, ValueError):  # it ended, or it is somebody else's
        return False

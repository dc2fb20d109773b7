"""Who holds something: a name for this process that no later process can have, and whether its owner still lives."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

_UNKNOWN = "-"


def this_process() -> str:
    """`<hostname>/<boot id>/<pid>/<start ticks>` of this process (`-` where the system does not tell)."""
    return _describe(os.getpid())


def of(pid: int) -> str:
    """The same for the process that has `pid` now."""
    return f"{socket.gethostname()}/{_boot_id()}/{pid}/{_start_ticks(pid) or _UNKNOWN}"


def is_alive(holder: str) -> bool | None:
    """Whether the process `holder` names still runs; None when that cannot be known from here (another host).

    A zombie is dead. Another boot of this host is dead. A text that is no holder cannot be known.
    """
    parts = holder.split("/")
    if len(parts) != 4 or not parts[2].isdecimal():
        return None
    host, boot, pid, start = parts
    if host != socket.gethostname():
        return None
    if boot != _boot_id():
        return False if _UNKNOWN not in (boot, _boot_id()) else None
    found = _start_ticks(int(pid))
    if found is not None:
        return start in (found, _UNKNOWN)
    return _exists(int(pid)) if start == _UNKNOWN and not _has_proc() else False


@cache
def _describe(pid: int) -> str:
    return of(pid)


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return _UNKNOWN


@cache
def _has_proc() -> bool:
    return Path("/proc/self/stat").exists()


def _start_ticks(pid: int) -> str | None:
    """When the process was started, in clock ticks since boot; None when there is none, or only a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # the name before it may hold anything, brackets too
    return None if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

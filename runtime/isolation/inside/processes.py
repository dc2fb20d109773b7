"""The processes that descend from this one, and the memory they hold, from /proc."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

_PAGE_BYTES = os.sysconf("SC_PAGESIZE")


def descendants() -> list[int]:
    """Every process that descends from this one; who lost a parent is this one's child by then."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8") as file:
                parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return sorted(found - {os.getpid()})


def resident_bytes(pids: Iterable[int], shared: int) -> int:
    """What they hold together; `shared`, which each forked one has in common with this process, counts once."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/statm", encoding="utf-8") as file:
            total += max(int(file.read().split()[1]) * _PAGE_BYTES - shared, 0)
    return total

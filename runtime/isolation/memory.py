"""How much memory a sandbox has used at most, counted as if nothing of it had been shared with a template. Pure, but
for the two readers at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Shared:
    """What a forked handler has in common with the template, and nobody counts as its own."""

    base: int = 0
    """Bytes that every handler needs: an interpreter of its own would hold them too."""
    preloaded: int = 0
    """Bytes of modules that were imported ahead; they count as far as the handler imports them."""


def used_mb(counted: int | None, resident: int, shared: Shared, imported: float) -> int:
    """MB, rounded up.

    `counted` is what the control group saw at most, which includes cached files but nothing shared; `resident` the sum
    of what each process held at most, which includes what is shared, in each process again, and is 0 when none is left.
    The truth is below both. `imported` is the share (0 to 1) of the preloaded modules that the handler has imported.
    """
    candidates = [resident - shared.preloaded * (1 - imported)] if resident else []
    if counted is not None:
        candidates.append(counted + shared.base + shared.preloaded * imported)
    return max(-(-int(min(candidates, default=0)) // _MB), 0)


def resident_peak(pids: Iterable[int]) -> int:
    """Bytes that these processes held at most, each by itself."""
    return sum(_peak_kb(pid) for pid in pids) * 1024


def below(pid: int) -> list[int]:
    """The descendants of a process."""
    found, todo = [], [pid]
    while todo:
        for children in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            try:
                more = [int(each) for each in children.read_text().split()]
            except OSError:
                continue
            found += more
            todo += more
    return found


def _peak_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0

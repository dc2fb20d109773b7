"""Memory of a process and its descendants: PSS, so that pages shared between them count once."""

from __future__ import annotations

from pathlib import Path


def tree_mb(pid: int) -> float:
    """The proportional set size in MB of `pid` and everything below it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    wanted, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in wanted} - wanted
        wanted |= more
        grown = bool(more)
    return sum(_pss_kb(each) for each in wanted) / 1024


def _pss_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0

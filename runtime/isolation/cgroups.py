"""Control groups: how much memory, processor time and how many processes a sandbox may have. Versions 1 and 2.

`find` chooses a place in the group this server is in or, when that is not allowed, above it. Each server has one group
there, named after its process, and each sandbox one group in that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY, CPU, PROCESSES = "memory", "cpu", "pids"
CONTROLLERS = (MEMORY, CPU, PROCESSES)
_FILES = {  # controller → what a group has when the controller is in force: in version 1, in version 2
    MEMORY: ("memory.limit_in_bytes", "memory.max"),
    CPU: ("cpu.cfs_quota_us", "cpu.max"),
    PROCESSES: ("pids.max", "pids.max"),
}
_USED = ("memory.usage_in_bytes", "memory.current")
_PERIOD_US = 20_000
_SHORTEST_QUOTA_US = 1_000
"""The kernel takes none below."""
_DYING_S = 2.0
_PREFIX = "penstock-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the groups of one controller are."""

    version: int
    directory: Path


Places = Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Limit:
    """One number to be written, on top of the number that `above` holds by then."""

    path: Path
    value: int
    above: Path | None = None
    optional: bool = False
    """The kernel may not have this file."""

    def document(self) -> dict[str, Any]:
        """For a keeper."""
        return {
            "path": str(self.path),
            "value": self.value,
            "above": str(self.above) if self.above is not None else "",
            "optional": self.optional,
        }


def find(name: str, proc: Path = Path("/proc/self")) -> Places:
    """For each controller that can be used, this server's own group `name`, made when it is not there yet."""
    own = _own_groups((proc / "cgroup").read_text())
    found: dict[str, Place] = {}
    unified: Path | None = None
    for mounted, kind, options in _mounts((proc / "mounts").read_text()):
        if kind == "cgroup2":
            unified = mounted
        for controller in CONTROLLERS:
            if kind == "cgroup" and controller in options and controller in own:
                directory = _find_separate(mounted, own[controller], name, _FILES[controller][0])
                if directory is not None:
                    found[controller] = Place(1, directory)
    missing = [controller for controller in CONTROLLERS if controller not in found]
    if unified is not None and missing and "" in own:
        found.update(_find_unified(unified, own[""], name, missing))
    return found


def _own_groups(text: str) -> dict[str, str]:
    """Controller ("" for version 2) → the path of the group a process is in."""
    own = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller] = path
    return own


def _mounts(text: str) -> Iterator[tuple[Path, str, Collection[str]]]:
    for line in text.splitlines():
        _, mounted, kind, options, *_ = line.split(" ")
        if kind.startswith("cgroup"):
            yield Path(mounted), kind, options.split(",")


def _upwards(mounted: Path, own: str) -> Iterator[Path]:
    """The group itself, then each one above, up to the root."""
    parts = [part for part in own.split("/") if part]
    for length in range(len(parts), -1, -1):
        yield mounted.joinpath(*parts[:length])


def _find_separate(mounted: Path, own: str, name: str, file: str) -> Path | None:
    for parent in _upwards(mounted, own):
        directory = parent / name
        if _make(directory) and os.access(directory / file, os.W_OK):
            return directory
    return None


def _find_unified(mounted: Path, own: str, name: str, wanted: Collection[str]) -> dict[str, Place]:
    """Version 2 gives controllers to groups without processes of their own, so the place may be further up."""
    for parent in _upwards(mounted, own):
        directory = parent / name
        _enable(parent, wanted)
        if _make(directory):
            usable = [each for each in wanted if os.access(directory / _FILES[each][1], os.W_OK)]
            if usable:
                _enable(directory, usable)
                return {each: Place(2, directory) for each in usable}
            remove(directory)
    return {}


def _enable(directory: Path, controllers: Collection[str]) -> None:
    for controller in controllers:
        with contextlib.suppress(OSError):
            (directory / "cgroup.subtree_control").write_text(f"+{controller}")


class Group:
    """One sandbox's group in each place; it need not exist yet."""

    def __init__(self, places: Places, name: str) -> None:
        self._places = {each: Place(at.version, at.directory / name) for each, at in places.items()}
        self.directories = tuple(sorted({at.directory for at in self._places.values()}))
        self._kills = 0

    @property
    def counts_memory(self) -> bool:
        """Whether `memory_peak` tells."""
        return MEMORY in self._places

    def limits(self, memory: int, processes: int) -> list[Limit]:
        """What holds its processes to `memory` bytes, without swap, and to that many processes and threads."""
        found = []
        if MEMORY in self._places:
            at = self._places[MEMORY]
            limit, used = at.directory / _FILES[MEMORY][at.version - 1], at.directory / _USED[at.version - 1]
            found.append(Limit(limit, memory, used))
            if at.version == 1:
                found.append(Limit(at.directory / "memory.memsw.limit_in_bytes", memory, used, optional=True))
            else:
                found.append(Limit(at.directory / "memory.swap.max", 0, optional=True))
        if PROCESSES in self._places:
            found.append(Limit(self._places[PROCESSES].directory / "pids.max", processes))
        return found

    def limit_cpu(self, processors: float | None) -> None:
        """At most this many processors' time in each 20 ms; None for as much as there is.

        Raises:
            OSError: there is no such group.
        """
        if CPU in self._places:
            at = self._places[CPU]
            quota = max(int(processors * _PERIOD_US), _SHORTEST_QUOTA_US) if processors is not None else None
            if at.version == 1:
                (at.directory / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
                (at.directory / "cpu.cfs_quota_us").write_text(str(quota if quota is not None else -1))
            else:
                (at.directory / "cpu.max").write_text(f"{quota if quota is not None else 'max'} {_PERIOD_US}")

    def memory_peak(self) -> int:
        """The most bytes that were in use; 0 when they are not counted."""
        if MEMORY not in self._places:
            return 0
        at = self._places[MEMORY]
        text = _read(at.directory / ("memory.max_usage_in_bytes", "memory.peak")[at.version - 1]).strip()
        return int(text) if text.isdigit() else 0

    def out_of_memory(self) -> bool:
        """Whether the kernel killed something in it for lack of memory since this was asked last."""
        if MEMORY not in self._places:
            return False
        at = self._places[MEMORY]
        text = _read(at.directory / ("memory.oom_control" if at.version == 1 else "memory.events"))
        kills = next((int(line.split()[1]) for line in text.splitlines() if line.startswith("oom_kill ")), 0)
        before, self._kills = self._kills, kills
        return kills > before

    def processes(self) -> list[int]:
        """Who is in it."""
        return processes(self.directories[0]) if self.directories else []

    def remove(self) -> bool:
        """Whether it is gone; it is not while processes are in it."""
        gone = [remove(directory) for directory in self.directories]
        return all(gone)


def processes(directory: Path) -> list[int]:
    """Who is in the group."""
    return [int(line) for line in _read(directory / "cgroup.procs").split()]


def remove(directory: Path) -> bool:
    """Whether the group is gone."""
    try:
        directory.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def group_name(pid: int) -> str:
    """What the group of the server that is this process is called."""
    return f"{_PREFIX}{pid}"


def sweep(proc: Path = Path("/proc")) -> int:
    """How many groups of servers that are gone were removed; those in which something still lives are left."""
    removed = 0
    for mounted, kind, options in _mounts((proc / "self" / "mounts").read_text()):
        if kind == "cgroup2" or any(controller in options for controller in CONTROLLERS):
            for parent, names, _ in os.walk(mounted):
                for name in [name for name in names if name.startswith(_PREFIX)]:
                    names.remove(name)
                    pid = name.removeprefix(_PREFIX)
                    if pid.isdigit() and not (proc / pid).exists():
                        removed += clear(Path(parent, name), kill=False)
    return removed


def can_join(places: Places) -> bool:
    """Whether a new process can be put into groups at these places, tried out. Some 20 ms."""
    group = Group(places, "trial")
    try:
        for directory in group.directories:
            directory.mkdir(exist_ok=True)
            command = ["/bin/sh", "-c", 'echo 0 > "$0"', str(directory / "cgroup.procs")]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        group.remove()
    return True


def clear(directory: Path, *, kill: bool = True) -> bool:
    """Whether a server's group is gone, after what was left in it was killed if it is to be."""
    for each in (*(entry for entry in _listed(directory) if entry.is_dir()), directory):
        for pid in processes(each) if kill else ():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + (_DYING_S if kill else 0)
        while not remove(each) and time.monotonic() < end:
            time.sleep(0.002)
    return not directory.exists()


def _listed(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []


def _make(directory: Path) -> bool:
    try:
        directory.mkdir(exist_ok=True)
    except OSError:
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

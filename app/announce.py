"""Where our processes say that they are there: `run/<name>.json` with pid, port, URL and since when."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Announcement:
    """A process that said it serves at `url`."""

    pid: int
    port: int
    url: str
    started_at: str


def read(path: Path) -> Announcement | None:
    """What a living process announced at `path`; None when there is no such file or its writer is gone."""
    found = last(path)
    return found if found is not None and is_running(found.pid) else None


def last(path: Path) -> Announcement | None:
    """What was announced at `path` last, by a living process or a dead one."""
    try:
        data = json.loads(path.read_text("utf-8"))
        return Announcement(
            int(data["pid"]), int(data.get("port", 0)), str(data.get("url", "")), str(data.get("started_at", ""))
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_running(pid: int) -> bool:
    """Whether a process with this id exists (a zombie counts as gone where /proc tells)."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True
    return stat[stat.rindex(b")") + 2 : stat.rindex(b")") + 3] not in (b"Z", b"X")


def write(path: Path, *, pid: int, port: int, url: str, started_at: str) -> None:
    """Announce a process at `path`, all at once."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    partial.write_text(json.dumps({"pid": pid, "port": port, "url": url, "started_at": started_at}), "utf-8")
    partial.replace(path)

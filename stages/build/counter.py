"""CodeBuild's build number: how many builds one project has had, counting from 1."""

from __future__ import annotations

import fcntl
from pathlib import Path


def build_number(file: Path, build: str) -> int:
    """The number of `build` (any word without blanks) in `file`, the next free one when it is new there.

    The file holds one build per line in the order of their first asking; the same build keeps its number when it is
    started again. Safe between processes.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as builds:
        fcntl.flock(builds, fcntl.LOCK_EX)
        builds.seek(0)
        known = builds.read().split()
        if build in known:
            return known.index(build) + 1
        builds.write(f"{build}\n")
        return len(known) + 1

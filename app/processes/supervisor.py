"""`python -m app.processes.supervisor`: one per home, by a lock that the kernel takes back when we die."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from app import announce, settings
from app.settings import Settings
from app.supervisor.components import components
from app.supervisor.loop import Supervisor
from core.units import iso

LOCK_WAIT_S = 0.5  # somebody who only asks whether it is taken holds it for an instant
LOG_FORMAT = "%(asctime)s.%(msecs)03dZ %(message)s"


def main() -> int:
    """Supervise until told to stop; 3 when another supervisor has this home."""
    return supervise(settings.read(os.environ, Path.cwd()))


def supervise(here: Settings) -> int:
    """As `main`, for settings that were read already."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=here.log_level, format=LOG_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    for directory in (here.home, here.run_directory, here.log_directory):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (here.run_directory / "supervisor.lock").open("w") as lock:
        if not _take(lock.fileno()):
            print(f"another supervisor has {here.home}", file=sys.stderr)  # noqa: T201 - its log is its stderr
            return 3
        sign = here.announcement("supervisor")
        announce.write(sign, pid=os.getpid(), port=0, url="", started_at=iso(datetime.now(UTC)))
        try:
            Supervisor(components(here, os.environ), here.run_directory).run()
        finally:
            said = announce.read(sign)
            if said is not None and said.pid == os.getpid():  # not another home's that has taken our place
                sign.unlink(missing_ok=True)
    return 0


def _take(descriptor: int) -> bool:
    """Whether the lock is ours now."""
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        else:
            return True


if __name__ == "__main__":
    sys.exit(main())

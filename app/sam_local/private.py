"""A Lambda runtime of one command's own: started with it, gone with it, whichever way the command ends."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from app.sam_local.problems import LocalError

_READY_S = 60.0
_STOP_S = 10.0
_LOG_LINES = 12


class PrivateRuntime:
    """`python -m runtime` in a temporary home. `logs` is the descriptor that gets what functions log.

    Use it as a context manager; inside, `wait` before the first request. It ends when its standard input does, which
    the system closes for us even when we are killed, and it removes its home itself.
    """

    def __init__(self, logs: int, *options: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="penstock-local-"))
        self._announcement = self.home / "announced.json"
        shown = os.dup(logs)
        command = [sys.executable, "-P", "-m", "runtime", "--home", str(self.home), "--throw-away"]
        with (self.home / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--announce", str(self._announcement), "--echo-logs", str(shown), *options],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(shown,),
                cwd=self.home,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the command, which then ends this
            )
        os.close(shown)

    def __enter__(self) -> Self:
        return self

    @property
    def uploads(self) -> Path:
        """The directory from which it takes packages."""
        return self.home / "uploads"

    def wait(self) -> int:
        """The port it listens on.

        Raises:
            LocalError: it does not start; the message holds the tail of its log.
        """
        until = time.monotonic() + _READY_S
        while not self._announcement.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise LocalError("the local runtime does not start", why="\n".join(self.tail()))
            time.sleep(0.002)
        return int(json.loads(self._announcement.read_text("utf-8"))["port"])

    def tail(self) -> Sequence[str]:
        """The last lines of the server's own log."""
        try:
            return (self.home / "server.log").read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
        except OSError:
            return []

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def _environment() -> dict[str, str]:
    """Ours without what would lead the runtime's own AWS clients elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

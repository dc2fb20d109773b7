"""A build on this machine: a clean environment, a HOME and TMPDIR of its own, and no process left behind."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from core import process
from core.clock import Clock
from stages.build.environment.base import CHANNEL, Channel, Ended, Launch

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a build takes over from the machine: how to find programs, speak and reach the network. Everything else is made.
_INHERITED = (
    *("LANG", "LC_ALL", "LC_CTYPE", "TZ"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT"),
)


class LocalEnvironment:
    """See `stages.build.environment.base.Environment`. `base` is the machine's environment, of which little is used."""

    def __init__(
        self,
        folder: Path,
        *,
        base: Mapping[str, str],
        clock: Clock,
        deadline: datetime | None,
        should_stop: Callable[[], str],
        tag: str,
    ) -> None:
        self.folder = folder
        self._base = base
        self._clock = clock
        self._deadline = deadline
        self._should_stop = should_stop
        self._tag = tag
        self._channel: _Fifo | None = None

    def prepare(self) -> None:
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def place(self, path: Path) -> str:
        return str(path)

    def host(self, path: str) -> Path | None:
        return Path(path)

    def reaches(self, path: Path) -> bool:  # noqa: ARG002  (the commands run here: whatever we see, they see)
        return True

    def variables(self) -> Mapping[str, str]:
        inherited = {name: self._base[name] for name in _INHERITED if name in self._base}
        return (
            {"LANG": "C.UTF-8"}
            | inherited
            | {
                "PATH": self._base.get("PATH", _DEFAULT_PATH),
                "HOME": str(self.folder / "home"),
                "TMPDIR": str(self.folder / "tmp"),
            }
        )

    def start(self, launch: Launch) -> Channel:
        fifo = self.folder / "channel"
        os.mkfifo(fifo, 0o600)
        arguments = [str(fifo) if argument == CHANNEL else argument for argument in launch.arguments]
        command = ["/bin/sh", str(launch.script), *arguments]
        self._channel = _Fifo(fifo, lambda: self._run(command, launch))
        return self._channel

    def must_end(self) -> bool:
        return bool(self._should_stop()) or (self._deadline is not None and self._clock.now() >= self._deadline)

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
            process.kill_tagged(self._tag)

    def _run(self, command: list[str], launch: Launch) -> None:
        ended = Ended("exited", None, "its output could not be kept")
        left = None if self._deadline is None else (self._deadline - self._clock.now()).total_seconds()
        try:
            result = process.run(
                command,
                cwd=launch.directory,
                env=launch.variables,
                on_line=launch.on_line,
                timeout_s=None if left is None else max(left, 0.0),
                should_stop=self._should_stop,
                tag=self._tag,
            )
            ended = Ended(result.reason, result.exit_code, result.message)
        except (OSError, ValueError) as error:
            ended = Ended("exited", None, str(error))
        finally:
            launch.on_end(ended)  # whatever happened: somebody waits for it


class _Fifo:
    """Lines through a named pipe to a script that `run` runs in a thread of its own."""

    def __init__(self, path: Path, run: Callable[[], None]) -> None:
        # Open for both, so that neither this nor a write ever waits for the script or fails because it has ended.
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._thread = threading.Thread(target=run, name="build-shell", daemon=True)
        self._thread.start()

    def send(self, line: str) -> None:
        os.write(self._descriptor, line.encode() + b"\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        self._descriptor = -1
        self._thread.join()

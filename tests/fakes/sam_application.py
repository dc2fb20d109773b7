"""A small SAM application, and `penstock local …` called in it as a person does."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakes.command_line import ROOT

RUNTIME = f"python3.{sys.version_info[1]}"
_FOREIGN = re.compile(r"^(PENSTOCK_|PREFECT_|AWS_|SAM_|PYTHON|LEVEL$)")
HEAD = f"""\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {{Runtime: {RUNTIME}, Handler: app.handler, CodeUri: src, Timeout: 20}}
"""


class Application:
    """A directory with `template.yaml` and `src/app.py`; `home` holds everything the commands leave behind."""

    def __init__(self, folder: Path, resources: str, source: str) -> None:
        self.folder = folder
        self.temporary = folder.parent / f"{folder.name}-tmp"
        for directory in (folder / "src", self.temporary):
            directory.mkdir(parents=True)
        self.write("template.yaml", f"{HEAD}Resources:\n{resources}")
        self.write("src/app.py", source)
        kept = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
        self.environment = {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TMPDIR": str(self.temporary)}

    def write(self, name: str, text: str) -> None:
        """Put `text` into a file of the application."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def __call__(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """One call to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={**self.environment, **options.pop("env", {})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    def begin(self, *arguments: str, env: Mapping[str, str] | None = None) -> Server:
        """A call that goes on; entered, it has said where it listens."""
        return Server(self, arguments, {**self.environment, **(env or {})})

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """The command line of `penstock local`."""
        return [sys.executable, "-P", "-m", "app", "local", *arguments]

    def left_over(self) -> list[str]:
        """Homes, and processes that have one in their command line or environment."""
        found = [str(path) for path in self.temporary.glob("penstock-local-*")]
        mark = str(self.temporary / "penstock-local-").encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark in text and state != "Z":
                found.append(text.replace(b"\0", b" ").decode(errors="replace")[:200])
        return found


class Server:
    """`penstock local start-…` running; what it says goes to a file."""

    def __init__(self, application: Application, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._application = application
        self._log = application.temporary / f"server-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                application.command(*arguments),
                cwd=application.folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.port = 0

    def __enter__(self) -> Self:
        end = time.monotonic() + 30
        while not (match := re.search(r"Running on (https?)://[^ ]+:(\d+)", self.log())):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.01)
        self.scheme, self.port = match.group(1), int(match.group(2))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGINT)

    def end(self, number: int) -> int:
        """Send the signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def log(self) -> str:
        """Everything it said so far."""
        return self._log.read_text()

    def ask(
        self, method: str, target: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers (lower case) and body; header names have `_` for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body, named)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

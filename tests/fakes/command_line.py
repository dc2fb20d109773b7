"""`penstock` as a person uses it: a process in a directory, with a home of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_FOREIGN = re.compile(r"^(PENSTOCK_|PREFECT_|AWS_|GIT_|PYTHON)")

PIPELINE = """\
version: 1
name: trivial
variables:
  word: {default: hello, allowed: [hello, fail]}
stages:
  - name: Source
    actions:
      - {name: Checkout, provider: Git, configuration: {repository: ., branch: main}, outputArtifacts: [Source]}
"""


def commands(stage: str, *lines: str) -> str:
    """A stage with one Commands action."""
    shell = json.dumps(list(lines))
    action = f"{{name: Say, provider: Commands, inputArtifacts: [Source], commands: {shell}}}"
    return f"  - name: {stage}\n    actions:\n      - {action}\n"


APPROVAL = """\
  - name: Ask
    actions:
      - {name: Sign-off, provider: Manual, configuration: {customData: "Is it good?"}}
"""
TRIVIAL = (
    PIPELINE + commands("One", "echo one #{variables.word}") + commands("Two", "echo two") + commands("Three", "true")
)


class CommandLine:
    """A git repository at `folder` with a pipeline.yaml, and `penstock` called in it."""

    def __init__(self, folder: Path, text: str = TRIVIAL) -> None:
        self.folder = folder
        self.home = folder / ".penstock"
        kept = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
        self.environment = {**kept, "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull, "COLUMNS": "100"}
        folder.mkdir(parents=True, exist_ok=True)
        self.write(text)

    def write(self, text: str, name: str = "pipeline.yaml") -> None:
        """Put `text` into a file of the repository."""
        (self.folder / name).write_text(text)

    def make_repository(self) -> None:
        """A repository on branch main with everything committed."""
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), (*author, "commit", "-q", "-m", "First")):
            subprocess.run(["git", *arguments], cwd=self.folder, env=self.environment, check=True, timeout=30)

    def __call__(self, *arguments: str, timeout_s: float = 60, **options: Any) -> subprocess.CompletedProcess[str]:
        """One call to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=options.pop("cwd", self.folder),
            env={**self.environment, **options.pop("env", {})},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            **options,
        )

    def json(self, *arguments: str) -> Any:
        """The document that a call prints with --json."""
        done = self(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """A call that goes on; both outputs come through its stdout."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """The command line of `penstock`."""
        return [sys.executable, "-P", "-m", "app", *arguments]

    def pids(self) -> dict[str, int]:
        """The pid of every process of this home that is written down, by name."""
        run = self.home / "run"
        children = json.loads((run / "children.json").read_text())
        found = {name: int(who.split("/")[2]) for name, who in children.items()}
        return {**found, "supervisor": int(json.loads((run / "supervisor.json").read_text())["pid"])}

    def living(self) -> list[str]:
        """The command lines of all living processes whose environment names this home."""
        mark = f"PENSTOCK_HOME={self.home}\0".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        return [line for line in found if line]


def until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait for `condition`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def line_with(process: subprocess.Popen[str], text: str) -> str:
    """Everything up to the first line of the output that holds `text`."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"no line with {text!r} came, but:\n{seen}")


def ctrl_c(process: subprocess.Popen[str]) -> None:
    """As the terminal does."""
    process.send_signal(signal.SIGINT)

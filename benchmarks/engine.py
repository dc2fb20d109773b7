"""What a pipeline engine adds to four trivial stages: Penstock beside buildbot, gitlab-ci-local and plain Prefect.

All contestants are up at once and run in interleaved rounds. Penstock and gitlab-ci-local are timed from Enter to
exit of their command line; buildbot from force to finished over HTTP; the Prefect flows inside a process that has
imported Prefect.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from benchmarks.common import install
from benchmarks.common.rounds import Contestant, Sample, interleave, print_table, walls, write_json
from benchmarks.peers.buildbot import Buildbot
from benchmarks.peers.gitlab_ci_local import GitlabCiLocal
from benchmarks.peers.penstock import Penstock
from benchmarks.peers.prefect_flow import PrefectServer

LIMIT_S = 2.0


class Peer(Protocol):
    """Something that runs four trivial steps."""

    name: str

    def start(self) -> None:
        """Installs and starts it."""

    def once(self) -> Sample:
        """One run."""

    def stop(self) -> None:
        """Ends it."""


def line_up(without: list[str], stack: ExitStack) -> list[Contestant]:
    """Every contestant, started; `stack` stops them."""
    contestants = []
    peers: list[tuple[str, Peer]] = [
        ("penstock", Penstock()),
        ("buildbot", Buildbot()),
        ("gitlab-ci-local", GitlabCiLocal()),
    ]
    for word, peer in peers:
        if word not in without:
            stack.callback(peer.stop)
            peer.start()
            contestants.append(Contestant(peer.name, peer.once))
    if "prefect" not in without:
        prefect = PrefectServer()
        stack.callback(prefect.stop)
        prefect.start()
        contestants.append(Contestant("plain Prefect, sync flow (4 tasks)", lambda: prefect.once("sync")))
        contestants.append(Contestant("plain Prefect, async flow (4 tasks)", lambda: prefect.once("async")))
    return contestants


def main() -> int:
    """0 when the median `penstock run` took less than 2 s, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--without", action="append", default=[], metavar="PEER", help="leave a peer out; may be repeated"
    )
    parser.add_argument(
        "--json", type=Path, default=install.CACHE / "engine.json", help="where every sample is written"
    )
    arguments = parser.parse_args()
    with ExitStack() as stack:
        results = interleave(line_up(arguments.without, stack), arguments.rounds)
    base = next(iter(results))
    print_table("Four trivial stages", results, base)
    write_json(arguments.json, results)
    print(f"every sample: {arguments.json}")
    median = statistics.median(walls(results[base]))
    if base == Penstock.name and median >= LIMIT_S:
        print(f"penstock run took {median:.2f} s, {LIMIT_S:g} s or more", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

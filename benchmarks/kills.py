"""Thirty random `kill -9`s during canary releases: how each ended, and how long Penstock took to be itself again."""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

from benchmarks.common import install
from scripts.workshop import Workshop
from tests.e2e import kills


def main() -> int:
    """0 when every round kept every promise; the first broken promise ends the run with its message."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--folder", type=Path, default=install.CACHE / "kills/orders")
    arguments = parser.parse_args()
    print(f"{arguments.rounds} rounds, seed {arguments.seed}")
    chance = random.Random(arguments.seed)
    workshop = Workshop(arguments.folder.resolve())
    workshop.down()
    workshop.begin()
    try:
        kills.begin(workshop)
        for number in range(1, arguments.rounds + 1):
            victim, wrong = chance.choice(kills.VICTIMS), number % 3 == 0
            started = time.monotonic()
            status = kills.round_of(workshop, number, victim, chance, wrong=wrong)
            took_s = time.monotonic() - started
            kind = "wrong" if wrong else "good"
            print(f"{number:3d}  {kind:5s}  kill -9 {victim:10s}  {status:9s}  {took_s:5.1f} s", flush=True)
    except AssertionError as broken:
        print(f"a promise was broken: {broken}\nthe workshop is left as it is: {workshop.folder}", file=sys.stderr)
        return 1
    workshop.down()
    print("every execution ended, no alias was split, every ledger verified")
    return 0


if __name__ == "__main__":
    sys.exit(main())

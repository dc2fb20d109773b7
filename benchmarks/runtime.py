"""The local Lambda beside the AWS Runtime Interface Emulator and serverless-offline: one run, one handler, one client.

Warm latency, cold starts, many clients at once, 1 MB payloads, memory, and how each grows with the number of functions.
The emulator is one process for one function; the other two serve all functions from one server. A cold start is, for
the emulator, its own start and the first answer (it has no other); for the servers, the first request to a function
that has never run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.common import install, load
from benchmarks.common.rounds import machine
from benchmarks.peers.emulator import Emulator
from benchmarks.peers.local_runtime import LocalRuntime
from benchmarks.peers.serverless_offline import ServerlessOffline

BODY = b'{"a":1}'
MEGABYTE = json.dumps({"x": "y" * 1_000_000}).encode()
CROWDS = (1, 4, 16, 64)
GOALS = {"warm p50": 0.7, "cold": 0.3, "cold, boto3": 0.1}
"""Penstock's share of the emulator's figure that must not be exceeded."""
Figures = dict[str, dict[str, Any]]


class Run:
    """One run: the contestants and what was measured of them."""

    def __init__(self, rounds: int, without: Sequence[str]) -> None:
        self.rounds = rounds
        self.ours, self.emulator, self.offline = LocalRuntime(), Emulator(), ServerlessOffline()
        self.peers: list[Emulator | ServerlessOffline] = [
            peer for word, peer in (("rie", self.emulator), ("serverless", self.offline)) if word not in without
        ]
        self.figures: Figures = {}
        self.console = Console(soft_wrap=True, width=120)

    def all(self) -> None:
        """Installs the peers and measures everything."""
        for peer in self.peers:
            peer.install()
        self.warm("warm p50", "warm p99", BODY, 400)
        self.warm("1 MB p50", "1 MB p99", MEGABYTE, 30)
        self.cold("cold", "app.handler")
        self.cold("cold, boto3", "app_boto.handler")
        self.crowds()
        self.memory()
        self.growth()

    def note(self, figure: str, contestant: str, values: Sequence[float] | Any) -> None:
        """Keeps what was measured."""
        self.figures.setdefault(figure, {})[contestant] = values

    def warm(self, median: str, tail: str, body: bytes, each: int) -> None:
        """One client, one request after the other; rounds interleaved."""
        with ExitStack() as stack:
            targets = self._started(stack)
            halves: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in targets}
            for _ in range(self.rounds):
                for name, target in targets.items():
                    seconds = load.in_sequence(target, each, body)
                    halves[name][0].append(load.median_ms(seconds))
                    halves[name][1].append(load.percentile(seconds, 99))
        for name, (medians, tails) in halves.items():
            self.note(median, name, medians)
            self.note(tail, name, tails)

    def cold(self, figure: str, handler: str) -> None:
        """Cold start to first response; rounds interleaved."""
        with ExitStack() as stack:
            self.ours.start()
            stack.callback(self.ours.stop)
            ways: dict[str, Callable[[], float]] = {self.ours.name: lambda: self.ours.cold(handler, BODY)}
            for peer in self.peers:
                ways[peer.name] = _cold(peer, handler)
            taken: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(self.rounds):
                for name, way in ways.items():
                    taken[name].append(way() * 1000)
        for name, values in taken.items():
            self.note(figure, name, values)

    def crowds(self) -> None:
        """More and more clients at once; a contestant that dies is started again for the next crowd."""
        for clients in CROWDS:
            with ExitStack() as stack:
                targets = self._started(stack)
                for name, target in targets.items():
                    load.in_sequence(target, 20, BODY)
                    crowd = load.at_once(target, clients, 2000 // clients, BODY)
                    contestant = next(each for each in (self.ours, *self.peers) if each.name == name)
                    tail = load.percentile(crowd.seconds, 99) if crowd.seconds else None
                    self.note(f"{clients} clients", name, {
                        "per second": crowd.per_second, "p99 ms": tail, "errors": crowd.errors,
                        "outcomes": dict(crowd.outcomes), "died": not contestant.alive(),
                    })  # fmt: skip

    def memory(self) -> None:
        """Megabytes for one more idle environment (PSS)."""
        self.ours.start()
        try:
            load.in_sequence(self.ours.target(), 5, BODY)
            before, more = self.ours.memory_mb(), 16
            self.ours.grow(1 + more)
            for number in range(1, 1 + more):
                load.in_sequence(self.ours.target(f"f{number}"), 5, BODY)
            self.note("MB per idle environment", self.ours.name, [(self.ours.memory_mb() - before) / more])
            self.note("MB of a server with one environment", self.ours.name, [before])
        finally:
            self.ours.stop()
        for peer in self.peers:
            peer.start()
            try:
                load.in_sequence(peer.target, 5, BODY)
                self.note("MB of a server with one environment", peer.name, [peer.memory_mb()])
                if isinstance(peer, Emulator):
                    self.note("MB per idle environment", peer.name, [peer.memory_mb()])
            finally:
                peer.stop()

    def growth(self) -> None:
        """The same figures with 1, 10, 100 and 1000 functions."""
        self.ours.start()
        try:
            for functions in (1, 10, 100, 1000):
                created = self.ours.grow(functions) * 1000
                last = self.ours.target(f"f{functions - 1}")
                self.note(f"{functions} functions", self.ours.name, {
                    "cold ms": statistics.median(self.ours.cold("app.handler", BODY) for _ in range(5)) * 1000,
                    "warm p50 ms": load.median_ms(load.in_sequence(last, 400, BODY)),
                    "ms to create one": created, "ms to list all": self.ours.listing() * 1000,
                    "server MB": self.ours.memory_mb(),
                })  # fmt: skip
        finally:
            self.ours.stop()
        if self.offline in self.peers:
            for functions in (1, 10, 100, 1000):
                self.offline.start(functions=functions)
                try:
                    self.note(f"{functions} functions", self.offline.name, {
                        "cold ms": load.one(self.offline.target, BODY) * 1000,
                        "warm p50 ms": load.median_ms(load.in_sequence(self.offline.target, 400, BODY)),
                        "s to start the server": self.offline.start_s, "server MB": self.offline.memory_mb(),
                    })  # fmt: skip
                finally:
                    self.offline.stop()

    def _started(self, stack: ExitStack) -> dict[str, load.Target]:
        self.ours.start()
        stack.callback(self.ours.stop)
        targets = {self.ours.name: self.ours.target()}
        for peer in self.peers:
            peer.start()
            stack.callback(peer.stop)
            targets[peer.name] = peer.target
        return targets

    # showing ----------------------------------------------------------------------------------------------------

    def show(self) -> list[str]:
        """Prints the tables; the goals that were missed."""
        table = Table(title="Medians of the rounds (ratio to the emulator, round by round)", title_justify="left")
        names = [self.ours.name, *(peer.name for peer in self.peers)]
        for heading in ("what", *names):
            table.add_column(heading)
        for figure, of in self.figures.items():
            if all(isinstance(values, list) for values in of.values()):
                table.add_row(figure, *(self._cell(figure, name) for name in names))
        self.console.print(table)
        for figure, of in self.figures.items():
            for name, facts in of.items():
                if isinstance(facts, dict):
                    shown = ", ".join(f"{key} {_short(value)}" for key, value in facts.items())
                    self.console.print(f"{figure}: {name}: {shown}", highlight=False)
        return self.missed()

    def ratio(self, figure: str, name: str) -> float | None:
        """The median of the rounds' ratios to the emulator; None without one."""
        of = self.figures[figure]
        if self.emulator.name not in of or name not in of:
            return None
        pairs = zip(of[name], of[self.emulator.name], strict=True)
        return float(statistics.median(mine / its for mine, its in pairs))

    def missed(self) -> list[str]:
        """Which goals were not met, in words."""
        missed = []
        for figure, goal in GOALS.items():
            ratio = self.ratio(figure, self.ours.name)
            if ratio is not None and ratio > goal:
                missed.append(f"{figure} is {ratio:.2f} times the emulator's; the goal is {goal:g}")
        for clients in CROWDS:
            errors = self.figures[f"{clients} clients"][self.ours.name]["errors"]
            if errors:
                missed.append(f"{errors} errors with {clients} clients")
        return missed

    def _cell(self, figure: str, name: str) -> str:
        values = self.figures[figure].get(name)
        if values is None:
            return "-"
        ratio = self.ratio(figure, name)
        text = f"{statistics.median(values):.2f}" + (f" ({min(values):.2f}-{max(values):.2f})" if values[1:] else "")
        return text if ratio is None or name == self.emulator.name else f"{text} x{ratio:.2f}"


def _cold(peer: Emulator | ServerlessOffline, handler: str) -> Callable[[], float]:
    return lambda: peer.cold(handler, BODY)


def _short(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def main() -> int:
    """0 when every goal was met, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--without", action="append", default=[], choices=["rie", "serverless"], help="leave one out")
    parser.add_argument(
        "--json", type=Path, default=install.CACHE / "runtime.json", help="where all figures are written"
    )
    arguments = parser.parse_args()
    run = Run(arguments.rounds, arguments.without)
    run.all()
    missed = run.show()
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({"machine": machine(), "figures": run.figures}, indent=2) + "\n")
    print(f"all figures: {arguments.json}")
    for line in missed:
        print(line, file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The engine alone: from "due, and nudged" to Succeeded in the store, four stages whose actions return at once.

A Prefect server and a warm runner are up, as `penstock up` has them; the command line, its HTTP call and what real
actions do are left out. Rerun with `python -m benchmarks.engine_core [--runs 30] [--pause 0]`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.holder import this_process
from pipelines.engine import prefect_home
from pipelines.engine.runner import Runner
from store.records import ExecutionStatus
from tests.fakes.engine import World, pipeline

LIMIT_S = 0.1
FOUR = pipeline(*[[{}] for _ in range(4)])


def main() -> int:
    """0 when the median took less than 100 ms and no run took a second, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two runs")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(arguments.serve)
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        home = Path(directory)
        began = time.perf_counter()
        start_server(home, stack)
        print(f"Prefect server up after {time.perf_counter() - began:.2f} s")
        began = time.perf_counter()
        start_runner(home, stack)
        print(f"runner ready after {time.perf_counter() - began:.2f} s")
        return report(measure(home, arguments.runs, arguments.pause))


def serve(home: Path) -> int:
    """Be the runner, with a provider that succeeds at once."""
    world = World(home)
    runner = Runner(
        world.workshop,
        name="runner-1",
        holder=this_process(),
        socket_path=home / "run" / "runner-1.sock",
        prefect_url=lambda: prefect_home.announced_url(home / "run" / "prefect.json"),
    )
    signal.signal(signal.SIGTERM, lambda *_: runner.stop())
    runner.run()
    world.close()
    return 0


def start_server(home: Path, stack: contextlib.ExitStack) -> None:
    """A Prefect server of its own, up."""
    announce = home / "run" / "prefect.json"
    directory = home / "prefect"
    _child(
        prefect_home.server_command(directory, announce), prefect_home.server_environment(directory, os.environ), stack
    )
    _until(lambda: prefect_home.healthy(prefect_home.announced_url(announce)), 60)


def start_runner(home: Path, stack: contextlib.ExitStack) -> None:
    """A runner that has advanced one execution already."""
    _child(
        [sys.executable, "-m", "benchmarks.engine_core", "--serve", str(home)],
        prefect_home.client_environment(home / "prefect", os.environ),
        stack,
    )
    _until((home / "run" / "runner-1.sock").exists, 60)
    measure(home, 1, 0)


def measure(home: Path, runs: int, pause_s: float) -> list[float]:
    """Seconds each execution took."""
    world = World(home)
    nudge = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    nudge.connect(str(home / "run" / "runner-1.sock"))
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        execution = world.start(FOUR)
        nudge.send(b"!")
        marker: int | None = None
        while True:
            marker, before = world.database.changed(marker), marker
            if marker != before and world.execution(execution.id).status is ExecutionStatus.SUCCEEDED:
                break
            time.sleep(0.001)
        taken.append(time.perf_counter() - began)
        time.sleep(pause_s)
    nudge.close()
    world.close()
    return taken


def report(taken: list[float]) -> int:
    """Print the figures."""
    in_order = sorted(taken)
    print("ms: " + " ".join(f"{seconds * 1000:.0f}" for seconds in taken))
    print(
        f"{len(taken)} executions of 4 stages: median {statistics.median(taken) * 1000:.0f} ms, "
        f"p90 {in_order[int(len(in_order) * 0.9)] * 1000:.0f} ms, longest {in_order[-1] * 1000:.0f} ms"
    )
    return 0 if statistics.median(taken) <= LIMIT_S and in_order[-1] < 1 else 1


def _child(command: list[str], environment: dict[str, str], stack: contextlib.ExitStack) -> None:
    process = subprocess.Popen(command, env=environment)
    stack.callback(process.wait, 15)
    stack.callback(process.terminate)


def _until(condition: object, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())

"""`make demo` keeps its word, and what it left behind can be read with the servers down."""

from __future__ import annotations

import subprocess
import sys

from scripts.workshop import ROOT, Workshop
from tests.e2e import then


def test_the_demo_ends_well_and_its_story_can_be_read_afterwards(workshop: Workshop) -> None:
    """Exit code 0, the three releases' facts, no process left; status, logs and why read the store by themselves."""
    demo = subprocess.run(
        [sys.executable, "scripts/demo.py", "--folder", str(workshop.folder)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "NOT SO" not in demo.stdout
    for fact in ("alias live is version 1, wholly", "at 10 % for", "at 50 % for", "version 3 harmed", "All as told"):
        assert fact in demo.stdout
    then.nothing_is_left_running(workshop)
    for command, said in (
        ("status", "#3 Failed"),
        ("list", "orders #2"),
        ("logs", "unittest"),
        ("why", "orders-errors"),
    ):
        done = workshop.penstock(command)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    assert not then.processes_of(workshop)

"""What happens in stories."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scripts.load import Answer, Load
from scripts.workshop import Workshop

KNOWN_COUPON = {"items": [{"sku": "book", "quantity": 1, "unitPrice": 1250}], "coupon": "WELCOME10"}
UNKNOWN_COUPON = {"items": [{"sku": "book", "quantity": 1, "unitPrice": 1250}], "coupon": "SUMMER"}


def the_pipeline_runs(workshop: Workshop, *options: str) -> subprocess.CompletedProcess[str]:
    """`penstock run`, to its end."""
    return workshop.penstock("run", *options)


def the_pipeline_is_started(workshop: Workshop) -> str:
    """`penstock run --detach`; the execution's id."""
    started: dict[str, Any] = workshop.json("run", "--detach")
    return str(started["id"])


@contextmanager
def customers_order(workshop: Workshop, *orders: dict[str, Any], rate_per_s: float = 60) -> Iterator[list[Answer]]:
    """Orders come in at that rate while the block runs; the list holds every answer afterwards."""
    load = Load(workshop.aws(), "orders", "live", orders or (KNOWN_COUPON,), rate_per_s=rate_per_s)
    answers: list[Answer] = []
    load.start()
    try:
        yield answers
    finally:
        answers.extend(load.stop())


def processes(workshop: Workshop) -> dict[str, int]:
    """The pid of each of Penstock's processes, by name; those that the supervisor knows, and itself."""
    run = workshop.home / "run"
    found = {"supervisor": int(json.loads((run / "supervisor.json").read_text())["pid"])}
    children = json.loads((run / "children.json").read_text())
    return found | {name: int(holder.split("/")[2]) for name, holder in children.items()}


def killed(workshop: Workshop, *names: str) -> list[int]:
    """`kill -9` of the named processes of this workshop, all at once; the pids."""
    pids = [pid for name, pid in processes(workshop).items() if name in names]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids

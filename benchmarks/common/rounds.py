"""Interleaved rounds: every contestant runs once per round, so a noisy moment hurts all of them alike."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed run: wall seconds, and other figures by name."""

    wall_s: float
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A name and a way to run once."""

    name: str
    once: Callable[[], Sample]


Results = Mapping[str, Sequence[Sample]]


def interleave(contestants: Sequence[Contestant], rounds: int, warm_up: int = 1) -> dict[str, list[Sample]]:
    """The samples of each contestant by name, `rounds` of them, after `warm_up` rounds that do not count."""
    results: dict[str, list[Sample]] = {contestant.name: [] for contestant in contestants}
    for number in range(warm_up + rounds):
        for contestant in contestants:
            sample = contestant.once()
            if number >= warm_up:
                results[contestant.name].append(sample)
    return results


def walls(samples: Sequence[Sample]) -> list[float]:
    """The wall seconds of the samples."""
    return [sample.wall_s for sample in samples]


def ratios(results: Results, name: str, base: str) -> list[float]:
    """Round by round, how many times longer `name` took than `base`."""
    return [one.wall_s / other.wall_s for one, other in zip(results[name], results[base], strict=True)]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def print_table(title: str, results: Results, base: str) -> None:
    """A table of medians and ranges in milliseconds, and how many times longer than `base` each took in a round."""
    table = Table(title=title, title_justify="left", caption=f"ratio: to {base}", caption_justify="left")
    table.add_column("what", no_wrap=True)
    for heading in ("median ms", "min", "max", "ratio"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, samples in results.items():
        taken = [wall * 1000 for wall in walls(samples)]
        ratio = statistics.median(ratios(results, name, base))
        table.add_row(name, f"{statistics.median(taken):.0f}", f"{min(taken):.0f}", f"{max(taken):.0f}", f"{ratio:.2f}")
    console = Console(soft_wrap=True, width=120)
    console.print(table)
    for name, samples in results.items():
        for figure in samples[0].figures:
            median = statistics.median(sample.figures[figure] for sample in samples)
            console.print(f"{name}: {figure} {median:.0f}", highlight=False)


def write_json(path: Path, results: Results, **more: Any) -> None:
    """Writes every sample to `path`, with the machine and `more` beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = {
        name: [{"wall_s": sample.wall_s, **sample.figures} for sample in taken] for name, taken in results.items()
    }
    path.write_text(json.dumps({"machine": machine(), **more, "samples": samples}, indent=2) + "\n")

"""`make demo`: three releases of examples/orders, told as they happen; ends 0 only if all of it went as told."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from scripts.load import Answer, Load, served
from scripts.workshop import PENSTOCK, ROOT, Workshop

RATE_PER_S = 80
# Three orders in ten carry a coupon nobody knows any more: customers try their luck with old codes.
COUPONS = (None, None, "WELCOME10", "SUMMER", None, "VIP20", "SPRING", None, None, "SUMMER")
ORDERS = [
    {"items": [{"sku": "book", "quantity": 1 + number % 3, "unitPrice": 1250}], "coupon": coupon}
    for number, coupon in enumerate(COUPONS)
]
SETTLE_S = 0.3  # requests in flight while a weight changes belong to neither side


@dataclass(frozen=True, slots=True)
class Window:
    """A time during which the new version was meant to get `weight_pct` of the traffic (epoch seconds)."""

    weight_pct: float
    since: float
    until: float


class Teller:
    """Prints the story and remembers what did not go as told."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.wrong: list[str] = []

    def chapter(self, title: str) -> None:
        """A heading."""
        self.console.print()
        if self.console.is_terminal:
            self.console.print(Rule(f"[bold]{title}", align="left"))
        else:
            self.console.print(f"== {title}")

    def say(self, text: str) -> None:
        """A sentence."""
        self.console.print(escape(text))

    def fact(self, text: str, true: bool = True) -> None:
        """A sentence that must be true."""
        mark = "[green]ok[/]" if true else "[red]NOT SO[/]"
        self.console.print(f"  {mark}  {escape(text)}")
        if not true:
            self.wrong.append(text)


class Demo:
    """The story's three chapters, told in one workshop."""

    def __init__(self, workshop: Workshop, teller: Teller) -> None:
        self.workshop = workshop
        self.teller = teller

    def first(self) -> None:
        """v1: nothing is there yet, so the release goes all at once."""
        self.teller.chapter("1. The first version is released")
        commit = self.workshop.commit("Price orders")
        self.teller.say(f"git commit {commit[:8]} Price orders; penstock run")
        code = self._run()
        self.teller.fact(f"the pipeline succeeded (exit code {code})", code == 0)
        version, split = self.workshop.alias()
        self.teller.fact(f"alias live is version {version}, wholly", (version, dict(split)) == ("1", {}))
        lambda_ = self.workshop.client("lambda")
        answer = lambda_.invoke(FunctionName="orders", Qualifier="live", Payload=json.dumps(ORDERS[0]))
        body = answer["Payload"].read().decode()
        self.teller.fact(f"version {answer['ExecutedVersion']} answers: {body}", "FunctionError" not in answer)

    def second(self) -> None:
        """v2: a harmless change, shifted step by step under load."""
        self.teller.chapter("2. A harmless change shifts 10 %, 50 %, 100 %, under load")
        self.workshop.apply("2-currency.patch")
        commit = self.workshop.commit("Say the currency")
        self.teller.say(f"git commit {commit[:8]} Say the currency; penstock run, under {RATE_PER_S} requests a second")
        code, answers = self._run_under_load()
        self.teller.fact(f"the pipeline succeeded (exit code {code})", code == 0)
        for window in windows(self._events()):
            self._tell_share(answers, window, "2")
        failed = [answer for answer in answers if answer.problem]
        self.teller.fact(f"{len(failed)} of {len(answers)} requests failed", not failed)
        version, split = self.workshop.alias()
        self.teller.fact(f"alias live is version {version}, wholly", (version, dict(split)) == ("2", {}))

    def third(self) -> None:
        """v3: passes every test, and raises on some orders."""
        self.teller.chapter("3. A change that passes every test and is wrong")
        self.workshop.apply("3-fiver.patch")
        commit = self.workshop.commit("A coupon worth five euro")
        self.teller.say(f"git commit {commit[:8]} A coupon worth five euro; penstock run, under the same load")
        code, answers = self._run_under_load()
        self.teller.fact(f"the pipeline failed (exit code {code}), as it should", code == 1)
        events = self._events()
        fired = first_time(events, "AlarmFired")
        back = first_time(events, "RolledBack")
        self.teller.fact("its alarm fired and the release rolled back by itself", fired > 0 and back > 0)
        harmed = [answer for answer in answers if answer.problem]
        told = [answer for answer in harmed if answer.version == "3"]
        share = 100 * len(harmed) / len(answers)
        self.teller.fact(
            f"version 3 harmed {len(told)} of {len(answers)} requests ({share:.1f} %), other versions none",
            len(told) == len(harmed) > 0,
        )
        if fired and back and told:
            self.teller.fact(
                f"first harmed request to alarm: {fired - told[0].at:.1f} s; alarm to the old version, wholly: "
                f"{back - fired:.2f} s",
                fired >= told[0].at,
            )
            late = served(answers, since=back + SETTLE_S)["3"]
            self.teller.fact(f"after the rollback version 3 answered {late} requests", late == 0)
        version, split = self.workshop.alias()
        self.teller.fact(f"alias live is version {version}, wholly", (version, dict(split)) == ("2", {}))
        self.teller.say("Why it decided so (penstock why):")
        for event in events:
            if event["kind"] in ("AlarmFired", "RollbackStarted", "RolledBack"):
                self.teller.say(f"      {event['sentence']}")

    def _tell_share(self, answers: Sequence[Answer], window: Window, version: str) -> None:
        counts = served(answers, window.since + SETTLE_S, window.until - SETTLE_S)
        total = sum(counts.values())
        share = counts[version] / total if total else 0.0
        expected = window.weight_pct / 100
        # 3.9 standard deviations: a fair coin is called unfair once in ten thousand demos
        margin = 3.9 * (expected * (1 - expected) / total) ** 0.5 + 1 / total if total else 0.0
        took_s = window.until - window.since
        self.teller.fact(
            f"at {window.weight_pct:g} % for {took_s:.1f} s version {version} served {100 * share:.1f} % "
            f"({counts[version]} of {total} requests)",
            total > 0 and abs(share - expected) <= margin,
        )

    def _run_under_load(self) -> tuple[int, list[Answer]]:
        load = Load(self.workshop.aws(), "orders", "live", ORDERS, rate_per_s=RATE_PER_S)
        load.start()
        try:
            code = self._run()
            time.sleep(1)  # what is served after the end belongs to the story too
        finally:
            answers = load.stop()
        return code, answers

    def _run(self) -> int:
        sys.stdout.flush()
        return self.workshop.penstock("run", show=True).returncode

    def _events(self) -> list[dict[str, Any]]:
        decisions = self.workshop.json("why")["decisions"]
        return [{**event, "epoch": datetime.fromisoformat(event["at"]).timestamp()} for event in decisions]


def windows(events: Sequence[dict[str, Any]]) -> list[Window]:
    """The times between one shift of traffic and the next, below 100 %."""
    shifts = [(event["facts"]["weight_pct"], event["epoch"]) for event in events if event["kind"] == "TrafficShifted"]
    return [
        Window(float(weight), since, until)
        for (weight, since), (_, until) in itertools.pairwise(shifts)
        if 0 < float(weight) < 100
    ]


def first_time(events: Sequence[dict[str, Any]], kind: str) -> float:
    """When the first event of that kind happened, in epoch seconds; 0 when none did."""
    return next((float(event["epoch"]) for event in events if event["kind"] == kind), 0.0)


def look_around(teller: Teller, workshop: Workshop, up: bool) -> None:
    """Says how to go on by hand."""
    teller.chapter("Look around")
    teller.say(f"  cd {workshop.folder}; export PATH={PENSTOCK.parent}:$PATH")
    teller.say("  penstock status       what runs, and how the last execution ended")
    teller.say("  penstock list         the three executions")
    teller.say("  penstock logs         what the actions of the last execution printed")
    teller.say("  penstock why          why it ended as it did; `penstock why 2` for the second")
    if up:
        teller.say(
            '  eval "$(penstock env)"   points boto3 and the AWS CLI at the local runtime; `penstock down` stops it'
        )
    else:
        teller.say("  penstock up           starts the servers again")


def main() -> int:
    """0 when everything was as told, 1 when a fact was not so, 5 when the servers did not come up."""
    parser = argparse.ArgumentParser(description="Three releases of examples/orders, told as they happen.")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".demo/orders", help="where the demo's repository is made"
    )
    parser.add_argument("--keep", action="store_true", help="leave the servers running at the end")
    arguments = parser.parse_args()
    teller, workshop = Teller(), Workshop(arguments.folder.resolve())
    started = time.monotonic()
    workshop.down()
    workshop.begin()
    teller.say(f"A git repository made from examples/orders: {workshop.folder}")
    try:
        workshop.up()
        teller.say(f"penstock up: servers ready after {time.monotonic() - started:.1f} s")
        demo = Demo(workshop, teller)
        demo.first()
        demo.second()
        demo.third()
    finally:
        if not arguments.keep:
            workshop.down()
    look_around(teller, workshop, up=arguments.keep)
    teller.say("")
    took = time.monotonic() - started
    if teller.wrong:
        teller.say(f"{len(teller.wrong)} of the story's facts were not so ({took:.0f} s):")
        for text in teller.wrong:
            teller.say(f"  {text}")
        return 1
    teller.say(f"All as told, in {took:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

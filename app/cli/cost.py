"""`penstock cost`: what functions of the local runtime used, and what that would have cost on AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from app import announce
from app.cli import daemon, printer, session
from app.cli.text import table
from core.errors import InvalidInput, NotFound

Document = dict[str, Any]
_HEADING = ("FUNCTION", "VERSION", "MEMORY", "REQUESTS", "ERRORS", "GB-S", "INIT", "WASTED", "COST", "HINT")


def cost(
    function: Annotated[
        str | None, typer.Argument(metavar="[FUNCTION]", help="Only this function.", show_default="all")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", "-s", help="From when on: 24h, `3 days ago`, yesterday, 2026-11-23.")
    ] = "24h",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """What the local runtime's functions used, and what that would have cost on AWS (us-east-1, no free tier).

    Example: penstock cost orders --since 7d
    """
    from app.cli.function_logs import moment
    from app.cost import report

    here, now = session.settings(), datetime.now(UTC)
    start = moment(since, now)
    if start >= now:
        raise InvalidInput(f"'{since}' is not in the past", hint="write 24h, `3 days ago` or a date")
    if not here.home.is_dir():
        raise NotFound(f"nothing was ever run here ({here.home} does not exist)", hint="start with `penstock run`")
    daemon.start(here, ("runtime",))
    said = announce.read(here.announcement("runtime"))
    found = report(said.port if said is not None else 0, start.timestamp(), now.timestamp(), function)
    if json:
        printer.document(found)
    else:
        printer.lines(shown(found, function))
    return 0


def shown(found: Document, function: str | None) -> list[str]:
    """The report as lines: one for each version, and what they come to."""
    if not found["functions"]:
        return [f"no invocation{f' of {function}' if function else ''} in that time"]
    lines = table([_HEADING, *(_row(item) for item in found["functions"])])
    total = found["total"]
    parts = ", ".join(f"{name} {money(value)}" for name, value in total["costOf"].items() if value)
    lines.append(
        f"total {money(total['cost'])} for {total['requests']} requests and {total['gbSeconds']:.3f} GB-s"
        + (f" ({parts})" if parts else "")
        + (f"; {money(total['wasted'])} of it for failures" if total["wasted"] else "")
    )
    return lines


def _row(item: Document) -> tuple[str, ...]:
    arm = " arm64" if item["architecture"] == "arm64" else ""
    failures = f"{item['errors']}" + (f" ({item['timeouts']} timeouts)" if item["timeouts"] else "")
    hint = ""
    if item["suggestedMemoryMB"]:
        hint = f"used {item['maxMemoryUsedMB']} MB at most: {item['suggestedMemoryMB']} MB would hold it"
    return (
        item["function"],
        item["version"],
        f"{item['memoryMB']} MB{arm}",
        str(item["requests"]),
        failures,
        f"{item['gbSeconds']:.3f}",
        f"{item['initShare'] * 100:.0f} %",
        money(item["wasted"]),
        money(item["cost"]),
        hint,
    )


def money(dollars: float) -> str:
    """`$1.23`, `$0.00042`: two digits that count, however small."""
    if dollars >= 0.995 or dollars == 0:
        return f"${dollars:,.2f}"
    return f"${dollars:.2g}" if dollars >= 0.0001 else f"${dollars:.1e}"

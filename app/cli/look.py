"""Commands that only look: status, list, show, why. They work when the servers are down, too."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli import printer, session, text

Ref = Annotated[
    str, typer.Argument(metavar="[EXECUTION]", help="Id, unique prefix of it, or number.", show_default="the latest")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(json: AsJson = False) -> None:
    """What runs now, what waits and for whom, the last results, and the servers.

    Example: penstock status
    """
    found = session.ask(session.settings(), lambda reader: reader.status())
    if json:
        printer.document(found)
    else:
        printer.lines(text.status(found, text.now()))


def list_(
    pipeline: Annotated[str | None, typer.Option("--pipeline", "-p", help="Only this pipeline's.")] = None,
    status: Annotated[str | None, typer.Option("--status", "-s", help="Only those with this status.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many.")] = 20,
    json: AsJson = False,
) -> None:
    """The newest executions.

    Example: penstock list --status Failed
    """
    found = session.ask(session.settings(), lambda reader: reader.executions(pipeline, status, limit))
    if json:
        printer.document(found)
    else:
        printer.lines(text.executions(found["executions"], text.now()))


def show(execution: Ref = session.LATEST, json: AsJson = False) -> None:
    """One execution: its stages, actions, artifacts, variables and releases.

    Example: penstock show 3
    """
    found = session.ask(session.settings(), lambda reader: reader.show(execution))
    if json:
        printer.document(found)
    else:
        printer.lines(text.show(found, text.now()))


def why(execution: Ref = session.LATEST, json: AsJson = False) -> None:
    """Why an execution is as it is: the decisions that led there, and the facts behind them.

    Example: penstock why
    """
    found = session.ask(session.settings(), lambda reader: reader.why(execution))
    if json:
        printer.document(found)
    else:
        printer.lines(text.story(found))

"""`penstock run`: start an execution, starting the servers first when they are down, and follow it to its end."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import daemon, follow, printer, session
from app.settings import Settings
from core.errors import InvalidInput, NotFound


def run(
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The pipeline file.", show_default=False)] = None,
    var: Annotated[
        list[str] | None, typer.Option("--var", "-v", help="A pipeline variable, NAME=VALUE; may be repeated.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Start it and return at once.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the execution as JSON when it ends.")] = False,
) -> int:
    """Run the pipeline of this directory and follow it to its end.

    Exit code: 0 when it Succeeded, 1 when it ended otherwise. Ctrl-C stops watching; a second Ctrl-C stops it.

    Example: penstock run --var level=allAtOnce
    """
    here = session.settings(file)
    text = read_file(here.pipeline_file)
    if not daemon.is_up(here):
        _check(text, here.pipeline_file)
    body: dict[str, Any] = {
        "fileText": text,
        "file": str(here.pipeline_file),
        "variables": variables(var or []),
        "triggerDetail": f"{user()} by hand",
    }
    if detach:
        return _detached(here, body, as_json=json)
    view = follow.view(as_json=json, terminal=sys.stdout.isatty())
    return follow.to_the_end(
        here, view, lambda client: client.stream("POST", "/v1/executions", {**body, "follow": True})
    )


def variables(given: list[str]) -> dict[str, str]:
    """NAME=VALUE texts as a mapping.

    Raises:
        InvalidInput: one has no name or no `=`, or a name is given twice with different values.
    """
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise InvalidInput(f"{text!r} is not NAME=VALUE", where="--var", hint="write --var level=canary")
        if found.setdefault(key, value) != value:
            raise InvalidInput(f"variable {key!r} is given twice", where="--var")
    return found


def _detached(here: Settings, body: dict[str, Any], *, as_json: bool) -> int:
    answer = daemon.with_engine(here, lambda client: client.post("/v1/executions", body))
    execution = answer["execution"]
    if as_json:
        printer.document(execution)
    else:
        printer.line(f"{execution['pipeline']} #{execution['number']} started  {execution['id']}")
        printer.note(f"follow it with `penstock logs -f {execution['id'][:8]}`")
    return 0


def _check(text: str, path: Path) -> None:
    """Refuse a file with mistakes before the servers are started for it, which takes seconds. Raises: InvalidInput."""
    from app.wiring import load

    load(text, str(path))


def read_file(path: Path) -> str:
    """The text of a pipeline file; bytes that are no UTF-8 are kept as surrogates for the parser to refuse."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        raise NotFound(f"there is no {path}", hint="write a pipeline.yaml, or name one with --file") from None
    except OSError as problem:
        raise InvalidInput("the file cannot be read", where=str(path), why=problem.strerror or "") from None


def user() -> str:
    """Who is at the keyboard, for the ledger."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"

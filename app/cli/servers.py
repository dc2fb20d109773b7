"""Commands about the servers: up, down, env, and invoking a function on a target."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli import daemon, printer, session
from app.supervised import is_supervised, url
from core.errors import InvalidInput, NotAllowed


def up(
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and stop everything on Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Start the servers: the local Lambda runtime, the engine, a runner and Prefect.

    Example: penstock up
    """
    here = session.settings()
    if foreground:
        from app.processes.supervisor import supervise

        if is_supervised(here):
            raise NotAllowed("the servers run in the background", hint="stop them with `penstock down`")
        return supervise(here)
    daemon.start(here)
    found = {name: url(here, name) for name in daemon.COMPONENTS}
    if json:
        printer.document({"home": str(here.home), "processes": found})
    else:
        for name, place in found.items():
            printer.line(f"{name:9} up  {place}".rstrip())
    return 0


def down(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Stop the servers. What runs goes on from where it was at the next `penstock up`.

    Example: penstock down
    """
    stopped = daemon.stop(session.settings())
    if json:
        printer.document({"stopped": stopped})
    else:
        printer.line("stopped" if stopped else "nothing was running")


def env(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print shell exports that point AWS clients at the local runtime; starts it when it is down.

    Example: eval "$(penstock env)"
    """
    here = session.settings()
    daemon.start(here, ("runtime",))
    from app.local_target import ACCESS_KEY, REGION, SECRET_KEY

    values = {
        "AWS_ENDPOINT_URL": url(here, "runtime"),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    if json:
        printer.document(values)
    else:
        printer.lines(f"export {name}={shlex.quote(value)}" for name, value in values.items())


def invoke(
    function: Annotated[
        str, typer.Argument(metavar="FUNCTION[:QUALIFIER]", help="The function, its version or alias.")
    ],
    payload: Annotated[str, typer.Option("--payload", "-p", help="The event: JSON, @FILE, or - for stdin.")] = "{}",
    target: Annotated[str, typer.Option("--target", "-t", help="A target of the pipeline file.")] = "local",
    log: Annotated[bool, typer.Option("--log", help="Print the end of the function's log to stderr.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print answer, version and error as JSON.")] = False,
) -> int:
    """Invoke a function and print its answer; exit code 1 when the function failed.

    Example: penstock invoke orders:live --payload '{"id": 1}'
    """
    from app.invoke import answer, invoke_on

    here = session.settings()
    if target == "local":
        daemon.start(here, ("runtime",))
    result = invoke_on(here, target, function, _payload(payload))
    if json:
        printer.document(answer(result))
    else:
        printer.line(result.payload.decode("utf-8", "replace"))
    if log and result.log_tail:
        printer.note(result.log_tail.rstrip())
    return 1 if result.function_error else 0


def _payload(text: str) -> bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as problem:
        raise InvalidInput("the payload cannot be read", where=text[1:], why=problem.strerror or "") from None

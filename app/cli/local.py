"""`penstock local …`: what SAM CLI's `sam local` does, straight from a template and without containers."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.light import LightGroup
from app.cli.local_options import (
    DebugArguments,
    DebugPort,
    EnvVars,
    LocalCommand,
    LogFile,
    Overrides,
    Profile,
    Region,
    Template,
)

local = typer.Typer(
    cls=LightGroup, help="Run functions and APIs straight from a SAM template, without deploying.", no_args_is_help=True
)


@local.command(cls=LocalCommand)
def invoke(
    function: Annotated[str | None, typer.Argument(metavar="[FUNCTION]", help="Logical id, or function name.")] = None,
    event: Annotated[str | None, typer.Option("--event", "-e", help="JSON file with the event; - is stdin.")] = None,
    template: Template = None,
    env_vars: EnvVars = None,
    parameter_overrides: Overrides = None,
    debug_port: DebugPort = None,
    debug_args: DebugArguments = None,
    log_file: LogFile = None,
    region: Region = None,
    profile: Profile = None,
) -> int:
    """Invoke one function once: its answer on stdout, its log on stderr. Exit code 0 also for a function's own error.

    Example: penstock local invoke Orders --event events/order.json
    """
    from app.cli.local_run import Given, invoke_once

    given = Given(template, env_vars, parameter_overrides or [], debug_port, debug_args, log_file, region, profile)
    return invoke_once(given, function, event)

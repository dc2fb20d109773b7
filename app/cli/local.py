"""`penstock local …`: what SAM CLI's `sam local` does, straight from a template and without containers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.light import LightCommand, LightGroup
from app.cli.local_options import (
    Certificate,
    DebugArguments,
    DebugFunction,
    DebugPort,
    EnvVars,
    Host,
    Key,
    LocalCommand,
    LogFile,
    NoWatch,
    Overrides,
    Profile,
    Region,
    Template,
    Warm,
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


@local.command("start-api", cls=LocalCommand)
def start_api(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="Where to listen; 0 takes a free one.")] = 3000,
    static_dir: Annotated[
        Path, typer.Option("--static-dir", "-s", help="Files served beside the API, relative to the template.")
    ] = Path("public"),
    disable_authorizer: Annotated[
        bool, typer.Option("--disable-authorizer", help="Let every request through without asking authorizers.")
    ] = False,
    ssl_cert_file: Certificate = None,
    ssl_key_file: Key = None,
    template: Template = None,
    env_vars: EnvVars = None,
    parameter_overrides: Overrides = None,
    no_watch: NoWatch = False,
    warm_containers: Warm = None,
    debug_port: DebugPort = None,
    debug_args: DebugArguments = None,
    debug_function: DebugFunction = None,
    log_file: LogFile = None,
    region: Region = None,
    profile: Profile = None,
) -> int:
    """Serve the template's REST APIs, HTTP APIs and function URLs. Changed code counts from the next request on.

    Example: penstock local start-api --port 3000
    """
    from app.cli.local_run import Given, Listening, serve_api

    given = Given(
        template, env_vars, parameter_overrides or [], debug_port, debug_args, log_file, region, profile,
        debug_function or "",
    )  # fmt: skip
    listening = Listening(host, port, ssl_cert_file, ssl_key_file, watching=not no_watch, warm=warm_containers or "")
    return serve_api(given, listening, static_dir, authorizers=not disable_authorizer)


@local.command("start-lambda", cls=LocalCommand)
def start_lambda(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="Where to listen; 0 takes a free one.")] = 3001,
    ssl_cert_file: Certificate = None,
    ssl_key_file: Key = None,
    template: Template = None,
    env_vars: EnvVars = None,
    parameter_overrides: Overrides = None,
    no_watch: NoWatch = False,
    warm_containers: Warm = None,
    debug_port: DebugPort = None,
    debug_args: DebugArguments = None,
    debug_function: DebugFunction = None,
    log_file: LogFile = None,
    region: Region = None,
    profile: Profile = None,
) -> int:
    """Serve Lambda's API for the template's functions: an endpoint for AWS SDKs, the AWS CLI and tests.

    Example: penstock local start-lambda, then aws lambda invoke --endpoint-url http://127.0.0.1:3001 …
    """
    from app.cli.local_run import Given, Listening, serve_lambda

    given = Given(
        template, env_vars, parameter_overrides or [], debug_port, debug_args, log_file, region, profile,
        debug_function or "",
    )  # fmt: skip
    listening = Listening(host, port, ssl_cert_file, ssl_key_file, watching=not no_watch, warm=warm_containers or "")
    return serve_lambda(given, listening)


@local.command(
    "generate-event",
    cls=LightCommand,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
def generate_event(
    words: Annotated[list[str] | None, typer.Argument(metavar="SERVICE EVENT [--FIELD VALUE]...")] = None,
) -> int:
    """Print a sample event of a service.

    Example: penstock local generate-event s3 put --bucket photos --key cat.jpg
    """
    from app.cli.local_events import run

    return run(words or [])

"""The options that SAM CLI's local commands have in common, and those of them that mean nothing without containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import local_config, printer
from app.cli.light import LightCommand
from core.errors import InvalidInput

Template = Annotated[
    Path | None,
    typer.Option(
        "--template", "--template-file", "-t",
        help="The SAM template.", show_default=".aws-sam/build/template.yaml, else template.yaml",
    ),
]  # fmt: skip
EnvVars = Annotated[
    Path | None, typer.Option("--env-vars", "-n", help="JSON file with values for variables the template declares.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--parameter-overrides", metavar="KEY=VALUE …", help="Values for the template's Parameters."),
]
DebugPort = Annotated[
    str | None,
    typer.Option("--debug-port", "-d", metavar="PORT", help="Wait for a debugger on this port of the function."),
]
DebugArguments = Annotated[
    str | None, typer.Option("--debug-args", metavar="ARGS", help="Node.js: the debugger's flags, instead of ours.")
]
LogFile = Annotated[
    Path | None, typer.Option("--log-file", "-l", help="Append what functions log to this file, not to stderr.")
]
Region = Annotated[str | None, typer.Option("--region", help="The region functions are in.", show_default="us-east-1")]
Profile = Annotated[
    str | None, typer.Option("--profile", help="Take the region from this profile of the AWS configuration.")
]
Host = Annotated[str, typer.Option("--host", help="The address to listen on; others than this machine's are at risk.")]
Certificate = Annotated[Path | None, typer.Option("--ssl-cert-file", help="Serve HTTPS with this certificate.")]
Key = Annotated[Path | None, typer.Option("--ssl-key-file", help="The certificate's key.")]
NoWatch = Annotated[bool, typer.Option("--no-watch", help="Read code and template once; changes do not count.")]
Warm = Annotated[
    str | None, typer.Option("--warm-containers", metavar="EAGER|LAZY", help="Environments are always kept warm here.")
]
DebugFunction = Annotated[
    str | None, typer.Option("--debug-function", metavar="FUNCTION", help="The one function that --debug-port is for.")
]

# Source: SAM CLI's options for its containers; a number: how many values follow
_WITHOUT_EFFECT: Mapping[str, int] = {
    "--skip-pull-image": 0,
    "--docker-network": 1,
    "--docker-volume-basedir": 1,
    "-v": 1,
    "--container-host": 1,
    "--container-host-interface": 1,
    "--layer-cache-basedir": 1,
    "--force-image-build": 0,
    "--mount-symlinks": 0,
    "--no-mount-symlinks": 0,
    "--shutdown": 0,
    "--no-event": 0,
    "--debug": 0,
    "--beta-features": 0,
    "--no-beta-features": 0,
    "--save-params": 0,
}
_REFUSED: Mapping[str, str] = {
    "--add-host": "there are no containers here to give hosts to",
    "--container-env-vars": "functions are not debugged in a container here; use --env-vars",
    "--debugger-path": "debuggers are not mounted here; debugpy comes along",
    "--invoke-image": "functions run on this machine's interpreters, not in images that stand in for them",
    "-i": "functions run on this machine's interpreters, not in images that stand in for them",
    "--hook-name": "only SAM and CloudFormation templates are read",
    "--no-memory-limit": "a function's memory is what its template says",
}
_SPREADING = "--parameter-overrides"


class LocalCommand(LightCommand):
    """A command that takes SAM CLI's flags for containers, too, and several words after --parameter-overrides."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments that are left over."""
        command = "local_" + str(ctx.info_name).replace("-", "_")
        try:
            kept, defaults = local_config.take(_known(args, ctx), command)
        except InvalidInput as mistake:
            ctx.fail(str(mistake))
        ctx.default_map = defaults
        rest: list[str] = super().parse_args(ctx, _spread(kept))
        return rest


def _known(args: list[str], ctx: Any) -> list[str]:
    """Without the flags that have no effect here; the quiet ones are those whose absence nobody would notice."""
    kept: list[str] = []
    skip = 0
    for argument in args:
        name, equals, _ = argument.partition("=")
        if skip:
            skip -= 1
        elif argument == "--":
            return kept + args[args.index("--") :]
        elif name in _REFUSED:
            ctx.fail(f"{name}: {_REFUSED[name]}")
        elif name in _WITHOUT_EFFECT:
            skip = 0 if equals else _WITHOUT_EFFECT[name]
            if skip or equals:
                printer.note(f"penstock: note: {name} has no effect: functions do not run in containers here")
        else:
            kept.append(argument)
    return kept


def _spread(args: list[str]) -> list[str]:
    """`--parameter-overrides A=1 B=2` as two options of that name."""
    found: list[str] = []
    inside = False
    for argument in args:
        if inside and "=" in argument and not argument.startswith("-"):
            if found[-1] != _SPREADING:
                found.append(_SPREADING)
            found.append(argument)
            continue
        inside = argument == _SPREADING
        found.append(argument)
    return found

"""`penstock`: the table of commands, and the one place where errors become lines and exit codes.

Only the module of the command that is called gets imported, so that a command pays for nothing it does not use.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from typer.main import get_command

from app.cli import printer
from app.cli.light import LightCommand, LightGroup
from app.settings import read
from core.errors import PenstockError

PROGRAM = "penstock"
EPILOG = "Start with `penstock run` beside a pipeline.yaml. PENSTOCK_HOME says where everything is kept (.penstock)."

# command → (module, function, panel)
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "run"),
    "status": ("look", "status"),
    "list": ("look", "list_"),
    "show": ("look", "show"),
    "logs": ("logs", "logs"),
    "why": ("look", "why"),
    "approve": ("change", "approve"),
    "reject": ("change", "reject"),
    "stop": ("change", "stop"),
    "retry": ("change", "retry"),
    "rollback": ("change", "rollback"),
    "plan": ("change", "plan"),
    "validate": ("files", "validate"),
    "schema": ("files", "schema"),
    "invoke": ("servers", "invoke"),
    "up": ("servers", "up"),
    "down": ("servers", "down"),
    "env": ("servers", "env"),
    "cost": ("cost", "cost"),
    "local": ("local", "local"),
    "hooks": ("hooks", "hooks"),
    "version": ("files", "version"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Never raises but SystemExit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    given = ["version"] if given == ["--version"] else given
    printer.print_anything()
    try:
        return _run(given)
    except PenstockError as problem:
        return printer.error(problem)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as problem:  # noqa: BLE001 - the last line of defence: no traceback ever reaches the user
        return printer.crash(problem, _log_directory())


def _run(given: list[str]) -> int:
    names = [given[0]] if given and given[0] in COMMANDS else list(COMMANDS)
    command = get_command(application(names))
    try:
        answer = command.main(args=given, prog_name=PROGRAM, standalone_mode=False)
    except typer.Exit as leave:
        return int(leave.exit_code)
    except typer.Abort:
        return 130
    except Exception as problem:
        if not hasattr(problem, "format_message"):
            raise
        context = getattr(problem, "ctx", None)
        return printer.usage(problem.format_message(), context.command_path if context else PROGRAM)
    return answer if isinstance(answer, int) else 0


def application(names: Sequence[str]) -> typer.Typer:
    """The application with the commands `names`."""
    made = typer.Typer(
        name=PROGRAM,
        cls=LightGroup,
        help="CI/CD pipelines for AWS Lambda: from a git change to a watched, reversible release.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    made.callback()(_top)
    for name in names:
        module, function = COMMANDS[name]
        found = getattr(importlib.import_module(f"app.cli.{module}"), function)
        if isinstance(found, typer.Typer):
            made.add_typer(found, name=name)
        else:
            made.command(name, cls=LightCommand)(found)
    return made


def _top() -> None:
    """Nothing: being there makes every command a sub-command, even a single one."""


def _log_directory() -> Path:
    try:
        return read(os.environ, Path.cwd()).log_directory
    except (PenstockError, OSError):
        return Path.home()


if __name__ == "__main__":
    sys.exit(main())

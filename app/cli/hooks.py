"""`penstock hooks`: git hooks that start the pipeline at every commit or push."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import printer, session
from app.cli.light import LightCommand, LightGroup

Repository = Annotated[
    Path, typer.Argument(metavar="[REPOSITORY]", help="The git repository.", show_default="this directory")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

hooks = typer.Typer(
    cls=LightGroup, help="Git hooks that start the pipeline at every commit or push.", no_args_is_help=True
)


@hooks.command(cls=LightCommand)
def install(repository: Repository = Path(), json: AsJson = False) -> None:
    """Put post-commit and post-receive hooks into a repository; hooks that are there stay.

    Example: penstock hooks install
    """
    from pipelines.triggers import git_hook

    here = session.settings()
    here.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _print(git_hook.install(repository, here.home), as_json=json)


@hooks.command(cls=LightCommand)
def uninstall(repository: Repository = Path(), json: AsJson = False) -> None:
    """Take our hooks out of a repository again.

    Example: penstock hooks uninstall
    """
    from pipelines.triggers import git_hook

    _print(git_hook.uninstall(repository, session.settings().home), as_json=json)


@hooks.command(cls=LightCommand)
def status(repository: Repository = Path(), json: AsJson = False) -> None:
    """Which of our hooks a repository has.

    Example: penstock hooks status
    """
    from pipelines.triggers import git_hook

    _print(git_hook.status(repository, session.settings().home), as_json=json)


def _print(report: Any, *, as_json: bool) -> None:
    if as_json:
        printer.document(
            {
                "repository": str(report.repository),
                "directory": str(report.directory),
                "shared": report.shared,
                "hooks": [
                    {"name": hook.name, "path": str(hook.path), "state": hook.state, "foreign": hook.foreign}
                    for hook in report.hooks
                ],
            }
        )
        return
    printer.line(f"{report.repository}, hooks in {report.directory}" + (" (shared)" if report.shared else ""))
    for hook in report.hooks:
        printer.line(f"  {hook.name:13} {hook.state}" + (", beside another hook" if hook.foreign else ""))

"""Commands about files and about ourselves: validate, schema, version. No server is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli import printer, session
from core.errors import InvalidInput, NotFound, PenstockError


def validate(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Pipeline files.", show_default="pipeline.yaml")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the mistakes as JSON.")] = False,
) -> int:
    """Check pipeline files; every mistake with its place, exit code 2 when there are any.

    Example: penstock validate pipeline.yaml
    """
    from app.wiring import load

    worst = 0
    found: list[dict[str, object]] = []
    for path in files or [session.settings().pipeline_file]:
        try:
            load(_text(path), str(path))
        except PenstockError as problem:
            worst = max(worst, problem.exit_code)
            found += _mistakes(path, problem)
            if not json:
                printer.error(problem)
        else:
            if not json:
                printer.line(f"{path}: ok")
    if json:
        printer.document({"ok": worst == 0, "mistakes": found})
    return worst


def _mistakes(path: Path, problem: PenstockError) -> list[dict[str, object]]:
    if isinstance(problem, InvalidInput) and problem.diagnostics:
        return [
            {
                "file": item.location.file,
                "line": item.location.line,
                "column": item.location.column,
                "severity": item.severity,
                "where": item.where,
                "what": item.what,
                "hint": item.hint,
            }
            for item in problem.diagnostics
        ]
    return [{"file": str(path), "line": None, "column": None, "severity": "error", "what": str(problem)}]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(path)) from None
    except OSError as problem:
        raise InvalidInput("the file cannot be read", where=str(path), why=problem.strerror or "") from None


def schema() -> None:
    """Print the JSON Schema of pipeline.yaml, for editors.

    Example: penstock schema > pipeline.schema.json
    """
    from pipelines.definition import schema as pipeline_schema

    printer.document(pipeline_schema())


def version(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the version.

    Example: penstock version
    """
    from app.version import own_version

    if json:
        printer.document({"version": own_version()})
    else:
        printer.line(f"penstock {own_version()}")

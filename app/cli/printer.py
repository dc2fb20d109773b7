"""The one place that prints: results to stdout, errors and notes to stderr, JSON when asked, never a traceback."""

from __future__ import annotations

import io
import json
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, PenstockError


def print_anything() -> None:
    """From now on a character that the terminal cannot show becomes a question mark, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def line(text: str = "") -> None:
    """One line of result."""
    print(text, flush=True)  # noqa: T201


def lines(texts: Iterable[str]) -> None:
    """Lines of result."""
    for text in texts:
        line(text)


def note(text: str) -> None:
    """One line that is no result: progress of a start, a hint."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def document(value: Any) -> None:
    """A JSON document, indented."""
    line(json.dumps(value, indent=2, ensure_ascii=False))


def json_line(value: Any) -> None:
    """A JSON document on one line."""
    line(json.dumps(value, ensure_ascii=False))


def error(problem: PenstockError) -> int:
    """Print `problem`; the exit code of its class."""
    if isinstance(problem, InvalidInput) and problem.diagnostics:
        for diagnostic in problem.diagnostics:
            note(str(diagnostic))
    else:
        note(f"penstock: error: {problem}")
    return problem.exit_code


def usage(text: str, command: str) -> int:
    """A mistake in the command line itself; 2."""
    note(f"penstock: error: {text}; see `{command} --help`")
    return 2


def crash(problem: BaseException, log_directory: Path) -> int:
    """A mistake of ours: one line, and the traceback in a file; 1."""
    text = "".join(traceback.format_exception(problem))
    name = f"crash-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.log"
    for directory in (log_directory, Path.home()):
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = directory / name
            path.write_text(text, "utf-8")
        except OSError:
            continue
        note(f"penstock: error: unexpected {type(problem).__name__}: {problem}; details are in {path}")
        return 1
    note(f"penstock: error: unexpected {type(problem).__name__}: {problem}")
    return 1

"""Carrying out `penstock local …`: options become what `app.sam_local` takes, its errors exit code 1."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from app.cli import printer
from app.sam_local import project as projects
from app.sam_local.debug import Debugging
from app.sam_local.deploying import Surroundings
from app.sam_local.environment import read_overrides
from app.sam_local.invoke import Invocation, invoke
from app.sam_local.problems import LocalError
from app.sam_local.project import Project
from app.sam_local.regions import region_of
from core.errors import InvalidInput, PenstockError
from sam.local.model import LocalFunction
from sam.local.template import of_function

_A_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Given:
    """The options every local command has."""

    template: Path | None
    env_vars: Path | None
    parameter_overrides: list[str]
    debug_port: str | None
    debug_args: str | None
    log_file: Path | None
    region: str | None
    profile: str | None

    def surroundings(self) -> Surroundings:
        """What functions are told. Raises: LocalError."""
        overrides = read_overrides(_read(self.env_vars), str(self.env_vars)) if self.env_vars else {}
        return Surroundings(overrides, os.environ, self.debugging(), printer.note)

    def debugging(self) -> Debugging | None:
        """Where the debugger is to listen; None for no debugging. Raises: LocalError."""
        text = self.debug_port or os.environ.get("SAM_DEBUG_PORT")
        if not text:
            return None
        if not text.isdecimal() or not 0 < int(text) < 65_536:
            raise LocalError(f"{text!r} is no port", where="--debug-port")
        return Debugging(int(text), arguments=self.debug_args or "")

    def region_name(self) -> str:
        """The region to run in. Raises: LocalError."""
        return region_of(self.region, self.profile, os.environ)

    def runtime_options(self) -> list[str]:
        """Options of the private runtime. Raises: LocalError."""
        options = ["--region", self.region_name()]
        if self.debugging() is not None:
            options += ["--init-seconds", str(_A_DAY_S)]
        return options

    def load(self) -> Project:
        """The template, read now. Raises: LocalError, InvalidInput."""
        parameters = {"AWS::Region": self.region_name(), **projects.overrides(self.parameter_overrides)}
        return projects.load(projects.find(self.template), parameters)

    @contextmanager
    def logs(self) -> Iterator[int]:
        """The descriptor that gets what functions log."""
        if self.log_file is None:
            sys.stderr.flush()
            yield sys.stderr.fileno()
            return
        try:
            with self.log_file.open("ab") as file:
                yield file.fileno()
        except OSError as problem:
            raise LocalError("the log cannot be written", where=str(self.log_file), why=str(problem)) from None


def invoke_once(given: Given, identifier: str | None, event: str | None) -> int:
    """Run `penstock local invoke`; its exit code."""

    def prepare() -> tuple[Project, LocalFunction]:
        project = given.load()
        function = project.function(identifier)
        for warning in of_function(project.template, function.logical_id):
            printer.note(str(warning))
        doing = f"{function.handler} ({function.runtime})" if function.image is None else function.image.uri
        printer.note(f"Invoking {doing}")
        return project, function

    with as_sam_does(), given.logs() as logs:
        wanted = Invocation(prepare, _event(event), given.surroundings(), given.runtime_options())
        printer.line(invoke(wanted, logs).decode("utf-8", "replace"))
    return 0


@contextmanager
def as_sam_does() -> Iterator[None]:
    """Whatever is wrong ends with exit code 1, and a request to end with an orderly end.

    Source: SAM CLI: 1 for every error but one of the command line itself, which is 2.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        yield
    except LocalError:
        raise
    except InvalidInput as mistakes:
        for diagnostic in mistakes.diagnostics:
            printer.note(str(diagnostic))
        what = "the template is not valid" if mistakes.diagnostics else mistakes.what
        raise LocalError(what, where=mistakes.where, why=mistakes.why, hint=mistakes.hint) from None
    except PenstockError as problem:
        raise LocalError(problem.what, where=problem.where, why=problem.why, hint=problem.hint) from None


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _event(event: str | None) -> bytes:
    if event is None:
        return b"{}"
    return sys.stdin.buffer.read() if event == "-" else _read(Path(event)).encode()


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise LocalError("the file cannot be read", where=str(path), why=why) from None

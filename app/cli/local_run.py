"""Carrying out `penstock local …`: options become what `app.sam_local` takes, its errors exit code 1.

The runtime takes longest to start: it is started first, and what reads templates is imported meanwhile.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from app.cli import printer
from app.sam_local.private import PrivateRuntime
from app.sam_local.problems import LocalError
from app.sam_local.regions import region_of
from core.errors import InvalidInput, PenstockError

if TYPE_CHECKING:
    from app.sam_local.debug import Debugging
    from app.sam_local.deploying import Surroundings
    from app.sam_local.project import Project
    from app.sam_local.servers import Wanted

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
    debug_function: str = ""

    def surroundings(self) -> Surroundings:
        """What functions are told. Raises: LocalError."""
        from app.sam_local.deploying import Surroundings
        from app.sam_local.environment import read_overrides

        overrides = read_overrides(read(self.env_vars), str(self.env_vars)) if self.env_vars else {}
        return Surroundings(overrides, os.environ, self._debugging(), printer.note)

    def debugged_port(self) -> int:
        """Where the debugger is to listen; 0 for no debugging. Raises: LocalError."""
        text = self.debug_port or os.environ.get("SAM_DEBUG_PORT") or "0"
        if not text.isdecimal() or int(text) >= 65_536:
            raise LocalError(f"{text!r} is no port", where="--debug-port")
        return int(text)

    def region_name(self) -> str:
        """The region to run in. Raises: LocalError."""
        return region_of(self.region, self.profile, os.environ)

    def runtime_options(self) -> list[str]:
        """Options of the private runtime. Raises: LocalError."""
        options = ["--region", self.region_name()]
        if self.debugged_port():
            options += ["--init-seconds", str(_A_DAY_S), "--no-timeouts"]
        return options

    def load(self) -> Project:
        """The template, read now. Raises: LocalError, InvalidInput."""
        from app.sam_local import project

        parameters = {"AWS::Region": self.region_name(), **project.overrides(self.parameter_overrides)}
        return project.load(project.find(self.template), parameters)

    @contextmanager
    def logs(self) -> Iterator[int]:
        """The descriptor that gets what functions log. Raises: LocalError."""
        if self.log_file is None:
            sys.stderr.flush()
            yield sys.stderr.fileno()
            return
        try:
            descriptor = os.open(self.log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as problem:
            raise LocalError("the log cannot be written", where=str(self.log_file), why=str(problem)) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _debugging(self) -> Debugging | None:
        if not self.debugged_port():
            return None
        from app.sam_local.debug import Debugging

        return Debugging(self.debugged_port(), arguments=self.debug_args or "", function=self.debug_function)


@dataclass(frozen=True, slots=True)
class Listening:
    """How a server listens, and whether it notices changes."""

    host: str
    port: int
    certificate: Path | None
    key: Path | None
    watching: bool
    warm: str

    def wanted(self, given: Given) -> Wanted:
        """What the servers are started with. Raises: LocalError."""
        from app.sam_local.servers import Wanted
        from app.sam_local.serving import Address

        if self.warm.upper() not in ("", "EAGER", "LAZY"):
            raise LocalError(f"{self.warm!r} is neither EAGER nor LAZY", where="--warm-containers")
        if (self.certificate is None) is not (self.key is None):
            raise LocalError("--ssl-cert-file and --ssl-key-file belong together")
        if not self.host.startswith("127.") and self.host not in ("localhost", "::1"):
            printer.note(f"penstock: warning: whoever reaches {self.host} can run these functions")
        address = Address(self.host, self.port, self.certificate, self.key)
        return Wanted(address, given.load, given.surroundings(), printer.note, self.watching)


def invoke_once(given: Given, identifier: str | None, event: str | None) -> int:
    """Run `penstock local invoke`; its exit code."""
    with as_sam_does(), given.logs() as logs, PrivateRuntime(logs, *given.runtime_options(), "--one-shot") as runtime:
        from app.sam_local.once import invoke
        from sam.local.template import of_function

        project = given.load()
        function = project.function(identifier)
        for warning in of_function(project.template, function.logical_id):
            printer.note(str(warning))
        doing = f"{function.handler} ({function.runtime})" if function.image is None else function.image.uri
        printer.note(f"Invoking {doing}")
        payload = invoke(runtime, project, function, _event(event), given.surroundings())
        printer.line(payload.decode("utf-8", "replace"))
    return 0


def serve_api(given: Given, listening: Listening, static: Path, *, authorizers: bool) -> int:
    """Run `penstock local start-api`; its exit code."""
    with as_sam_does(), given.logs() as logs, PrivateRuntime(logs, *given.runtime_options()) as runtime:
        from app.sam_local.servers import start_api

        start_api(listening.wanted(given), runtime, static=static, authorizers=authorizers)
    return 0


def serve_lambda(given: Given, listening: Listening) -> int:
    """Run `penstock local start-lambda`; its exit code."""
    with as_sam_does(), given.logs() as logs, PrivateRuntime(logs, *given.runtime_options()) as runtime:
        from app.sam_local.servers import start_lambda

        start_lambda(listening.wanted(given), runtime)
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


def read(path: Path) -> str:
    """The text of a file the user named. Raises: LocalError."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise LocalError("the file cannot be read", where=str(path), why=why) from None


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _event(event: str | None) -> bytes:
    if event is None:
        return b"{}"
    return sys.stdin.buffer.read() if event == "-" else read(Path(event)).encode()

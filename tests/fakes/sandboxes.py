"""A sandbox in which processes are names: tests say what they ask, write, and how they end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from runtime.http import Handler, Request, Response, Streams
from runtime.isolation.spec import Exit, Isolation, OnExit, OnLine, Paths, ProcessSpec, SandboxSpec

_RUNTIME = "/2018-06-01/runtime/"
_PATHS = Paths("/var/task", "/opt", "/var/runtime", "/tmp", ())
_ISOLATION = Isolation(True, "none", "none", "none")
_EXTENSION = "/2020-01-01/extension/"


@dataclass
class Running:
    """A process."""

    spec: ProcessSpec
    on_line: OnLine
    on_exit: OnExit
    identifier: str = ""
    """An extension's."""


@dataclass
class FakeSandbox:
    """See runtime.isolation.spec.Sandbox."""

    spec: SandboxSpec
    on_request: Handler
    processes: dict[str, Running] = field(default_factory=dict)
    signals: list[tuple[str, int]] = field(default_factory=list)
    kills: int = 0
    is_closed: bool = False
    address: str = "127.0.0.1:9001"
    host: str = "127.0.0.1"
    is_connected: bool = True
    paths: Paths = _PATHS
    isolation: Isolation = _ISOLATION

    def spawn(self, process: ProcessSpec, on_line: OnLine, on_exit: OnExit) -> None:
        assert not self.is_closed
        assert process.name not in self.processes
        self.processes[process.name] = Running(process, on_line, on_exit)

    def signal(self, name: str, number: int) -> None:
        self.signals.append((name, number))

    def drain(self) -> None:
        assert not self.is_closed

    def settled(self) -> None:
        assert not self.is_closed

    def kill(self) -> None:
        self.kills += 1
        self.processes.clear()

    def close(self) -> None:
        self.kill()
        self.is_closed = True

    def memory_peak_mb(self) -> int:
        return 40

    # what tests say -----------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> list[Response]:
        """The answers so far to a request of some process: none while it waits."""
        answers: list[Response] = []
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.on_request(Request(method, path, "", named, body), answers.append)
        return answers

    def runtime_asks(self) -> list[Response]:
        return self.ask("GET", f"{_RUNTIME}invocation/next")

    def runtime_answers(self, request_id: str, payload: bytes = b"{}") -> Response:
        return self.ask("POST", f"{_RUNTIME}invocation/{request_id}/response", payload)[0]

    def runtime_fails_init(self, error_type: str = "Runtime.ImportModuleError") -> Response:
        headers = {"lambda_runtime_function_error_type": error_type}
        return self.ask("POST", f"{_RUNTIME}init/error", b'{"errorType":"x"}', **headers)[0]

    def register(self, name: str, *events: str) -> Response:
        body = json.dumps({"events": events}).encode()
        answer = self.ask("POST", f"{_EXTENSION}register", body, lambda_extension_name=name)[0]
        if name in self.processes and answer.status == 200:
            self.processes[name].identifier = dict(answer.headers)["Lambda-Extension-Identifier"]
        return answer

    def extension_asks(self, name: str) -> list[Response]:
        identifier = self.processes[name].identifier
        return self.ask("GET", f"{_EXTENSION}event/next", lambda_extension_identifier=identifier)

    def end(self, name: str, code: int = 0, **more: Any) -> None:
        """That process ends."""
        self.processes.pop(name).on_exit(Exit(code, **more))


class FakeSandboxes:
    """See runtime.isolation.spec.Sandboxes."""

    def __init__(self) -> None:
        self.made: list[FakeSandbox] = []

    def create(self, spec: SandboxSpec, on_request: Handler, streams: Streams | None = None) -> FakeSandbox:
        sandbox = FakeSandbox(spec, on_request)
        self.made.append(sandbox)
        return sandbox

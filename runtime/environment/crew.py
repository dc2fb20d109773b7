"""The processes of one environment from an init to the next reset: extensions, then the runtime; who waits, who ended.

Source: reference §2 and §3. A crew is used once: after `shut_down` or `abandon` nothing it does counts any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runtime.environment.ending import RUNTIME, Ending
from runtime.environment.extensions.api import PREFIX, ExtensionsApi, invoke_event, refusal
from runtime.environment.extensions.machine import Standing, Step
from runtime.environment.extensions.registry import MAX_EXTENSIONS, EventKind, Extension, Extensions
from runtime.environment.telemetry.api import LOGS_PATH, PATHS, TelemetryApi
from runtime.environment.telemetry.platform_log import PlatformLog
from runtime.http import Reply, Request, Response
from runtime.invoke.invocation import Invocation
from runtime.invoke.results import exit_message, exit_words
from runtime.isolation.spec import Exit, ProcessSpec, Sandbox


@dataclass(frozen=True, slots=True)
class Fault:
    """What broke a crew."""

    error_type: str
    message: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Who belongs to a crew, and how each is started. An obstacle says why one cannot be."""

    runtime: ProcessSpec
    runtime_obstacle: str
    extensions: tuple[tuple[ProcessSpec, str], ...]
    function: Mapping[str, str]
    """functionName, functionVersion, handler: what an extension is told when it registers."""
    account: str


class Side(Protocol):
    """What an environment does when something happens in its crew."""

    def crew_ready(self) -> None:
        """The runtime and every extension wait for the next event."""
        ...

    def crew_initialised(self) -> None:
        """The runtime waits for its first event; extensions may still be starting."""
        ...

    def crew_broke(self, fault: Fault) -> None:
        """A process ended, or could not be started."""
        ...


class Crew:
    """See above. `new_id` gives UUIDs."""

    def __init__(self, cast: Cast, sandbox: Sandbox, side: Side, log: PlatformLog, new_id: Callable[[], str]) -> None:
        self._cast = cast
        self._sandbox = sandbox
        self._side = side
        self._log = log
        self._new_id = new_id
        self._loop = asyncio.get_running_loop()
        self._next: Reply | None = None
        self._initialised = self._settled = False
        self._gone = False
        self._alive: set[str] = set()
        self._ending: Ending | None = None
        names = [spec.name for spec, _ in cast.extensions[:MAX_EXTENSIONS]]
        self.extensions = Extensions(names, new_id)
        self._extensions_api = ExtensionsApi(self.extensions, self, cast.function, cast.account)
        self._telemetry = log.open_telemetry(sandbox.host)
        self._telemetry_api = TelemetryApi(self._telemetry, self._extensions_api.identify, self._subscribed)

    # starting -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start extensions, and the runtime as soon as all of them have registered."""
        if len(self._cast.extensions) > MAX_EXTENSIONS:
            self._break_soon(Fault("Extension.LaunchError", f"Extension limit ({MAX_EXTENSIONS}) reached"))
            return
        for extension, (spec, obstacle) in zip(self.extensions.all, self._cast.extensions, strict=True):
            if obstacle:
                extension.move(Step.LAUNCH_FAILED)
                self._break_soon(Fault("Extension.LaunchError", f"fork/exec {spec.arguments[0]}: {obstacle}"))
                return
            self._spawn(spec, "extension")
        if not self._cast.extensions:
            self._start_runtime()

    def _start_runtime(self) -> None:
        if self._cast.runtime_obstacle:
            self._break_soon(Fault("Runtime.InvalidEntrypoint", self._cast.runtime_obstacle))
        else:
            self._spawn(self._cast.runtime, "function")

    def _spawn(self, spec: ProcessSpec, kind: str) -> None:
        self._alive.add(spec.name)
        self._sandbox.spawn(spec, lambda text: self._wrote(kind, text), lambda ended: self._exited(spec.name, ended))

    def _break_soon(self, fault: Fault) -> None:
        """Not at once: whoever is starting this crew has not finished yet."""
        self._loop.call_soon(self._break, fault)

    def _break(self, fault: Fault) -> None:
        if not self._gone and self._ending is None:
            self._side.crew_broke(fault)

    # the APIs -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer a request of the Extensions, Telemetry or Logs API."""
        path = request.path
        if path.startswith(PREFIX):
            self._extensions_api.handle(request, reply)
        elif path in PATHS or path == LOGS_PATH:
            reply(self._telemetry_api.handle(request))
        else:
            reply(refusal(404, "NotFound", f"{request.method} {path} is not part of the APIs of an environment"))

    def asked_for_next(self, reply: Reply) -> bool:
        """Whether the runtime may wait; a second request while the first waits is refused."""
        if self._next is not None or self._gone or self._ending is not None:
            return False
        self._next = reply
        if not self._initialised:
            self._initialised = True
            self.extensions.close_registration()
            self._side.crew_initialised()
        if self.is_ready:
            self._ready()
        return True

    @property
    def is_ready(self) -> bool:
        """Whether the runtime and every extension wait."""
        return self._next is not None and (not self.extensions or self.extensions.are_ready())

    def _ready(self) -> None:
        if not self._settled:
            self._settled = True
            self._telemetry.close_subscription()
            if not self.extensions:
                self._log.telemetry = None
        self._side.crew_ready()

    def give(self, event: Response, invocation: Invocation, deadline_ms: int) -> None:
        """Hand an invocation to the runtime, and tell the extensions that asked for it."""
        for extension in self.extensions.waiting_for(EventKind.INVOKE) if self.extensions else ():
            told = invoke_event(deadline_ms, invocation.request_id, invocation.arn, invocation.trace_id)
            self._extensions_api.send(extension, told, self._new_id())
        reply, self._next = self._next, None
        assert reply is not None
        reply(event)

    def extension_registered(self, extension: Extension) -> None:
        """See extensions.api.Side."""
        if not extension.internal and self.extensions.are_registered() and RUNTIME not in self._alive:
            self._start_runtime()

    def extension_ready(self, extension: Extension) -> None:
        """See extensions.api.Side."""
        if self._ending is not None:
            self._ending.tell(extension)
        elif self.is_ready:
            self._ready()

    def extension_failed(self, extension: Extension) -> None:
        """See extensions.api.Side: nothing happens until it ends."""

    def _subscribed(self, extension: Extension, types: tuple[str, ...]) -> None:
        self._log.subscribed(extension.name, types)

    def _wrote(self, kind: str, text: str) -> None:
        if not self._gone:
            self._log.wrote(kind, text)

    # ends ---------------------------------------------------------------------------------------------------------

    def _exited(self, name: str, ended: Exit) -> None:
        if self._gone:
            return
        self._alive.discard(name)
        if name == RUNTIME:
            self._next = None
            fault = _runtime_fault(ended)
        else:
            fault = self._extension_fault(name, ended)
        if self._ending is not None:
            self._ending.exited(name)
        else:
            self._side.crew_broke(fault)

    def _extension_fault(self, name: str, ended: Exit) -> Fault:
        extension = self.extensions.named(name)
        assert extension is not None
        if ended.error and extension.standing is Standing.STARTED:
            extension.move(Step.LAUNCH_FAILED)
            return Fault("Extension.LaunchError", ended.error)
        extension.move(Step.EXIT)
        kinds = {Standing.INIT_ERROR: "Extension.InitError", Standing.EXIT_ERROR: "Extension.ExitError"}
        return Fault(kinds.get(extension.standing, "Extension.Crash"), exit_words(ended.code))

    def report_extensions(self) -> None:
        """Log how each extension came through init."""
        for each in self.extensions.all:
            self._log.extension(each.name, each.standing.value, [str(event) for event in each.events], each.error_type)

    def abandon(self) -> None:
        """End every process at once."""
        if self._ending is not None:
            self._ending.cancel()
        self._sandbox.kill()
        self._gone = True
        self._telemetry.close()
        self._log.telemetry = None

    def shut_down(self, reason: str, now_ms: float, done: Callable[[], None]) -> None:
        """The Shutdown phase; `done` follows when every process has ended: at once when there are no extensions.

        `reason` is spindown, timeout or failure; `now_ms` the time (epoch).
        """
        if not self.extensions or not self._alive:
            self.abandon()
            done()
            return

        def finished() -> None:
            self.abandon()
            done()

        external = [each for each in self.extensions.external if each.name in self._alive]
        self._flushing = self._loop.create_task(self._telemetry.flush())
        self._ending = Ending(self, external, reason, now_ms, finished)
        self._ending.begin()

    # what Ending needs --------------------------------------------------------------------------------------------

    def is_alive(self, name: str) -> bool:
        """Whether that process has not ended yet."""
        return name in self._alive

    def signal(self, name: str, number: int) -> None:
        """Send a signal to that process."""
        self._sandbox.signal(name, number)

    def tell(self, extension: Extension, event: Mapping[str, Any]) -> None:
        """Give `event` to an extension that waits."""
        self._extensions_api.send(extension, event, self._new_id())


def _runtime_fault(ended: Exit) -> Fault:
    if ended.error:
        return Fault("Runtime.InvalidEntrypoint", ended.error)
    if ended.out_of_memory:
        return Fault("Runtime.OutOfMemory", exit_message(ended.code))
    return Fault("Runtime.ExitError", exit_message(ended.code))

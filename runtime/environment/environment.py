"""One execution environment: it initialises, takes one invocation at a time, and is reset when one breaks it."""

from __future__ import annotations

import asyncio
import json
import platform
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from core.clock import Clock
from core.ids import Ids
from runtime.catalog.records import FunctionVersion
from runtime.control.settings import runtime_version_arn, without_effect
from runtime.environment.lifecycle import LIFE, Happening, Phase
from runtime.environment.runtime_api import RuntimeApi
from runtime.environment.variables import Place, module_path, variables
from runtime.http import Reply
from runtime.invoke import results
from runtime.invoke.invocation import Invocation
from runtime.invoke.results import Result
from runtime.isolation.spec import Exit, ProcessSpec, Sandboxes, SandboxSpec
from runtime.logs import Logs
from runtime.names import Scope

_TAIL_BYTES = 4096
_PYTHON = ".".join(platform.python_version_tuple()[:2])


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every environment of a server is made with."""

    sandboxes: Sandboxes
    logs: Logs
    clock: Clock
    ids: Ids
    scope: Scope
    endpoint_url: str
    init_timeout_s: float = 10.0


class Environment:
    """`available(environment)` is called whenever an invocation may be given to it."""

    def __init__(
        self, version: FunctionVersion, code: Path, workshop: Workshop, available: Callable[[Environment], None]
    ) -> None:
        self._version = version
        self._workshop = workshop
        self._available = available
        self._loop = asyncio.get_running_loop()
        self._timeout_s: int = version.settings["Timeout"]
        self._memory_mb: int = version.settings["MemorySize"]
        self._invocation: Invocation | None = None
        self._next: Reply | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._launched_at = self._began_at = 0.0
        self._deadline_ms = 0
        self._init_ms: float | None = None
        self._init_error: tuple[str, bytes] | None = None
        self._retiring = False
        self.phase = Phase.INIT
        self.idle_since = self._loop.time()
        identity = workshop.ids.uuid().replace("-", "")
        group = f"/aws/lambda/{version.name}"
        stream = f"{workshop.clock.now():%Y/%m/%d}/[{version.version}]{identity}"
        self._stream = workshop.logs.stream(group, stream)
        spec = SandboxSpec(
            owner=workshop.scope.arn(version.name, version.version),
            task_root=code,
            layers=(),
            memory_mb=self._memory_mb,
            temporary_mb=version.settings.get("EphemeralStorage", {}).get("Size", 512),
        )
        self._sandbox = workshop.sandboxes.create(spec, RuntimeApi(self).handle)
        place = Place(
            region=workshop.scope.region,
            endpoint_url=workshop.endpoint_url,
            runtime_api=self._sandbox.address,
            task_root=self._sandbox.paths.task_root,
            runtime_directory=self._sandbox.paths.runtime_directory,
            temporary=self._sandbox.paths.temporary,
            log_group=group,
            log_stream=stream,
        )
        own = version.settings.get("Environment", {}).get("Variables", {})
        self._process = ProcessSpec(
            name="runtime",
            arguments=(),
            environment=variables(version, place),
            directory=self._sandbox.paths.task_root,
            module_path=tuple(module_path(own, place)),
        )

    # its life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin the Init phase."""
        runtime = self._version.settings["Runtime"]
        arn = runtime_version_arn(runtime, self._workshop.scope)
        self._log(results.init_start(f"python:{platform.python_version()}", arn))
        if runtime != f"python{_PYTHON}":
            self._log(f"[WARN] {runtime} was asked for; this machine runs it on python{platform.python_version()}")
        for name in without_effect(self._version.settings):
            self._log(f"[WARN] {name} is recorded but has no effect in this local runtime")
        self._launch()
        self._timer = self._loop.call_later(self._workshop.init_timeout_s, self._init_timed_out)

    def assign(self, invocation: Invocation) -> None:
        """Run `invocation` here; only while the environment is available."""
        self._move(Happening.ASSIGNED)
        self._invocation = invocation
        if self.phase is Phase.BUSY:
            self._begin()
            self._send()
        elif self.phase is Phase.RESTARTING:
            self._begin()
            self._launch()
        else:
            self._timer = self._loop.call_later(self._workshop.init_timeout_s, self._never_asked)

    def retire(self) -> None:
        """End it: at once, or after the invocation it is running."""
        self._retiring = True
        if self._invocation is None and self.phase is not Phase.RETIRED:
            self._move(Happening.RETIRED)
            self._cancel_timer()
            self._sandbox.close()

    def stop(self) -> None:
        """End it whatever it is doing; an invocation that runs is not answered."""
        self._invocation = None
        self.retire()

    def _move(self, happening: Happening) -> None:
        self.phase = LIFE.next(self.phase, happening)

    def _launch(self) -> None:
        self._init_error = None
        self._launched_at = self._loop.time()
        self._sandbox.spawn(self._process, self._log, self._exited)

    # the Runtime API's side -------------------------------------------------------------------------------------

    def asked_for_next(self, reply: Reply) -> bool:
        """Whether the runtime may ask now; if so, `reply` is called when there is an event."""
        if (self.phase, Happening.READY) not in LIFE.table:
            return False
        before = self.phase
        self._next = reply
        self._move(Happening.READY)
        if before is Phase.INIT:
            self._cancel_timer()
            self._init_ms = (self._loop.time() - self._launched_at) * 1000
            self._available(self)
        elif before is Phase.PROMISED:
            self._cancel_timer()
            self._begin()
            self._send()
        elif before is Phase.RESTARTING:
            self._send()
        return True

    def running(self) -> str | None:
        """The request id of the invocation whose result is awaited."""
        if self._invocation is not None and self.phase is Phase.BUSY:
            return self._invocation.request_id
        return None

    def answered(self, payload: bytes, error_type: str) -> bool:
        """Whether the result was taken; False when it is too large. `error_type` is empty for a success."""
        fits = len(payload) <= results.MAX_PAYLOAD_BYTES
        self._sandbox.drain()
        self._move(Happening.ANSWERED)
        self._finish(Result(payload, error_type) if fits else results.too_large(len(payload)))
        return fits

    def init_failed(self, error_type: str, payload: bytes) -> bool:
        """Whether an init is under way that can fail; the process is expected to exit by itself."""
        if self.phase not in {Phase.INIT, Phase.RESTARTING}:
            return False
        self._init_error = (error_type, payload)
        return True

    # invocations ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        invocation = self._invocation
        assert invocation is not None
        self._began_at = self._loop.time()
        self._deadline_ms = int((self._workshop.clock.now().timestamp() + self._timeout_s) * 1000)
        self._timer = self._loop.call_later(self._timeout_s, self._timed_out)
        self._log(f"START RequestId: {invocation.request_id} Version: {self._version.version}")

    def _send(self) -> None:
        assert self._invocation is not None
        assert self._next is not None
        reply, self._next = self._next, None
        reply(RuntimeApi.event(self._invocation, self._deadline_ms))

    def _finish(self, result: Result) -> None:
        """Log the end, make the environment available, then answer: in this order, so that a caller who asks again
        at once finds it."""
        invocation, self._invocation = self._invocation, None
        assert invocation is not None
        self._cancel_timer()
        now = self._loop.time()
        self.idle_since = now
        request_id, init_ms = invocation.request_id, self._init_ms
        self._init_ms = None
        used_mb = self._sandbox.memory_peak_mb()
        result = replace(result, duration_ms=(now - self._began_at) * 1000, init_ms=init_ms, used_mb=used_mb)
        for line in (
            f"END RequestId: {request_id}",
            results.report(request_id, result, self._memory_mb, used_mb, init_ms),
        ):
            self._log(line, invocation)
        if invocation.wants_log:
            result = replace(result, log_tail="\n".join([*invocation.log, ""]).encode()[-_TAIL_BYTES:])
        if self._retiring:
            self.retire()
        else:
            self._available(self)
        invocation.done(result)

    def _timed_out(self) -> None:
        invocation = self._invocation
        assert invocation is not None
        self._timer = None
        self._sandbox.kill()
        at = self._workshop.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        self._log(f"{at} {invocation.request_id} {results.timeout_message(self._timeout_s)}")
        self._move(Happening.LOST)
        self._finish(results.timed_out(invocation.request_id, self._timeout_s))

    # the process ------------------------------------------------------------------------------------------------

    def _exited(self, ended: Exit) -> None:
        before = self.phase
        self._next = None
        self._move(Happening.LOST)
        if before is Phase.INIT:
            self._init_lost("error", self._init_error[0] if self._init_error is not None else "Runtime.ExitError")
        elif before is Phase.PROMISED:
            self._cancel_timer()
            self._begin()
            self._launch()
        elif before in {Phase.BUSY, Phase.RESTARTING}:
            assert self._invocation is not None
            self._finish(self._broken(self._invocation.request_id, ended.code, before))

    def _broken(self, request_id: str, code: int, before: Phase) -> Result:
        """What the invocation came to whose process ended with `code`."""
        if self._init_error is not None and before is Phase.RESTARTING:
            error_type, payload = self._init_error
            passed_ms = (self._loop.time() - self._launched_at) * 1000
            self._log(results.init_report(passed_ms, "invoke", "error", error_type))
            return Result(payload, error_type, "error")
        result = results.exited(request_id, code)
        self._log(json.loads(result.payload)["errorMessage"])
        self._log(result.error_type)
        return result

    def _never_asked(self) -> None:
        """The runtime answered, and then hung instead of asking for the invocation that waits."""
        self._sandbox.kill()
        self._exited(Exit(-signal.SIGKILL))

    def _init_timed_out(self) -> None:
        self._timer = None
        self._sandbox.kill()
        self._move(Happening.LOST)
        self._init_lost("timeout", "")

    def _init_lost(self, status: str, error_type: str) -> None:
        """Init failed outside an invocation: it is tried again inside the next one."""
        self._cancel_timer()
        self._log(results.init_report((self._loop.time() - self._launched_at) * 1000, "init", status, error_type))
        self._available(self)

    # parts ------------------------------------------------------------------------------------------------------

    def _log(self, text: str, invocation: Invocation | None = None) -> None:
        self._stream.write(self._workshop.clock.now().timestamp(), text)
        invocation = invocation or self._invocation
        if invocation is not None and invocation.wants_log:
            invocation.log.append(text)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

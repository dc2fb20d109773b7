"""One execution environment: it initialises, takes one invocation at a time, and is reset when one breaks it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable

from runtime.catalog.records import FunctionVersion
from runtime.environment.assembly import Package, Workshop, assemble, limits
from runtime.environment.crew import Crew, Fault
from runtime.environment.initialising import Init
from runtime.environment.lifecycle import AVAILABLE, LIFE, Happening, Phase
from runtime.environment.runtime_api import ACCEPTED, PREFIX, RuntimeApi, wants_stream
from runtime.environment.streaming import relay
from runtime.environment.telemetry.platform_log import PlatformLog
from runtime.environment.turn import Turn
from runtime.environment.variables import ON_DEMAND, PROVISIONED
from runtime.http import Reply, Request
from runtime.invoke import results
from runtime.invoke.invocation import Invocation
from runtime.invoke.results import Result


class Environment:
    """`available(environment)` is called whenever an invocation may be given to it."""

    def __init__(
        self,
        version: FunctionVersion,
        package: Package,
        workshop: Workshop,
        available: Callable[[Environment], None],
        *,
        provisioned: bool = False,
    ) -> None:
        self._clock = workshop.clock
        self._new_id = workshop.ids.uuid
        self._available = available
        self._loop = asyncio.get_running_loop()
        self._limits = limits(version, workshop, provisioned=provisioned)
        self._invocation: Invocation | None = None
        self._turn: Turn | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pouring: asyncio.Task[None] | None = None
        self._init_ms: float | None = None
        self._retiring = False
        self.provisioned = provisioned
        self.was_ready = False
        """Whether an init of it ever succeeded."""
        self.has_served = False
        """Whether it has run an invocation."""
        self.phase = Phase.INIT
        self.idle_since = self._loop.time()
        initialization = PROVISIONED if provisioned else ON_DEMAND
        self._runtime_api = RuntimeApi(self)
        self._parts = assemble(version, package, workshop, initialization, self._handle, wants_stream)
        self._sandbox = self._parts.sandbox
        self._log = PlatformLog(
            self._write, workshop.clock.now, self._parts.system_level, version.name, version.version
        )
        self._init = Init(self._parts, self._log, initialization, self._limits.memory_mb)
        self._crew: Crew | None = None

    # its life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin the Init phase."""
        self._launch()
        for warning in self._parts.warnings:
            self._log.warn(warning)
        self._timer = self._loop.call_later(self._limits.init_s, self._init_lost, "timeout", "")

    def assign(self, invocation: Invocation) -> None:
        """Run `invocation` here; only while the environment is available."""
        if self.phase is Phase.IDLE and not self._sandbox.is_connected:
            self._lost_unseen()
        self._move(Happening.ASSIGNED)
        self._invocation = invocation
        if self.phase is Phase.BUSY:
            self._begin()
            self._send()
        elif self.phase is Phase.RESTARTING:
            self._begin()
            self._launch()
        else:
            self._timer = self._loop.call_later(self._limits.init_s, self._never_asked)

    def _lost_unseen(self) -> None:
        """The runtime does not wait any more, so it has ended or is about to, although nobody has told yet."""
        assert self._crew is not None
        self._crew.abandon()
        self._crew = None
        self._move(Happening.LOST)

    def retire(self) -> None:
        """End it: at once, or after the invocation it is running; with extensions that takes up to two seconds."""
        self._retiring = True
        if self._invocation is not None or self.phase in {Phase.RETIRED, Phase.SHUTDOWN}:
            return
        self._cancel_timer()
        if self.phase is Phase.IDLE:
            self._shut_down("spindown")
        else:
            self._gone()

    def stop(self) -> None:
        """End it whatever it is doing; an invocation that runs is not answered."""
        self._invocation = None
        if self.phase is not Phase.RETIRED:
            self._gone()

    @property
    def has_extensions(self) -> bool:
        """Whether its end takes time."""
        return self._crew is not None and bool(self._crew.extensions)

    def _gone(self) -> None:
        self._move(Happening.RETIRED)
        self._cancel_timer()
        self._cancel_stream()
        if self._crew is not None:
            self._crew.abandon()
        self._sandbox.close()

    def _move(self, happening: Happening) -> None:
        self.phase = LIFE.next(self.phase, happening)

    def _launch(self) -> None:
        self._crew = Crew(self._parts.cast, self._sandbox, self, self._log, self._new_id)
        self._init.begin("init" if self.phase is Phase.INIT else "invoke")
        self._crew.start()

    def _shut_down(self, reason: str) -> None:
        """Reset it, or retire it when that was asked for: without extensions at once."""
        assert self._crew is not None
        self._cancel_stream()
        self._move(Happening.ENDING)
        self._crew.shut_down(reason, self._clock.now().timestamp() * 1000, self._ended)

    def _ended(self) -> None:
        """The Shutdown phase is over. While an invocation is still bound, whoever broke it off goes on from here."""
        self._crew = None
        if self.phase is not Phase.SHUTDOWN:
            return
        self._move(Happening.LOST)
        if self._invocation is not None:
            return
        if self._retiring:
            self._gone()
        else:
            self._available(self)

    # requests ---------------------------------------------------------------------------------------------------

    def _handle(self, request: Request, reply: Reply) -> None:
        if request.path.startswith(PREFIX):
            self._runtime_api.handle(request, reply)
        elif self._crew is not None:
            self._crew.handle(request, reply)

    def asked_for_next(self, reply: Reply) -> bool:
        """Whether the runtime may ask now; if so, `reply` is called when there is an event."""
        possible = (self.phase, Happening.READY) in LIFE.table
        return possible and self._crew is not None and self._crew.asked_for_next(reply)

    def running(self) -> str | None:
        """The request id of the invocation whose result is awaited."""
        if self._invocation is not None and self.phase is Phase.BUSY and self._pouring is None:
            return self._invocation.request_id
        return None

    def answered(self, payload: bytes, error_type: str) -> None:
        """The result, which may be too large, is there. `error_type` is empty for a success."""
        fits = len(payload) <= results.MAX_RESPONSE_BYTES
        self._runtime_answered(Result(payload, error_type) if fits else results.too_large(len(payload)))

    def streams(self, request: Request, reply: Reply) -> None:
        """The result comes piece by piece."""
        assert self._invocation is not None
        self._pouring = self._loop.create_task(self._pour(self._invocation, request, reply))

    def init_failed(self, error_type: str, payload: bytes) -> bool:
        """Whether an init is under way that can fail; the process is expected to exit by itself."""
        if self.phase not in {Phase.INIT, Phase.RESTARTING}:
            return False
        self._init.error = (error_type, payload)
        return True

    # the crew ---------------------------------------------------------------------------------------------------

    def crew_initialised(self) -> None:
        """See crew.Side."""
        self._init.runtime_ready()

    def crew_ready(self) -> None:
        """See crew.Side."""
        before = self.phase
        self._move(Happening.READY)
        if before is Phase.ANSWERED:
            return
        if before is Phase.FINISHING:
            assert self._turn is not None
            assert self._turn.result is not None
            self._finish(self._turn.result)
            return
        if before is not Phase.PROMISED:
            self._initialised()
        if before is Phase.INIT:
            self._cancel_timer()
            self._available(self)
            return
        if before is Phase.PROMISED:
            self._cancel_timer()
            self._begin()
        self._send()

    def _initialised(self) -> None:
        assert self._crew is not None
        self.was_ready = True
        self._sandbox.settled()
        self._init_ms = self._init.succeeded(self._crew)

    def crew_broke(self, fault: Fault) -> None:
        """See crew.Side."""
        before, invocation = self.phase, self._invocation
        if before is Phase.INIT:
            self._init_lost("error", fault.error_type)
        elif before is Phase.PROMISED:
            self._cancel_timer()
            self._move(Happening.LOST)
            self._begin()
            self._launch()
        elif invocation is None:
            self._shut_down("failure")
        else:
            result = self._broken(invocation.request_id, fault)
            self._break_off(result, "failure")

    def _broken(self, request_id: str, fault: Fault) -> Result:
        """What the invocation came to that `fault` broke."""
        if self.phase is Phase.RESTARTING:
            assert self._crew is not None
            error_type = self._init.failed(self._crew, "error", fault.error_type)
            if self._init.error is not None:
                return Result(self._init.error[1], error_type, "error")
        result = results.broken(request_id, fault.error_type, fault.message)
        self._write(json.loads(result.payload)["errorMessage"])
        self._write(result.error_type)
        return result

    def _init_lost(self, status: str, error_type: str) -> None:
        """Init failed outside an invocation: it is tried again inside the next one."""
        assert self._crew is not None
        self._cancel_timer()
        self._init.failed(self._crew, status, error_type)
        self._shut_down("timeout" if status == "timeout" else "failure")

    def _never_asked(self) -> None:
        """The runtime answered, and then hung instead of asking for the invocation that waits."""
        assert self._crew is not None
        self._crew.abandon()
        self.crew_broke(Fault("Runtime.ExitError", results.exit_message(-signal.SIGKILL)))

    # invocations ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        assert self._invocation is not None
        self._timer = self._loop.call_later(self._limits.timeout_s, self._timed_out)
        self._turn = Turn(self._invocation, self._limits.timeout_s, self._clock, self._log)

    def _send(self) -> None:
        assert self._turn is not None
        assert self._crew is not None
        deadline_ms = self._turn.deadline_ms
        self._crew.give(RuntimeApi.event(self._turn.invocation, deadline_ms), self._turn.invocation, deadline_ms)

    async def _pour(self, invocation: Invocation, request: Request, reply: Reply) -> None:
        """Hand on a streamed result as it comes."""
        result = await relay(request, invocation)
        self._pouring = None
        if self._invocation is invocation and self.phase is Phase.BUSY:
            self._runtime_answered(result)
            reply(ACCEPTED)

    def _runtime_answered(self, result: Result) -> None:
        """The runtime is done with the invocation; extensions may not be."""
        turn, crew = self._turn, self._crew
        assert turn is not None
        assert crew is not None
        self._sandbox.drain()
        turn.runtime_done(result)
        if crew.extensions:
            self._move(Happening.ANSWERED_FIRST)
            turn.answered_first(result)
        else:
            self._move(Happening.ANSWERED)
            self._finish(result)

    def _break_off(self, result: Result, reason: str) -> None:
        """End the invocation with `result`, and reset the environment."""
        assert self._turn is not None
        if self.phase is not Phase.FINISHING:
            self._turn.runtime_done(result)
        self._shut_down(reason)
        self._finish(result)

    def _finish(self, result: Result) -> None:
        """Log the end, make the environment available, then answer: in this order, so that a caller who asks again
        at once finds it."""
        turn, self._turn = self._turn, None
        assert turn is not None
        self._cancel_timer()
        self.idle_since = self._loop.time()
        result = turn.finish(
            result,
            init_ms=self._init_ms,
            used_mb=self._sandbox.memory_peak_mb(),
            provisioned=self.provisioned,
            memory_mb=self._limits.memory_mb,
        )
        self._init_ms = None
        self._invocation = None
        self.has_served = True
        if self._retiring:
            self.retire()
        elif self.phase in AVAILABLE:
            self._available(self)
        turn.invocation.done(result)

    def _timed_out(self) -> None:
        assert self._turn is not None
        request_id = self._turn.invocation.request_id
        self._sandbox.drain()
        at = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        self._write(f"{at} {request_id} {results.timeout_message(self._limits.timeout_s)}")
        self._break_off(results.timed_out(request_id, self._limits.timeout_s), "timeout")

    # parts ------------------------------------------------------------------------------------------------------

    def _write(self, text: str) -> None:
        self._parts.stream.write(self._clock.now().timestamp(), text)
        invocation = self._invocation
        if invocation is not None and invocation.wants_log:
            invocation.log.append(text)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel_stream(self) -> None:
        if self._pouring is not None:
            self._pouring.cancel()
            self._pouring = None

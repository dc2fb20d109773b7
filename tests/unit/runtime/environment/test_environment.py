"""The life of an environment with processes that are declared: time passes only when told to."""

from __future__ import annotations

import json
import signal
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.clock import VirtualClock
from core.ids import RandomIds
from runtime.environment.assembly import Package, Workshop
from runtime.environment.environment import Environment
from runtime.environment.lifecycle import AVAILABLE, LIFE, Happening, Phase
from runtime.environment.runtimes.facts import Machine
from runtime.http import Response
from runtime.invoke.invocation import Invocation
from runtime.invoke.results import Result
from runtime.logs import Logs
from runtime.names import Scope
from runtime.policy.sessions import Credentials
from tests.fakes.sandboxes import FakeSandbox, FakeSandboxes
from tests.fakes.virtual_loop import VirtualLoop
from tests.unit.runtime.records import version


class Kept:
    """Logs that are kept in memory."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stream(self, _group: str, _name: str) -> Kept:
        return self

    def write(self, _at: float, text: str) -> None:
        self.lines.append(text)


class World:
    """An environment with `extensions`, and everything that was heard of it."""

    def __init__(self, root: Path, *extensions: str, provisioned: bool = False, **more: Any) -> None:
        self.loop = VirtualLoop()
        self.log = Kept()
        self.sandboxes = FakeSandboxes()
        self.available: list[Phase] = []
        self.answers: list[tuple[str, Result]] = []
        self.done: dict[str, Result] = {}
        layer = root / "layer"
        for name in extensions:
            path = layer / "extensions" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)
        workshop = Workshop(
            sandboxes=self.sandboxes,
            containers=cast(Any, None),
            logs=cast(Logs, self.log),
            clock=VirtualClock(datetime(2026, 11, 23, tzinfo=UTC)),
            ids=RandomIds(),
            scope=Scope("123456789012", "us-east-1"),
            endpoint_url="http://127.0.0.1:1",
            machine=Machine("3.11.7"),
            credentials=lambda _: Credentials("key", "secret"),
            role_warning=lambda _: "",
        )

        async def make() -> Environment:
            package = Package(root, (layer,) if extensions else ())
            made = Environment(
                version(**more),
                package,
                workshop,
                lambda each: self.available.append(each.phase),
                provisioned=provisioned,
            )
            made.start()
            return made

        self.environment = self.loop.run_until_complete(make())
        self.sandbox: FakeSandbox = self.sandboxes.made[0]

    def run(self, call: Any) -> Any:
        """Do `call` inside the loop, and let everything settle."""

        async def inside() -> Any:
            return call()

        result = self.loop.run_until_complete(inside())
        self.loop.settle()
        return result

    def assign(self, request_id: str, *, wants_log: bool = False) -> None:
        invocation = Invocation(
            request_id, "arn:x", b"{}", lambda result: self._finished(request_id, result), wants_log=wants_log
        )
        invocation.answer = lambda result: self.answers.append((request_id, result))
        self.run(lambda: self.environment.assign(invocation))

    def _finished(self, request_id: str, result: Result) -> None:
        assert request_id not in self.done
        self.done[request_id] = result

    def ready(self) -> list[Response]:
        """Init without extensions: the runtime asks."""
        answers: list[Response] = self.run(self.sandbox.runtime_asks)
        return answers

    @property
    def phase(self) -> Phase:
        return self.environment.phase

    def is_in(self, phase: Phase) -> bool:
        return self.environment.phase is phase


def test_an_invocation_s_life_from_init_to_report(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert list(world.sandbox.processes) == ["runtime"]
    waiting = world.ready()
    assert world.available == [Phase.IDLE]
    world.assign("r1")
    assert dict(waiting[0].headers)["Lambda-Runtime-Aws-Request-Id"] == "r1"
    world.loop.pass_time(0.25)
    assert world.run(lambda: world.sandbox.runtime_answers("r1", b'"x"')).status == 202
    assert world.done["r1"].payload == b'"x"'
    assert world.done["r1"].duration_ms == pytest.approx(250)
    assert world.is_in(Phase.ANSWERED)
    world.ready()
    assert world.is_in(Phase.IDLE)
    assert [line.split(" ")[0].split("\t")[0] for line in world.log.lines] == ["INIT_START", "START", "END", "REPORT"]


def test_the_timeout_is_kept_to_the_millisecond(tmp_path: Path) -> None:
    world = World(tmp_path, Timeout=3)
    world.ready()
    world.assign("r1")
    world.loop.pass_time(2.999)
    assert world.done == {}
    world.loop.pass_time(0.001)
    assert world.done["r1"].error_type == "Sandbox.Timedout"
    assert world.done["r1"].duration_ms == pytest.approx(3000)
    assert world.is_in(Phase.RESET)
    assert not world.sandbox.is_closed
    assert world.sandbox.processes == {}


def test_init_may_take_ten_seconds_and_is_then_repeated_under_the_function_s_timeout(tmp_path: Path) -> None:
    world = World(tmp_path, Timeout=3)
    world.loop.pass_time(9.999)
    assert world.is_in(Phase.INIT)
    world.loop.pass_time(0.001)
    assert world.is_in(Phase.RESET)
    assert world.available == [Phase.RESET]
    assert world.log.lines[-1] == "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"
    world.assign("r1")
    world.loop.pass_time(3)
    assert world.done["r1"].error_type == "Sandbox.Timedout"


@pytest.mark.parametrize(("timeout_s", "limit_s"), [(3, 130), (900, 900)])
def test_provisioned_environments_have_more_time_for_their_init(tmp_path: Path, timeout_s: int, limit_s: int) -> None:
    world = World(tmp_path, provisioned=True, Timeout=timeout_s)
    world.loop.pass_time(limit_s - 0.001)
    assert world.is_in(Phase.INIT)
    environment = world.sandbox.processes["runtime"].spec.environment
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"
    world.loop.pass_time(0.001)
    assert world.is_in(Phase.RESET)


def test_the_init_of_a_provisioned_environment_is_nobody_s_to_pay(tmp_path: Path) -> None:
    for provisioned in (False, True):
        world = World(tmp_path, provisioned=provisioned)
        world.loop.pass_time(0.5)
        world.ready()
        world.assign("r1")
        world.run(lambda world=world: world.sandbox.runtime_answers("r1"))
        assert world.done["r1"].provisioned is provisioned
        assert world.done["r1"].init_ms == (None if provisioned else pytest.approx(500))


def test_the_runtime_is_started_when_every_extension_has_registered(tmp_path: Path) -> None:
    world = World(tmp_path, "a", "b")
    assert list(world.sandbox.processes) == ["a", "b"]
    world.run(lambda: world.sandbox.register("a", "INVOKE"))
    assert "runtime" not in world.sandbox.processes
    world.run(lambda: world.sandbox.register("b"))
    assert "runtime" in world.sandbox.processes
    world.ready()
    assert world.is_in(Phase.INIT)
    world.run(lambda: world.sandbox.extension_asks("a"))
    assert world.is_in(Phase.INIT)
    world.run(lambda: world.sandbox.extension_asks("b"))
    assert world.is_in(Phase.IDLE)


def with_extension(root: Path, *events: str, **more: Any) -> World:
    """An idle environment with the extension `a`."""
    world = World(root, "a", **more)
    world.run(lambda: world.sandbox.register("a", *events))
    world.run(lambda: world.sandbox.extension_asks("a"))
    world.ready()
    assert world.is_in(Phase.IDLE)
    return world


def test_an_invocation_is_over_when_the_runtime_and_the_extensions_ask_again(tmp_path: Path) -> None:
    world = with_extension(tmp_path, "INVOKE")
    world.assign("r1")
    world.loop.pass_time(0.1)
    world.run(lambda: world.sandbox.runtime_answers("r1", b"1"))
    assert [(name, result.payload) for name, result in world.answers] == [("r1", b"1")]
    assert (world.phase, world.done) == (Phase.FINISHING, {})
    world.ready()
    assert world.is_in(Phase.FINISHING)
    world.loop.pass_time(0.4)
    world.run(lambda: world.sandbox.extension_asks("a"))
    assert world.is_in(Phase.IDLE)
    ended = world.done["r1"]
    assert ended.answered
    assert ended.duration_ms == pytest.approx(500)
    assert ended.extensions_ms == pytest.approx(400)


def test_who_wants_the_log_waits_for_it(tmp_path: Path) -> None:
    world = with_extension(tmp_path, "INVOKE")
    world.assign("r1", wants_log=True)
    world.run(lambda: world.sandbox.runtime_answers("r1"))
    assert world.answers == []
    world.ready()
    world.run(lambda: world.sandbox.extension_asks("a"))
    assert not world.done["r1"].answered
    assert b"REPORT RequestId: r1" in world.done["r1"].log_tail


def test_the_shutdown_phase_asks_the_runtime_then_the_extensions_then_kills(tmp_path: Path) -> None:
    world = with_extension(tmp_path, "SHUTDOWN")
    identifier = world.sandbox.processes["a"].identifier
    told = world.run(
        lambda: world.sandbox.ask("GET", "/2020-01-01/extension/event/next", lambda_extension_identifier=identifier)
    )
    world.run(world.environment.retire)
    assert world.is_in(Phase.SHUTDOWN)
    assert world.sandbox.signals == [("runtime", signal.SIGTERM)]
    assert told == []
    world.loop.pass_time(0.3)
    assert world.sandbox.signals[1:] == [("runtime", signal.SIGKILL)]
    world.run(lambda: world.sandbox.end("runtime", -9))
    event = json.loads(told[0].body)
    assert (event["eventType"], event["shutdownReason"]) == ("SHUTDOWN", "spindown")
    assert world.is_in(Phase.SHUTDOWN)
    world.loop.pass_time(1.7)
    assert world.is_in(Phase.RETIRED)
    assert world.sandbox.is_closed


def test_an_internal_extension_gives_the_runtime_half_a_second_to_end(tmp_path: Path) -> None:
    world = World(tmp_path)
    answer = world.run(lambda: world.sandbox.register("inner", "INVOKE"))
    identifier = dict(answer.headers)["Lambda-Extension-Identifier"]
    world.run(
        lambda: world.sandbox.ask("GET", "/2020-01-01/extension/event/next", lambda_extension_identifier=identifier)
    )
    world.ready()
    world.run(world.environment.retire)
    assert world.sandbox.signals == [("runtime", signal.SIGTERM)]
    world.loop.pass_time(0.499)
    assert world.is_in(Phase.SHUTDOWN)
    world.loop.pass_time(0.001)
    assert world.is_in(Phase.RETIRED)


def test_without_extensions_nothing_is_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.ready()
    world.run(world.environment.retire)
    assert (world.phase, world.sandbox.signals) == (Phase.RETIRED, [])


@pytest.mark.parametrize(
    ("ended", "error_type"),
    [
        ({"code": 1}, "Runtime.ExitError"),
        ({"code": -9, "out_of_memory": True}, "Runtime.OutOfMemory"),
        ({"code": 126, "error": "fork/exec /x: permission denied"}, "Runtime.InvalidEntrypoint"),
    ],
)
def test_the_end_of_the_runtime_has_its_error(tmp_path: Path, ended: dict[str, Any], error_type: str) -> None:
    world = World(tmp_path)
    world.ready()
    world.assign("r1")
    world.run(lambda: world.sandbox.end("runtime", **ended))
    assert world.done["r1"].error_type == error_type
    assert world.is_in(Phase.RESET)


def test_only_one_invocation_at_a_time() -> None:
    for phase in Phase:
        assert (Happening.ASSIGNED in LIFE.allowed(phase)) is (phase in AVAILABLE)


class AnyLife(RuleBasedStateMachine):
    """Whatever processes and callers do: every invocation ends exactly once, and nothing outlives its environment."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(__file__).parent
        self.world: World | None = None
        self.number = 0
        self.running = ""

    @rule(extensions=st.sampled_from([(), ("a",), ("a", "b")]))
    @precondition(lambda self: self.world is None)
    def start(self, extensions: tuple[str, ...]) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.world = World(Path(self.directory.name), *extensions, Timeout=3)

    @precondition(lambda self: self.world is not None)
    @rule(events=st.sets(st.sampled_from(["INVOKE", "SHUTDOWN"])))
    def everybody_asks(self, events: set[str]) -> None:
        """What goes well on most days."""
        sandbox = self.it.sandbox
        for name in ("a", "b"):
            if name in sandbox.processes:
                self.it.run(lambda name=name: sandbox.register(name, *events))
                self.it.run(lambda name=name: sandbox.extension_asks(name) if name in sandbox.processes else None)
        if "runtime" in sandbox.processes:
            self.it.run(sandbox.runtime_asks)

    @property
    def it(self) -> World:
        assert self.world is not None
        return self.world

    @precondition(lambda self: self.world is not None and self.world.phase in AVAILABLE)
    @rule()
    def assign(self) -> None:
        self.number += 1
        self.running = f"r{self.number}"
        self.it.assign(self.running)

    @precondition(lambda self: self.world is not None and "runtime" in self.world.sandbox.processes)
    @rule(
        what=st.sampled_from(["asks", "answers", "fails", "ends", "ends", "asks", "answers"]), code=st.integers(-9, 3)
    )
    def runtime(self, what: str, code: int) -> None:
        sandbox = self.it.sandbox
        if what == "asks":
            self.it.run(sandbox.runtime_asks)
        elif what == "answers":
            self.it.run(lambda: sandbox.runtime_answers(self.running or "r0"))
        elif what == "fails":
            self.it.run(sandbox.runtime_fails_init)
        else:
            self.it.run(lambda: sandbox.end("runtime", code))

    @precondition(lambda self: self.world is not None)
    @rule(
        name=st.sampled_from(["a", "b"]),
        what=st.sampled_from(["registers", "asks", "asks", "ends"]),
        events=st.sets(st.sampled_from(["INVOKE", "SHUTDOWN"])),
    )
    def extension(self, name: str, what: str, events: set[str]) -> None:
        sandbox = self.it.sandbox
        if name not in sandbox.processes:
            return
        if what == "registers":
            self.it.run(lambda: sandbox.register(name, *events))
        elif what == "asks":
            self.it.run(lambda: sandbox.extension_asks(name))
        else:
            self.it.run(lambda: sandbox.end(name, 1))

    @precondition(lambda self: self.world is not None)
    @rule(seconds=st.sampled_from([0.001, 0.3, 1.0, 4.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.it.loop.pass_time(seconds)

    @precondition(lambda self: self.world is not None and self.world.phase is not Phase.RETIRED)
    @rule()
    def retire(self) -> None:
        self.it.run(self.it.environment.retire)

    @invariant()
    def a_retired_one_has_nothing(self) -> None:
        if self.world is not None and self.world.phase is Phase.RETIRED:
            assert self.world.sandbox.is_closed
            assert self.world.sandbox.processes == {}

    @invariant()
    def an_available_one_runs_nothing(self) -> None:
        if self.world is not None and self.world.phase in AVAILABLE and self.running:
            assert self.running in self.world.done

    def teardown(self) -> None:
        if self.world is None:
            return
        self.world.loop.pass_time(30)
        assert set(self.world.done) == {f"r{number}" for number in range(1, self.number + 1)}
        self.world.run(self.world.environment.retire)
        self.world.loop.pass_time(3)
        assert self.world.phase is Phase.RETIRED
        self.world.loop.close()
        self.directory.cleanup()


AnyLife.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAnyLife: Any = AnyLife.TestCase

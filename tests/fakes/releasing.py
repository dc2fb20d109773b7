"""A release with everything around it: a real store, a virtual clock, the fake Lambda service, traffic, crashes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.clock import VirtualClock
from core.ids import RandomIds
from deploy.ports import Clients, FunctionSettings
from deploy.release import Release, ReleaseResult
from deploy.request import LOCAL_ROLE, FunctionRelease, ReleaseRequest
from deploy.targets import Target
from deploy.traffic import strategy
from deploy.traffic.state import Rollout, from_data
from deploy.traffic.weights import Routing
from store.database import Database
from store.records import DeploymentRecord, Event, Lease
from store.transaction import Snapshot, Transaction
from tests.fakes.lambda_service import FakeLambda, FakeMetrics

TARGET = Target("local", "eu-west-1", "http://127.0.0.1:1")
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Crash(BaseException):
    """The process dies here: no handler of the code under test may catch it."""


class TrafficClock(VirtualClock):
    """A clock on which time passes second by second, and requests with it: `each_second` is called for each.

    Every look at it takes a microsecond, so that no two records have the same time.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.each_second: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        with self._lock:
            self._now += timedelta(microseconds=1)
        return self._now

    def advance(self, seconds: float) -> None:
        before = int(self.now().timestamp())
        super().advance(seconds)
        for second in range(before + 1, int(self.now().timestamp()) + 1):
            for call in self.each_second:
                call(datetime.fromtimestamp(second, UTC))


@dataclass
class World:
    """One machine's store and one target, that outlive the drivers on them."""

    home: Path
    database: Database
    clock: TrafficClock = field(default_factory=lambda: TrafficClock(START))
    functions: FakeLambda = field(default_factory=FakeLambda)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    logged: list[str] = field(default_factory=list)
    reported: list[tuple[int, str]] = field(default_factory=list)
    stop: str = ""
    ids: RandomIds = field(default_factory=lambda: RandomIds(random.Random(7)))

    @property
    def clients(self) -> Clients:
        return Clients(self.functions, self.metrics)

    def release(self, holder: str = "host/boot/1/1") -> Release:
        """A process that releases."""
        return Release(lambda _target: self.clients, self.database, self.clock, self.ids, holder)

    def run(self, request: ReleaseRequest, holder: str = "host/boot/1/1") -> ReleaseResult:
        """The end of that request, driven by one process."""
        return self.release(holder).run(
            request,
            log=self.logged.append,
            report=lambda *, percent_complete, summary: self.reported.append((percent_complete, summary)),
            stop_requested=lambda: self.stop,
            fence=lambda transaction: None,
        )

    def code(self, text: str) -> Path:
        """A function's directory whose code is `text`."""
        directory = self.home / "code" / text
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "app.py").write_text(f"def handler(event, context):\n    return {text!r}\n")
        return directory

    def traffic(self, place: str, per_second: int, failing: Sequence[str] = (), every: int = 1) -> None:
        """From now on `place` gets requests; of those to a `failing` version each `every`-th fails."""
        function, _, alias = place.partition(":")

        def second(at: datetime) -> None:
            found = self.functions.alias(function, alias) if not self.functions.down else None
            for version in {found.routing.version, found.routing.additional or ""} - {""} if found else ():
                count = round(per_second * found.routing.weight_pct(version) / 100) if found else 0
                errors = -(-count // every) if version in failing else 0
                self.metrics.record(place, version, at, count, errors)

        self.clock.each_second.append(second)

    def routing(self, function: str = "orders", alias: str = "live") -> Routing | None:
        """Where the alias sends its traffic now."""
        found = self.functions.alias(function, alias)
        return found.routing if found else None

    def deployments(self) -> list[DeploymentRecord]:
        """All of them, oldest first."""
        with self.database.snapshot() as snapshot:
            return snapshot.deployments(limit=1000)[::-1]

    def states(self) -> list[Rollout]:
        """Their rollouts, oldest first."""
        return [from_data(record.state) for record in self.deployments()]

    def events(self, kind: str = "") -> list[Event]:
        """The ledger, or the events of one kind."""
        with self.database.snapshot() as snapshot:
            return [event for event in snapshot.events(limit=10_000) if kind in ("", event.kind)]

    def alias_writes(self) -> list[str]:
        """Every routing that was written to an alias, in order."""
        return [call[-1] for call in self.functions.calls if call[0] in ("create_alias", "update_alias")]

    @contextmanager
    def mortal(self, dies: Callable[[int], bool]) -> Iterator[World]:
        """This world as a process sees it that dies at the first point for which `dies(number)` says so.

        Points are the moments before and after each write to the target and each transaction, counted from 1. From
        then on nothing it does has any effect, as after `kill -9`.
        """
        process = _Process(dies)
        self.functions.around = lambda operation, phase: process.point()
        try:
            yield replace(self, database=_MortalDatabase(self.database, process))
        finally:
            self.functions.around = lambda operation, phase: None


class _Process:
    """Counts points, and is dead after the one it dies at."""

    def __init__(self, dies: Callable[[int], bool]) -> None:
        self._dies = dies
        self._number = 0
        self._dead = False

    def point(self) -> None:
        self._number += 1
        self._dead = self._dead or self._dies(self._number)
        if self._dead:
            raise Crash


class _MortalDatabase(Database):
    """A database whose user may die before a transaction begins or after it was committed."""

    def __init__(self, inner: Database, process: _Process) -> None:
        self._inner = inner
        self._process = process

    @contextmanager
    def transaction(self, *, durable: bool = False, lease: Lease | None = None) -> Iterator[Transaction]:
        self._process.point()
        with self._inner.transaction(durable=durable, lease=lease) as transaction:
            yield transaction
        self._process.point()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self._inner.snapshot() as snapshot:
            yield snapshot


@contextmanager
def a_world(home: Path) -> Iterator[World]:
    """A world with an empty store; processes that hold leases are dead as soon as another one looks."""
    clock = TrafficClock(START)
    database = Database.open(f"sqlite:///{home / 'penstock.db'}", clock=clock, alive=lambda _holder: False)
    try:
        yield World(home, database, clock)
    finally:
        database.close()


def a_request(world: World, code: str, *, action: str = "", **changes: object) -> ReleaseRequest:
    """A release of `orders:live` with that code; two with the same `action` are one and the same."""
    request = ReleaseRequest(
        target=TARGET,
        alias="live",
        functions=(a_function(world, code),),
        execution_id="e-1",
        action_execution_id=action or f"a-{code}",
        steps=strategy.parse("AllAtOnce"),
        role_for_new=LOCAL_ROLE,
    )
    return replace(request, **changes)  # type: ignore[arg-type]


def a_function(world: World, code: str, name: str = "orders", logical_id: str = "Orders") -> FunctionRelease:
    """One function of a release."""
    return FunctionRelease(logical_id, name, FunctionSettings("app.handler", "python3.11"), world.code(code))

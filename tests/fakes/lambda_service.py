"""A Lambda service and its CloudWatch in memory, behind the protocols that a release speaks. No AWS, no HTTP, no time.

The contract suite in tests/contract/release holds it to what moto and the local runtime do, too.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.errors import InvalidInput, NotFound, Unavailable
from deploy.analysis.threshold import floor
from deploy.ports import (
    AlarmState,
    AliasState,
    AlreadyExists,
    Clients,
    FunctionSettings,
    FunctionState,
    InvokeResult,
    Point,
    Query,
    RevisionMismatch,
)
from deploy.traffic.weights import Routing

Handler = Callable[[bytes], object]


class HandlerError(Exception):
    """What a fake handler raises to answer with a function error."""


@dataclass
class _Function:
    latest: FunctionState
    versions: list[FunctionState] = field(default_factory=list)
    aliases: dict[str, AliasState] = field(default_factory=dict)
    pending_looks: int = 0


class FakeLambda:
    """LambdaApi in memory.

    `calls` records every write, in order. `around(operation, phase)` is called with phase "before" and "after" each
    write: what it raises leaves the call there, so a crash or a lost answer can happen at any point. `down` makes
    every call raise Unavailable. `looks_until_ready` lets a new function or version be Pending for that many looks.
    """

    def __init__(self, looks_until_ready: int = 0) -> None:
        self._functions: dict[str, _Function] = {}
        self._revision = 0
        self._looks_until_ready = looks_until_ready
        self.calls: list[tuple[str, ...]] = []
        self.around: Callable[[str, str], None] = lambda _operation, _phase: None
        self.down = False
        self.handlers: dict[str, Handler] = {}
        self.invocations: list[tuple[str, bytes]] = []

    def function(self, name: str, version: str | None = None) -> FunctionState | None:
        self._answer()
        found = self._functions.get(name)
        if found is None:
            return None
        if version is None:
            return self._aged(found)
        return next((item for item in found.versions if item.version == version), None)

    def versions(self, name: str) -> tuple[FunctionState, ...]:
        self._answer()
        return tuple(self._known(name).versions)

    def alias(self, name: str, alias: str) -> AliasState | None:
        self._answer()
        found = self._functions.get(name)
        return found.aliases.get(alias) if found else None

    def create_function(self, name: str, settings: FunctionSettings, code: bytes) -> None:
        self._answer()
        if name in self._functions:
            raise AlreadyExists(f"Function already exist: {name}")
        if not settings.role:
            raise InvalidInput("a role is required")
        self._before("create_function", name)
        latest = FunctionState(name, "$LATEST", settings, _sha256(code))
        self._functions[name] = _Function(latest, pending_looks=self._looks_until_ready)
        self._after("create_function")

    def update_configuration(self, name: str, settings: FunctionSettings) -> None:
        self._answer()
        found = self._known(name)
        self._before("update_configuration", name)
        before = found.latest.settings
        settings = replace(settings, architectures=before.architectures, role=settings.role or before.role)
        found.latest = replace(found.latest, settings=settings)
        self._after("update_configuration")

    def update_code(self, name: str, code: bytes, architectures: Sequence[str]) -> None:
        self._answer()
        found = self._known(name)
        self._before("update_code", name)
        settings = replace(found.latest.settings, architectures=tuple(architectures))
        found.latest = replace(found.latest, settings=settings, code_sha256=_sha256(code))
        self._after("update_code")

    def publish_version(self, name: str, code_sha256: str) -> str:
        self._answer()
        found = self._known(name)
        if found.latest.code_sha256 != code_sha256:
            raise InvalidInput(f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST")
        self._before("publish_version", name)
        if not found.versions or not _same(found.versions[-1], found.latest):
            number = str(len(found.versions) + 1)
            found.versions.append(replace(found.latest, version=number))
        self._after("publish_version")
        return found.versions[-1].version

    def create_alias(self, name: str, alias: str, version: str) -> AliasState:
        self._answer()
        found = self._known(name)
        if alias in found.aliases:
            raise AlreadyExists(f"Alias already exists: {alias}")
        self._check_version(found, version)
        self._before("create_alias", name, alias, version)
        found.aliases[alias] = AliasState(alias, Routing(version), self._next_revision())
        self._after("create_alias")
        return found.aliases[alias]

    def update_alias(self, name: str, alias: str, routing: Routing, revision_id: str) -> AliasState:
        self._answer()
        found = self._known(name)
        if alias not in found.aliases:
            raise NotFound(f"Cannot find alias {name}:{alias}")
        if found.aliases[alias].revision_id != revision_id:
            raise RevisionMismatch("The Revision Id provided does not match the latest Revision Id")
        for version in filter(None, (routing.version, routing.additional)):
            self._check_version(found, version)
        self._before("update_alias", name, alias, str(routing))
        found.aliases[alias] = AliasState(alias, routing, self._next_revision())
        self._after("update_alias")
        return found.aliases[alias]

    def invoke(self, name: str, payload: bytes) -> InvokeResult:
        self._answer()
        if name not in self.handlers and name not in self._functions:
            raise NotFound(f"Function not found: {name}")
        self._before("invoke", name)
        self.invocations.append((name, payload))
        try:
            value = self.handlers[name](payload) if name in self.handlers else None
            result = InvokeResult(json.dumps(value).encode())
        except HandlerError as error:
            body = {"errorMessage": str(error), "errorType": "HandlerError"}
            result = InvokeResult(json.dumps(body).encode(), function_error="Unhandled")
        self._after("invoke")
        return result

    def touch_alias(self, name: str, alias: str, routing: Routing | None = None) -> None:
        """Somebody else writes to the alias: another routing, or nothing but a new revision."""
        found = self._known(name)
        kept = found.aliases[alias].routing
        found.aliases[alias] = AliasState(alias, routing or kept, self._next_revision())

    def _aged(self, found: _Function) -> FunctionState:
        if found.pending_looks:
            found.pending_looks -= 1
            return replace(found.latest, state="Pending", last_update_status="InProgress")
        return found.latest

    def _known(self, name: str) -> _Function:
        if name not in self._functions:
            raise NotFound(f"Function not found: {name}")
        return self._functions[name]

    def _check_version(self, found: _Function, version: str) -> None:
        if all(item.version != version for item in found.versions):
            raise NotFound(f"Function not found: {found.latest.name}:{version}")

    def _next_revision(self) -> str:
        self._revision += 1
        return f"revision-{self._revision}"

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("http://fake does not answer")

    def _before(self, operation: str, *arguments: str) -> None:
        self.around(operation, "before")
        self.calls.append((operation, *arguments))

    def _after(self, operation: str) -> None:
        self.around(operation, "after")


class FakeMetrics:
    """MetricsApi in memory: `record` counts invocations of a version behind an alias, `alarms` holds named alarms."""

    def __init__(self) -> None:
        self._points: dict[tuple[str, str, str, str], list[Point]] = {}
        self.alarms: dict[str, AlarmState] = {}
        self.down = False

    def record(self, place: str, version: str, at: datetime, invocations: int, errors: int = 0) -> None:
        """`place` is `function:alias`; a version "" is a request that only the alias's own metrics tell of."""
        for metric, value in (("Invocations", invocations), ("Errors", errors)):
            for executed in {version, ""}:
                key = (place.partition(":")[0], place, executed, metric)
                self._points.setdefault(key, []).append(Point(at, float(value)))

    def series(self, queries: Sequence[Query], start: datetime, end: datetime) -> Mapping[str, tuple[Point, ...]]:
        self._answer()
        return {query.id: self._buckets(query, start, end) for query in queries}

    def alarm_states(self, names: Sequence[str]) -> Mapping[str, AlarmState]:
        self._answer()
        return {name: self.alarms[name] for name in names if name in self.alarms}

    def _buckets(self, query: Query, start: datetime, end: datetime) -> tuple[Point, ...]:
        wanted = query.dimensions
        key = (wanted["FunctionName"], wanted["Resource"], wanted.get("ExecutedVersion", ""), query.metric)
        sums: dict[datetime, float] = {}
        for point in self._points.get(key, ()):
            at = floor(point.at, query.period_s)
            if floor(start, query.period_s) <= at and point.at < end:
                sums[at] = sums.get(at, 0.0) + point.value
        return tuple(Point(at, sums[at]) for at in sorted(sums))

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("http://fake does not answer")


def fake_clients() -> tuple[Clients, FakeLambda, FakeMetrics]:
    """Both services of one target."""
    functions, metrics = FakeLambda(), FakeMetrics()
    return Clients(functions, metrics), functions, metrics


def _sha256(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode("ascii")


def _same(published: FunctionState, latest: FunctionState) -> bool:
    return published.code_sha256 == latest.code_sha256 and published.settings == latest.settings

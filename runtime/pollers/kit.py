"""What every poller of a server is made with, and how it invokes its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import ApiError
from runtime.catalog.documents import EventSourceMapping
from runtime.catalog.store import Catalog
from runtime.invoke.invoker import Call, Invoker
from runtime.invoke.results import Result
from runtime.names import Scope
from runtime.queues.journal import Journal
from runtime.queues.outbox import Outbox
from runtime.queues.services import Services

OK, FUNCTION_FAILED, NOTHING = "OK", "PROBLEM: Function call failed", "No records processed"
"""LastProcessingResult, in Lambda's words."""


class Recorder(Protocol):
    """Who counts."""

    def put(self, name: str, dimensions: Mapping[str, str], value: float, at: float, *, unit: str = "Count") -> None:
        """A sample under exactly these dimensions."""
        ...

    def put_lambda(
        self, name: str, function: str, value: float, at: float,
        *, resource: str = "", version: str = "", unit: str = "Count",
    ) -> None:  # fmt: skip
        """A sample of one of Lambda's metrics."""
        ...


@dataclass(frozen=True, slots=True)
class Kit:
    """The parts of the server that pollers use. `report` keeps what the last processing of a mapping came to."""

    services: Services
    invoker: Invoker
    catalog: Catalog
    journal: Journal
    outbox: Outbox
    recorder: Recorder
    scope: Scope
    clock: Clock
    ids: Ids
    report: Callable[[str, str], None]

    def now(self) -> float:
        """Epoch seconds."""
        return self.clock.now().timestamp()


@dataclass(frozen=True, slots=True)
class Ran:
    """The function was invoked."""

    request_id: str
    result: Result
    version: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It could not be invoked: throttled, not ready, gone, or part of a loop."""

    request_id: str
    error: ApiError


class Target:
    """The function of one mapping."""

    def __init__(self, mapping: EventSourceMapping, kit: Kit) -> None:
        self.mapping = mapping
        self._kit = kit
        self._metrics = frozenset(mapping.settings.get("MetricsConfig", {}).get("Metrics", ()))

    @property
    def arn(self) -> str:
        """The function's ARN as the mapping names it."""
        return self._kit.scope.arn(self.mapping.function, self.mapping.qualifier or None)

    def problem(self) -> str:
        """Why it cannot be invoked at all now; empty when it can."""
        try:
            self._kit.invoker.check(self.mapping.function, self.mapping.qualifier or None)
        except ApiError as error:
            return f"PROBLEM: {error.message}"
        return ""

    def timeout_s(self) -> float:
        """The function's timeout; 0 when there is no function."""
        try:
            route, _ = self._kit.invoker.route(self.mapping.function, self.mapping.qualifier or None)
        except ApiError:
            return 0.0
        version = self._kit.catalog.version(route.function, route.version)
        return float(version.settings["Timeout"]) if version is not None else 0.0

    def role(self) -> str:
        """The function's execution role; empty when there is no function."""
        version = self._kit.catalog.version(self.mapping.function, "$LATEST")
        return str(version.settings.get("Role", "")) if version is not None else ""

    async def invoke(self, payload: bytes, trace_id: str = "") -> Ran | Refused:
        """What came of one synchronous invocation."""
        request_id = self._kit.ids.uuid()
        call = Call(request_id, payload, trace_id or _trace(request_id))
        try:
            result, version = await self._kit.invoker.run(self.mapping.function, self.mapping.qualifier or None, call)
        except ApiError as error:
            return Refused(request_id, error)
        return Ran(request_id, result, version)

    def count(self, name: str, value: float) -> None:
        """Adds to one of the mapping's own metrics (PolledEventCount …), if it asked for them."""
        if value and "EventCount" in self._metrics:
            dimensions = {"EventSourceMappingUUID": self.mapping.uuid}
            self._kit.recorder.put(name, dimensions, value, self._kit.now())


def _trace(request_id: str) -> str:
    """A trace of the invocation's own, not sampled."""
    digits = request_id.replace("-", "")
    return f"Root=1-{digits[:8]}-{digits[8:]};Parent={digits[:16]};Sampled=0"

"""What a release needs of a Lambda service and of its metrics, as two small protocols and their plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.errors import Conflict
from deploy.traffic.weights import Routing


class RevisionMismatch(Conflict):
    """The alias changed since it was read: its RevisionId is another one now. Nothing was written."""


class AlreadyExists(Conflict):
    """Somebody created the function or alias first."""


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """A function's configuration as far as a release manages it. `role` "" means: leave the role as it is."""

    handler: str
    runtime: str
    memory_mb: int = 128
    timeout_s: int = 3
    environment: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    architectures: tuple[str, ...] = ("x86_64",)
    role: str = ""


@dataclass(frozen=True, slots=True)
class FunctionState:
    """A function (`version` "$LATEST") or one published version, as the service describes it."""

    name: str
    version: str
    settings: FunctionSettings
    code_sha256: str
    state: str = "Active"  # Pending | Active | Inactive | Failed
    state_reason: str = ""
    last_update_status: str = "Successful"  # Successful | InProgress | Failed
    last_update_reason: str = ""


@dataclass(frozen=True, slots=True)
class AliasState:
    """An alias: where it sends its traffic, and the RevisionId that a write must carry."""

    name: str
    routing: Routing
    revision_id: str


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """What a synchronous invocation answered; `function_error` "" means the handler returned."""

    payload: bytes
    function_error: str = ""
    executed_version: str = ""
    log_tail: str = ""


class LambdaApi(Protocol):
    """The Lambda operations that a release uses, on one target.

    Every method may raise Unavailable (no answer, throttled for too long), NotAllowed (access denied, a conflict),
    InvalidInput (the service refuses a value) and NotFound where the thing must exist.
    """

    def function(self, name: str, version: str | None = None) -> FunctionState | None:
        """The function ($LATEST) or one version of it; None when there is none."""
        ...

    def versions(self, name: str) -> tuple[FunctionState, ...]:
        """The published versions, oldest first."""
        ...

    def alias(self, name: str, alias: str) -> AliasState | None:
        """The alias; None when there is none."""
        ...

    def create_function(self, name: str, settings: FunctionSettings, code: bytes) -> None:
        """Create it from a zip. Raises: AlreadyExists."""
        ...

    def update_configuration(self, name: str, settings: FunctionSettings) -> None:
        """Replace the configuration of $LATEST (not its architecture)."""
        ...

    def update_code(self, name: str, code: bytes, architectures: Sequence[str]) -> None:
        """Replace the code and architecture of $LATEST."""
        ...

    def publish_version(self, name: str, code_sha256: str) -> str:
        """The number of the version that now holds $LATEST; refused when its code is not `code_sha256`."""
        ...

    def create_alias(self, name: str, alias: str, version: str) -> AliasState:
        """Create it, wholly on `version`. Raises: AlreadyExists."""
        ...

    def update_alias(self, name: str, alias: str, routing: Routing, revision_id: str) -> AliasState:
        """Set the whole routing in one call, if the alias still has that RevisionId. Raises: RevisionMismatch."""
        ...

    def invoke(self, name: str, payload: bytes) -> InvokeResult:
        """Invoke `name` (a name, `name:qualifier` or ARN) and wait for its answer; never repeated by the client."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket of a metric; `at` is where the bucket begins."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Query:
    """One metric of AWS/Lambda; `id` names its series in the answer (lower-case letters, digits, underscores)."""

    id: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    period_s: int


@dataclass(frozen=True, slots=True)
class AlarmState:
    """A CloudWatch alarm's state: OK, ALARM or INSUFFICIENT_DATA, and the service's reason."""

    value: str
    reason: str = ""


class MetricsApi(Protocol):
    """The CloudWatch operations that a release uses, on one target. Methods raise as LambdaApi's do."""

    def series(self, queries: Sequence[Query], start: datetime, end: datetime) -> Mapping[str, tuple[Point, ...]]:
        """Each query's buckets from `start` to before `end`, oldest first; buckets without data are left out."""
        ...

    def alarm_states(self, names: Sequence[str]) -> Mapping[str, AlarmState]:
        """The alarms that exist among `names`, metric and composite ones."""
        ...


@dataclass(frozen=True, slots=True)
class Clients:
    """The two services of one target."""

    functions: LambdaApi
    metrics: MetricsApi

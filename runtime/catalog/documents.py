"""What is attached to functions, and what exists beside them: one frozen record per kind, kept by owner and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol


class Document(Protocol):
    """A record of the catalog. It is found by its type, its owner and its key."""

    KIND: ClassVar[str]

    @property
    def owner(self) -> str:
        """The function or the layer it belongs to; empty for one that stands alone."""
        ...

    @property
    def key(self) -> str:
        """What tells it from others of its kind and owner; empty when there can be one only."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """The resource-based policy of a function, or of one version or alias of it."""

    KIND: ClassVar[str] = "policy"
    function: str
    qualifier: str
    """Empty: the unqualified ARN."""
    statements: tuple[Mapping[str, Any], ...]
    """As AWS shows them: Sid, Effect, Principal, Action, Resource, Condition."""
    revision_id: str
    identifier: str = "default"
    """The document's Id; empty when somebody put a document without one."""

    @property
    def owner(self) -> str:
        return self.function

    @property
    def key(self) -> str:
        return self.qualifier


@dataclass(frozen=True, slots=True)
class ReservedConcurrency:
    """The concurrency that is a function's own, and its limit."""

    KIND: ClassVar[str] = "concurrency"
    function: str
    executions: int

    @property
    def owner(self) -> str:
        return self.function

    @property
    def key(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class ProvisionedConcurrency:
    """How many environments of a version or an alias are to be ready ahead of time."""

    KIND: ClassVar[str] = "provisioned"
    function: str
    qualifier: str
    requested: int
    last_modified: str

    @property
    def owner(self) -> str:
        return self.function

    @property
    def key(self) -> str:
        return self.qualifier


@dataclass(frozen=True, slots=True)
class EventInvokeConfig:
    """How asynchronous events of a function, version or alias are retried, and where their results go."""

    KIND: ClassVar[str] = "event_invoke_config"
    function: str
    qualifier: str
    """`$LATEST` for the unqualified function."""
    last_modified: float
    maximum_retry_attempts: int | None = None
    """None: AWS's default, 2."""
    maximum_event_age_s: int | None = None
    """None: AWS's default, 21,600."""
    on_success: str = ""
    """An ARN; empty: nowhere."""
    on_failure: str = ""

    @property
    def owner(self) -> str:
        return self.function

    @property
    def key(self) -> str:
        return self.qualifier


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    """The HTTP address of a function or of one alias of it."""

    KIND: ClassVar[str] = "url"
    function: str
    qualifier: str
    """An alias; empty: `$LATEST`."""
    url_id: str
    auth_type: str
    created: str
    last_modified: str
    invoke_mode: str = "BUFFERED"
    cors: Mapping[str, Any] = field(default_factory=dict)
    """Under AWS's names; empty: no CORS."""

    @property
    def owner(self) -> str:
        return self.function

    @property
    def key(self) -> str:
        return self.qualifier


@dataclass(frozen=True, slots=True)
class RecursionConfig:
    """What happens when a function is found to call itself in a loop."""

    KIND: ClassVar[str] = "recursion"
    function: str
    recursive_loop: str
    """`Allow` or `Terminate`."""

    @property
    def owner(self) -> str:
        return self.function

    @property
    def key(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """A poller's order: read from `source`, invoke the function. It outlives the function, as on AWS."""

    KIND: ClassVar[str] = "event_source_mapping"
    uuid: str
    function: str
    qualifier: str
    """A version or an alias; empty: the unqualified function."""
    source: str
    """The queue's or stream's ARN."""
    settings: Mapping[str, Any]
    """Under AWS's names, defaults filled in: BatchSize, StartingPosition, FilterCriteria, …"""
    enabled: bool
    """What was asked for; `state` is what is."""
    state: str
    last_modified: float
    last_processing_result: str = "No records processed"
    transition_reason: str = "USER_INITIATED"
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return ""

    @property
    def key(self) -> str:
        return self.uuid


@dataclass(frozen=True, slots=True)
class LayerVersion:
    """One version of a layer; never changes, and its number is never used again."""

    KIND: ClassVar[str] = "layer"
    layer: str
    number: int
    description: str
    code_sha256: str
    code_size: int
    unzipped_size: int
    created: str
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    license_info: str = ""

    @property
    def owner(self) -> str:
        return self.layer

    @property
    def key(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class LayerPolicy:
    """Who else may use one version of a layer."""

    KIND: ClassVar[str] = "layer_policy"
    layer: str
    number: int
    statements: tuple[Mapping[str, Any], ...]
    revision_id: str

    @property
    def owner(self) -> str:
        return self.layer

    @property
    def key(self) -> str:
        return str(self.number)


ATTACHED = (Policy, ReservedConcurrency, ProvisionedConcurrency, EventInvokeConfig, FunctionUrl, RecursionConfig)
"""Kinds that go when their function goes."""
ALL = (*ATTACHED, EventSourceMapping, LayerVersion, LayerPolicy)
_TUPLES = ("statements", "runtimes", "architectures")


def restored(kind: str, document: Mapping[str, Any]) -> Document:
    """The record that was written as `document` (its fields, from JSON).

    Raises:
        KeyError: no such kind.
    """
    made: Any = {each.KIND: each for each in ALL}[kind]
    fields = {name: tuple(value) if name in _TUPLES else value for name, value in document.items()}
    record: Document = made(**fields)
    return record

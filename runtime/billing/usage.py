"""What a function used in one minute, in a form that adds up. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from runtime.catalog.records import FunctionVersion
from runtime.invoke.results import Result

ON_DEMAND, PROVISIONED = "on-demand", "provisioned"
_DEFAULT_MEMORY_MB, _DEFAULT_TEMPORARY_MB = 128, 512
MINUTE_S = 60


class Use(NamedTuple):
    """What is counted apart, because it has a price of its own. Numbers are text, as keys are."""

    function: str
    version: str
    architecture: str
    """`x86_64` or `arm64`."""
    memory: str
    temporary: str
    kind: str
    """`on-demand` or `provisioned`."""

    @property
    def memory_mb(self) -> int:
        """Its MemorySize."""
        return int(self.memory)

    @property
    def temporary_mb(self) -> int:
        """Its EphemeralStorage."""
        return int(self.temporary)


def use_of(version: FunctionVersion, kind: str) -> Use:
    """Under what an invocation of `version` is counted."""
    settings = version.settings
    return Use(
        version.name,
        version.version,
        (settings.get("Architectures") or ["x86_64"])[0],
        str(settings.get("MemorySize", _DEFAULT_MEMORY_MB)),
        str(settings.get("EphemeralStorage", {}).get("Size", _DEFAULT_TEMPORARY_MB)),
        kind,
    )


@dataclass(slots=True)
class Usage:
    """Counts; changed in place, it is on the hot path. Times are billed milliseconds."""

    requests: int = 0
    billed_ms: int = 0
    init_ms: float = 0.0
    errors: int = 0
    error_ms: int = 0
    """Of invocations that failed, timeouts among them."""
    timeouts: int = 0
    timeout_ms: int = 0
    used_mb: int = 0
    """The most memory any environment used."""
    provisioned_s: float = 0.0
    """Seconds of provisioned environments, those of each added up."""

    def ended(self, result: Result) -> None:
        """Count one invocation."""
        billed = result.billed_ms
        self.requests += 1
        self.billed_ms += billed
        self.init_ms += result.init_ms or 0.0
        if result.error_type:
            self.errors += 1
            self.error_ms += billed
        if result.status == "timeout":
            self.timeouts += 1
            self.timeout_ms += billed
        self.used_mb = max(self.used_mb, result.used_mb)

    def add(self, other: Usage) -> None:
        """Add what `other` counted."""
        self.requests += other.requests
        self.billed_ms += other.billed_ms
        self.init_ms += other.init_ms
        self.errors += other.errors
        self.error_ms += other.error_ms
        self.timeouts += other.timeouts
        self.timeout_ms += other.timeout_ms
        self.used_mb = max(self.used_mb, other.used_mb)
        self.provisioned_s += other.provisioned_s


def encode(usage: Usage) -> str:
    """`usage` as a document."""
    return json.dumps(asdict(usage))


def decode(document: str) -> Usage:
    """The usage in `document`."""
    data: dict[str, Any] = json.loads(document)
    return Usage(**data)

"""One invocation on its way through the runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.invoke.results import Result


@dataclass(slots=True)
class Invocation:
    """What an environment needs to run one event. `done` is called once, from the event loop."""

    request_id: str
    arn: str
    """As invoked: with the alias or version that was asked for."""
    payload: bytes
    done: Callable[[Result], None]
    trace_id: str = ""
    client_context: str = ""
    wants_log: bool = False
    log: list[str] = field(default_factory=list)

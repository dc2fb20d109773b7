"""One invocation on its way through the runtime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from runtime.invoke.results import Result

Push = Callable[[bytes], Awaitable[None]]
"""Takes one piece of a result; awaited before the next piece is read from the function."""
OnStream = Callable[[str], Push]
"""Called at most once, with the Content-Type, when the function begins to stream its result.

`done` follows in any case: after a stream its payload is empty, or is the error that broke the stream off. A function
that does not stream is answered by `done` alone, with its whole payload.
"""


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
    on_stream: OnStream | None = None
    """None: a streamed result is collected."""
    answer: Callable[[Result], None] | None = None
    """Called when the runtime has answered but extensions are still at work; `done` follows, with `answered` set."""

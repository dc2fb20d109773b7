"""The trace of the request that is being answered: what it causes carries it on, so that loops can be counted.

Source: Lambda, "recursive loop detection": SQS, SNS and S3 take the trace header into the events that follow.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

HEADER = "X-Amzn-Trace-Id"
ENVIRON_KEY = "HTTP_X_AMZN_TRACE_ID"
_current: ContextVar[str] = ContextVar("trace", default="")


@contextmanager
def following(trace_id: str) -> Iterator[None]:
    """Within it, what is caused belongs to this trace (empty: to none)."""
    token = _current.set(trace_id)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> str:
    """The trace header of the request that is being answered; empty when it has none."""
    return _current.get()


def carrying(send_message: Callable[..., Any]) -> Callable[..., Any]:
    """moto's `SQSBackend.send_message`, with the trace as the message's AWSTraceHeader, unless the sender named one."""

    @functools.wraps(send_message)
    def sent(backend: Any, *arguments: Any, system_attributes: dict[str, Any] | None = None, **named: Any) -> Any:
        attributes = dict(system_attributes or {})
        if current() and "AWSTraceHeader" not in attributes:
            attributes["AWSTraceHeader"] = {"DataType": "String", "StringValue": current()}
        return send_message(backend, *arguments, system_attributes=attributes, **named)

    return sent

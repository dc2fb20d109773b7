"""What moto's services get when they ask for moto's own Lambda: our functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from runtime.gateway.backend.functions import Answer, Functions
from runtime.policy.callers import Service

_caller: ContextVar[Service | None] = ContextVar("caller", default=None)


@contextmanager
def on_behalf_of(caller: Service) -> Iterator[None]:
    """Within it, functions are invoked by `caller`."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


class Handle:
    """One function, as moto handles one."""

    def __init__(self, functions: Functions, arn: str, caller: Service) -> None:
        self._functions = functions
        self._caller = caller
        self.function_arn = arn

    def invoke(self, body: str, *_headers: Any) -> bytes:
        """The payload that the function returned."""
        return _run(self._functions, self.function_arn, body, self._caller).payload


class Bridge:
    """One account's and region's functions; only what moto's services ask for."""

    def __init__(self, functions: Functions, principal: str) -> None:
        self._functions = functions
        self._principal = principal

    def get_function(self, function_name_or_arn: str, qualifier: str | None = None) -> Handle:
        """The function.

        Raises:
            LookupError: there is none, or the caller may not invoke it.
        """
        arn = f"{function_name_or_arn}:{qualifier}" if qualifier else function_name_or_arn
        refusal = self._functions.refusal(arn, self._who())
        if refusal:
            raise LookupError(refusal)
        return Handle(self._functions, arn, self._who())

    def invoke(self, function_name: str, qualifier: str | None, body: str, **_headers: Any) -> bytes:
        """The payload that the function returned.

        Raises:
            RuntimeError: the function failed, or could not be invoked.
        """
        arn = f"{function_name}:{qualifier}" if qualifier else function_name
        return _run(self._functions, arn, body, self._who()).payload

    def _who(self) -> Service:
        return _caller.get() or Service(self._principal)


def _run(functions: Functions, arn: str, body: str, caller: Service) -> Answer:
    answer = functions.invoke(arn, body.encode(), caller)
    if answer.status != 200 or answer.function_error:
        raise RuntimeError(f"{arn}: {answer.message or answer.payload.decode(errors='replace')}")
    return answer

"""Throw-away functions on a target's Lambda service: made, invoked and deleted again."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.clock import Clock
from core.errors import InvalidInput, NotFound, Unavailable
from deploy import aws
from deploy.lambda_client import LambdaClient
from deploy.ports import FunctionSettings
from deploy.targets import Target
from stages.local_test.match import Answer

_REPORTED = re.compile(r"\bDuration: (\d+(?:\.\d+)?) ms")
_ACTIVE_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Invoked:
    """An answer with the last lines that the function logged."""

    answer: Answer
    log: tuple[str, ...]


class ThrowAwayFunctions:
    """On one target. Names are the caller's; a function of that name that a crash left behind is replaced."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._functions = LambdaClient(target)
        self._api: Any = aws.client(target, aws.session(target), "lambda", once=True)

    def create(self, name: str, settings: FunctionSettings, code: bytes, stopped: Callable[[], str]) -> None:
        """Make the function and wait until it can be invoked (or somebody wants to stop).

        Raises:
            InvalidInput: the service refuses it, or it cannot become active.
            NotAllowed, Unavailable: see `deploy.aws.calling`.
        """
        self.delete(name)
        self._functions.create_function(name, settings, code)
        until = self._clock.now().timestamp() + _ACTIVE_WITHIN_S
        while (state := self._functions.function(name)) is not None and state.state == "Pending":
            if stopped():
                return
            if self._clock.now().timestamp() > until:
                raise Unavailable(f"function {name} is still pending", where=f"target {self._target.name}")
            self._clock.sleep(0.5)
        if state is not None and state.state == "Failed":
            raise InvalidInput(
                f"function {name} cannot be made", where=f"target {self._target.name}", why=state.state_reason
            )

    def invoke(self, name: str, event: Any) -> Invoked:
        """The function's answer to `event`, an error of its own being an answer too."""
        started = time.monotonic()
        with aws.calling(self._target, "Invoke", name):
            answer = self._api.invoke(FunctionName=name, Payload=json.dumps(event).encode(), LogType="Tail")
            payload = answer["Payload"].read()
        took_ms = (time.monotonic() - started) * 1000
        log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
        reported = _REPORTED.search(log)
        duration_ms = float(reported.group(1)) if reported else took_ms
        return Invoked(Answer(_value(payload), answer.get("FunctionError", ""), duration_ms), tuple(log.splitlines()))

    def delete(self, name: str) -> None:
        """Delete the function if it is there."""
        try:
            with aws.calling(self._target, "DeleteFunction", name):
                self._api.delete_function(FunctionName=name)
        except NotFound:
            return


def _value(payload: bytes) -> Any:
    text = payload.decode("utf-8", "replace")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text

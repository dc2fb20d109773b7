"""Does what alarms are to do: notifies topics, invokes functions. What is to be done is on disk until it is done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from core.clock import Clock
from runtime.alarms import history, messages
from runtime.alarms.records import Pending
from runtime.alarms.store import AlarmStore
from runtime.names import Scope

_log = logging.getLogger(__name__)
PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com"
"""Source: CloudWatch, "Lambda alarm actions"."""
_ATTEMPTS = 3
_PAUSE_S = 0.5

Invoke = Callable[[str, str, bytes], Awaitable[None]]
"""`invoke(function ARN, alarm ARN, event)`: accept the event for the function; raises what `Refused` says."""


class Services(Protocol):
    """AWS services, the local ones."""

    async def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """The answer of one call (`call("sns", "publish", TopicArn=…)`)."""
        ...


class Refused(Exception):
    """The action cannot be done, and trying again would not help."""


class Actor:
    """Does pending actions, one after the other, whenever it is nudged."""

    def __init__(
        self,
        store: AlarmStore,
        services: Services,
        invoke: Invoke,
        clock: Clock,
        scope: Scope,
        pause_s: float = _PAUSE_S,
    ) -> None:
        self._store = store
        self._services = services
        self._invoke = invoke
        self._clock = clock
        self._scope = scope
        self._pause_s = pause_s
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Do what an earlier server left, and what comes."""
        self._wanted.set()
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop; what is not done stays on disk."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def nudge(self) -> None:
        """There may be something to do."""
        self._wanted.set()

    async def _work(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            for pending in self._store.pending():
                problem = await self._attempted(pending)
                if problem:
                    _log.warning("alarm %s: action %s failed: %s", pending.after.name, pending.resource, problem)
                now = self._clock.now()
                self._store.done(pending.number, history.acted(pending.after, pending.resource, now, problem))

    async def _attempted(self, pending: Pending) -> str:
        """Why the action failed for good; empty when it was done."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._do(pending)
            except Refused as error:
                return str(error)
            except Exception as error:  # noqa: BLE001  (any service's failure is the action's)
                if attempt == _ATTEMPTS:
                    return str(error)
                await asyncio.sleep(self._pause_s * attempt)
            else:
                break
        return ""

    async def _do(self, pending: Pending) -> None:
        before, after, scope, resource = pending.before, pending.after, self._scope, pending.resource
        service = resource.split(":")[2]
        if service == "sns":
            subject, message = messages.subject(after, scope), messages.notification(before, after, scope)
            await self._services.call("sns", "publish", TopicArn=resource, Subject=subject, Message=message)
        elif service == "lambda":
            alarm_arn = messages.arn_of(after.name, scope)
            await self._invoke(resource, alarm_arn, messages.event(before, after, scope))
        else:
            raise Refused("this local runtime's alarms notify SNS topics and invoke Lambda functions")

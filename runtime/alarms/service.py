"""The alarms put together: what is kept, the watch, the actions; started and stopped in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.clock import Clock
from core.ids import Ids
from runtime.alarms.actions import PRINCIPAL, Actor, Invoke, Refused, Services
from runtime.alarms.alarms import Alarms
from runtime.alarms.api import alarm_operations
from runtime.alarms.store import AlarmStore
from runtime.api.errors import ApiError
from runtime.api.rpc import RpcService
from runtime.invoke.invoker import Call
from runtime.metrics.cloudwatch import metric_operations
from runtime.metrics.store import Metrics
from runtime.names import Scope
from runtime.policy.authority import Authority
from runtime.policy.callers import Service
from runtime.queues.events import Events


class CloudWatch:
    """Metrics' alarms, and the service that answers for both."""

    def __init__(
        self, path: Path, metrics: Metrics, services: Services, invoke: Invoke, scope: Scope, clock: Clock, ids: Ids
    ) -> None:
        self._store = AlarmStore(path)
        self._actor = Actor(self._store, services, invoke, clock, scope)
        self._alarms = Alarms(self._store, metrics, clock, scope, self._actor.nudge)
        operations = {**metric_operations(metrics, clock), **alarm_operations(self._alarms, clock, scope)}
        self.service = RpcService("cloudwatch", "monitoring", "GraniteServiceVersion20100801", operations, ids)

    def start(self) -> None:
        """Watch, and do what an earlier server left to do."""
        self._actor.start()
        self._alarms.start()

    async def stop(self) -> None:
        """Watch no longer; what is to be done stays on disk."""
        await self._alarms.stop()
        await self._actor.stop()
        self._store.close()


def invoking(authority: Authority, events: Events, scope: Scope, ids: Ids) -> Invoke:
    """How alarms invoke functions: asynchronously, as far as the function's policy lets CloudWatch do that."""

    async def invoke(function_arn: str, alarm_arn: str, event: bytes) -> None:
        caller = Service(PRINCIPAL, alarm_arn, scope.account)
        try:
            decision = authority.authorise(caller, "lambda:InvokeFunction", function_arn)
            if not decision.allowed:
                raise Refused(f"{PRINCIPAL} is not authorized to perform lambda:InvokeFunction on {function_arn}")
            accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            events.accept(function_arn, None, Call(ids.uuid(), event), lambda: accepted.set_result(None))
        except ApiError as error:
            raise Refused(error.message) from None
        await accepted

    return invoke

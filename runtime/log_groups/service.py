"""CloudWatch Logs put together: its operations, metrics out of log lines, and keeping the files within bounds."""

from __future__ import annotations

from core.clock import Clock
from core.ids import Ids
from runtime.api.rpc import RpcService
from runtime.log_groups.api import GroupOperations
from runtime.log_groups.events_api import EventOperations
from runtime.log_groups.keep import Keeper, Limits
from runtime.log_groups.metric_filters import MetricFilters
from runtime.logs import Logs
from runtime.metrics.cloudwatch import add
from runtime.metrics.embedded import embedded
from runtime.metrics.store import Metrics
from runtime.names import Scope


class CloudWatchLogs:
    """`service` answers; `start` begins to enforce retention."""

    def __init__(
        self, logs: Logs, metrics: Metrics, scope: Scope, clock: Clock, ids: Ids, limits: Limits | None = None
    ) -> None:
        filters = MetricFilters(metrics)
        logs.groups.opened = filters.attach
        groups = GroupOperations(logs, filters, clock, scope)
        table = {**groups.table, **EventOperations(logs, groups, ids).table}
        self.service = RpcService("logs", "logs", "Logs_20140328", table, ids)
        self.keeper = Keeper(logs, clock, limits)

        def hear(text: str, at: float) -> None:
            for samples in embedded(text, at):
                add(metrics, samples)

        logs.embedded = hear

    def start(self) -> None:
        """Keep the files within bounds from now on."""
        self.keeper.start()

    async def stop(self) -> None:
        """Stop."""
        await self.keeper.stop()

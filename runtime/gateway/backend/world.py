"""What the hooks into moto need: functions, deliveries, queues for dead letters, the clock, the account."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.clock import Clock
from core.ids import Ids
from runtime.gateway.backend.deliveries import Dead, Deliveries, Delivery
from runtime.gateway.backend.functions import Functions
from runtime.gateway.backend.log_groups import LogGroups
from runtime.gateway.events.retries import Retries
from runtime.policy.callers import Role, Service

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class World:
    """One for the process."""

    functions: Functions
    deliveries: Deliveries
    clock: Clock
    ids: Ids
    account: str
    region: str
    log_groups: LogGroups

    def deliver(
        self, arn: str, payload: str, caller: Service | Role, retries: Retries, dead: Callable[[Dead], None] | None,
        trace: str = "",
    ) -> None:  # fmt: skip
        """Invoke the function asynchronously, as often as `retries` says, as part of the trace if there is one."""
        self.deliveries.put(Delivery(arn, payload, caller, retries, dead, trace))

    def to_queue(self, arn: str, body: str, attributes: Mapping[str, str], group_id: str | None = None) -> None:
        """Send a message to an SQS queue of moto's; a queue that is not there is only logged."""
        from moto.sqs.models import sqs_backends

        region, account, name = arn.split(":")[3:6]
        shown = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items() if value}
        try:
            sqs_backends[account][region].send_message(name, body, message_attributes=shown, group_id=group_id)
        except Exception as error:  # noqa: BLE001  (whatever moto raises: nobody waits for this)
            _log.warning("%s did not take a message: %s", arn, error)

    def to_topic(self, arn: str, body: str, subject: str | None = None) -> None:
        """Publish to an SNS topic of moto's; a topic that is not there is only logged."""
        from moto.sns.models import sns_backends

        region, account = arn.split(":")[3:5]
        try:
            sns_backends[account][region].publish(body, arn=arn, subject=subject)
        except Exception as error:  # noqa: BLE001
            _log.warning("%s did not take a message: %s", arn, error)

    def to_log_group(self, arn: str, text: str) -> None:
        """Write one event into a log group, in a stream of its own."""
        group = arn.partition(":log-group:")[2].removesuffix(":*")
        self.log_groups.put(group, self.ids.uuid(), text, int(self.clock.now().timestamp() * 1000))

    def dead_letters(self, queue_arn: str | None, names: Mapping[str, str]) -> Callable[[Dead], None] | None:
        """Who keeps events that are given up: the queue, with `names` and why as attributes. None without a queue."""
        if not queue_arn:
            return None

        def bury(dead: Dead) -> None:
            attributes = {
                **names,
                "ERROR_CODE": _ERROR_CODES.get(dead.code, dead.code),
                "ERROR_MESSAGE": dead.message,
                "RETRY_ATTEMPTS": str(dead.attempts - 1) if dead.condition else "",
                "EXHAUSTED_RETRY_CONDITION": dead.condition,
            }
            self.to_queue(queue_arn, dead.payload, attributes)

        return bury


_ERROR_CODES = {
    "AccessDeniedException": "NO_PERMISSIONS",
    "ResourceNotFoundException": "NO_RESOURCE",
    "TooManyRequestsException": "THROTTLING",
}


def queue_of(config: Any) -> str | None:
    """The ARN in a target's DeadLetterConfig, or in a subscription's RedrivePolicy."""
    if isinstance(config, str):
        config = json.loads(config)
    if not isinstance(config, dict):
        return None
    return config.get("Arn") or config.get("deadLetterTargetArn")

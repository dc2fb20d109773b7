"""Rules of moto's EventBridge: which events they match, and what their targets are given."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from runtime.gateway.backend.world import World, queue_of
from runtime.gateway.events.envelopes import Event, seconds
from runtime.gateway.events.inputs import payload_of
from runtime.gateway.events.retries import chosen
from runtime.policy.callers import Service
from runtime.pollers.patterns import BadPattern, compiled

_log = logging.getLogger(__name__)
_PRINCIPAL = "events.amazonaws.com"
_OWN_MEMBERS = frozenset({"ingestion-time"})
"""What moto keeps in an event that AWS does not show."""


class Bus:
    """`others(rule, event)` sends an event in moto's form to the targets that moto itself can reach."""

    def __init__(self, world: World, others: Callable[[Any, Any], None]) -> None:
        self._world = world
        self._others = others

    def publish(self, region: str, event: Event) -> None:
        """Offer an event of an AWS service to every rule of the default bus."""
        from moto.events.models import events_backends

        for rule in list(events_backends[self._world.account][region].event_buses["default"].rules.values()):
            self.offer(rule, event)

    def offer(self, rule: Any, event: Mapping[str, Any]) -> None:
        """Send `event` (moto's form or AWS's) to the rule's targets when it is enabled and its pattern matches."""
        shown = self._shown(event)
        if rule.state == "DISABLED" or not _matches(rule, shown):
            return
        self.fire(rule, shown, event)

    def fire(self, rule: Any, event: Event, original: Mapping[str, Any] | None = None) -> None:
        """Send `event` to every target of the rule."""
        ingested_at = seconds(self._world.clock.now())
        for target in list(rule.targets):
            arn = target["Arn"]
            service = arn.split(":")[2]
            if service not in {"lambda", "sqs", "sns", "logs"}:
                self._hand_over(rule, target, original if original is not None else event)
                continue
            payload = payload_of(target, event, rule.arn, ingested_at)
            if service == "lambda":
                self._invoke(rule, target, payload)
            elif service == "sqs":
                group_id = (target.get("SqsParameters") or {}).get("MessageGroupId")
                self._world.to_queue(arn, payload, {}, group_id)
            elif service == "sns":
                self._world.to_topic(arn, payload)
            else:
                self._world.to_log_group(arn, payload)

    def _invoke(self, rule: Any, target: Mapping[str, Any], payload: str) -> None:
        names = {"RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"]}
        dead = self._world.dead_letters(queue_of(target.get("DeadLetterConfig")), names)
        caller = Service(_PRINCIPAL, rule.arn, self._world.account)
        self._world.deliver(target["Arn"], payload, caller, chosen(target.get("RetryPolicy")), dead)

    def _hand_over(self, rule: Any, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Let moto send it: archives, other buses, API destinations."""
        alone = copy.copy(rule)
        alone.targets = [target]
        at = datetime.fromisoformat(event["time"]).timestamp() if isinstance(event["time"], str) else event["time"]
        try:
            self._others(alone, {"ingestion-time": at, **event, "time": at})
        except Exception as error:  # noqa: BLE001  (whatever moto raises: nobody waits for this)
            _log.warning("%s: nothing was sent to %s: %s", rule.arn, target["Arn"], error or type(error).__name__)

    def _shown(self, event: Mapping[str, Any]) -> Event:
        shown = {name: value for name, value in event.items() if name not in _OWN_MEMBERS}
        if not isinstance(shown.get("time"), str):
            shown["time"] = seconds(datetime.fromtimestamp(float(shown.get("time") or 0), UTC))
        return shown


def _matches(rule: Any, event: Event) -> bool:
    pattern = rule.event_pattern.get_pattern()
    if not pattern:
        return False  # a rule with a schedule alone
    try:
        return compiled(pattern).matches(event)
    except BadPattern as error:
        _log.warning("%s: its pattern cannot be used: %s", rule.arn, error)
        return False

"""Messages of moto's SNS topics are brought to subscribed functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runtime.gateway.backend.deliveries import Dead
from runtime.gateway.backend.traces import current
from runtime.gateway.backend.world import World, queue_of
from runtime.gateway.events.envelopes import sns_event
from runtime.gateway.events.retries import SNS
from runtime.policy.callers import Service

_PRINCIPAL = "sns.amazonaws.com"


class SnsEvents:
    """What a subscription of a function does with a message."""

    def __init__(self, world: World) -> None:
        self._world = world

    def publish(
        self,
        subscription: Any,
        message: str,
        message_id: str,
        subject: str | None,
        attributes: Mapping[str, Any] | None,
        structure: str | None,
    ) -> None:
        """Deliver it, unless the subscription's filter policy says otherwise."""
        matcher = subscription._filter_policy_matcher
        if matcher is not None and not matcher.matches(attributes, message):
            return
        if structure == "json":
            message = subscription._parse_message_structure(message, "lambda")
        posted = subscription.get_post_data(message, message_id, subject, message_attributes=_shown(attributes))
        topic_arn = subscription.topic.arn
        queue = queue_of(subscription.attributes.get("RedrivePolicy"))

        def bury(_dead: Dead) -> None:
            if queue is not None:
                self._world.to_queue(queue, json.dumps(posted), {})

        event = json.dumps(sns_event(posted, subscription.arn))
        caller = Service(_PRINCIPAL, topic_arn, self._world.account)
        self._world.deliver(subscription.endpoint, event, caller, SNS, bury, current())


def _shown(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The message's attributes as JSON can carry them: moto has binary values in base64 already."""
    return {
        name: {
            "Type": each["Type"],
            "Value": each["Value"].decode() if isinstance(each["Value"], bytes) else str(each["Value"]),
        }
        for name, each in (attributes or {}).items()
    }

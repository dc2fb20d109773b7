"""What happens in moto's S3 is told to functions, queues, topics and EventBridge, in S3's own words."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from flask import has_request_context, request

from runtime.gateway.backend.traces import current
from runtime.gateway.backend.world import World
from runtime.gateway.events.envelopes import Change, Event, Request, s3_bus_event, s3_event
from runtime.gateway.events.retries import S3
from runtime.policy.callers import Service

_log = logging.getLogger(__name__)
_PRINCIPAL = "s3.amazonaws.com"
_UNABLE = "Unable to validate the following destination configurations"


class S3Events:
    """Takes the place of moto's own notifications. `publish(region, event)` hands an event to the default bus."""

    def __init__(self, world: World, publish: Callable[[str, Event], None]) -> None:
        self._world = world
        self._publish = publish

    def happened(self, _account: str, event_name: str, bucket: Any, key: Any) -> None:
        """Tell everybody who wants to know. Instead of `moto.s3.notifications.send_event`."""
        name = str(getattr(event_name, "value", event_name)).removeprefix("s3:")
        configuration = bucket.notification_configuration
        if configuration is None or (name.startswith("ObjectTagging:") and not _is_about_tags()):
            return  # moto writes tags with every object, which S3 would not call tagging
        change, who, at = _change(name, bucket, key), self._who(), self._world.clock.now()
        for kind, send in (("cloud_function", self._invoke), ("queue", self._queue), ("topic", self._topic)):
            for each in getattr(configuration, kind):
                if each.matches(f"s3:{name}", key.name):
                    send(each.arn, s3_event(change, who, bucket.region_name, at, each.id), bucket)
        if configuration.event_bridge is not None:
            event = s3_bus_event(change, who, bucket.region_name, at, self._world.ids.uuid())
            if event is not None:
                self._publish(bucket.region_name, event)

    def check(self, bucket: Any, wanted: dict[str, Any] | None) -> None:
        """Refuse a notification configuration that names functions which S3 may not invoke.

        Raises:
            moto.s3.exceptions.S3ClientError: InvalidArgument.
        """
        from moto.s3.exceptions import S3ClientError

        if has_request_context() and request.headers.get("x-amz-skip-destination-validation", "").lower() == "true":
            return
        for each in (wanted or {}).get("CloudFunctionConfiguration") or []:
            arn = each["CloudFunction"]
            try:
                refusal = self._world.functions.refusal(arn, self._caller(bucket))
            except OSError as error:
                refusal = str(error)
            if refusal:
                _log.info("s3 may not invoke %s: %s", arn, refusal)
                raise S3ClientError("InvalidArgument", _UNABLE)

    def _invoke(self, arn: str, event: Event, bucket: Any) -> None:
        self._world.deliver(arn, json.dumps(event), self._caller(bucket), S3, None, current())

    def _queue(self, arn: str, event: Event, _bucket: Any) -> None:
        self._world.to_queue(arn, json.dumps(event), {})

    def _topic(self, arn: str, event: Event, _bucket: Any) -> None:
        self._world.to_topic(arn, json.dumps(event), "Amazon S3 Notification")

    def _caller(self, bucket: Any) -> Service:
        return Service(_PRINCIPAL, f"arn:aws:s3:::{bucket.name}", self._world.account)

    def _who(self) -> Request:
        return Request(self._world.ids.uuid().replace("-", "")[:16].upper(), "127.0.0.1", self._world.account)


def _change(name: str, bucket: Any, key: Any) -> Change:
    written = not name.startswith(("ObjectRemoved:", "LifecycleExpiration:"))
    return Change(
        name=name,
        bucket=bucket.name,
        key=key.name,
        size_bytes=key.size if written else None,
        etag=key.etag.replace('"', "") if written else "",
        version_id=str(key.version_id) if bucket.is_versioned and key.version_id not in {None, "null"} else "",
        sequencer=f"{time.time_ns():018X}",
    )


def _is_about_tags() -> bool:
    return not has_request_context() or "tagging" in request.args

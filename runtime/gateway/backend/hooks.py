"""Where moto is joined to us: the few of its functions that are replaced, each by name, once its service is loaded."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from runtime.gateway.backend import traces
from runtime.gateway.backend.bridge import Bridge, on_behalf_of
from runtime.gateway.backend.bus import Bus
from runtime.gateway.backend.clockwork import Clockwork
from runtime.gateway.backend.s3 import S3Events
from runtime.gateway.backend.sns import SnsEvents
from runtime.gateway.backend.world import World
from runtime.gateway.events import schedules
from runtime.gateway.events.cron import BadExpression
from runtime.policy.callers import Service

_log = logging.getLogger(__name__)


class Hooks:
    """`prepare(service)` joins one service of moto's, once. A name that moto no longer has is an AttributeError."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._bus = Bus(world, lambda rule, event: self._send_to_targets(rule, event))
        self._send_to_targets: Callable[..., None] = lambda *_: None
        self._clockwork = Clockwork(world, self._bus)
        self._done: set[str] = set()
        self._all: dict[str, Callable[[], None]] = {
            "s3": self._s3,
            "sns": self._sns,
            "sqs": self._sqs,
            "events": self._events,
            "scheduler": self._scheduler,
            "secretsmanager": self._secretsmanager,
            "cloudformation": self._cloudformation,
        }

    def prepare(self, service: str) -> None:
        """Called before the service's first request."""
        for name in self._all if service == "cloudformation" else (service,):  # stacks make things of every service
            if name in self._all and name not in self._done:
                self._done.add(name)
                self._all[name]()

    def start(self) -> None:
        """Lead every service that asks for moto's Lambda to ours; let state machines run, and schedules come due."""
        import moto.awslambda.utils
        from moto.core.config import default_user_config

        bridge = Bridge(self._world.functions, "lambda.amazonaws.com")
        _replace(moto.awslambda.utils, "get_backend", lambda *_: bridge)
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        self._clockwork.start()

    def _s3(self) -> None:
        from moto.s3 import models, notifications

        events = S3Events(self._world, self._publish)
        _replace(notifications, "send_event", events.happened)
        _replace(models, "events_send_notification", lambda **_: None)  # S3 itself tells nobody of new buckets
        configure = models.FakeBucket.set_notification_configuration

        def set_notification_configuration(bucket: Any, wanted: dict[str, Any] | None) -> None:
            events.check(bucket, wanted)
            configure(bucket, wanted)

        _replace(models.FakeBucket, "set_notification_configuration", set_notification_configuration)
        mark = models.S3Backend._set_delete_marker

        def set_delete_marker(backend: Any, bucket_name: str, key_name: str) -> Any:
            marker = mark(backend, bucket_name, key_name)
            events.happened("", "s3:ObjectRemoved:DeleteMarkerCreated", backend.get_bucket(bucket_name), marker)
            return marker

        _replace(models.S3Backend, "_set_delete_marker", set_delete_marker)

    def _publish(self, region: str, event: dict[str, Any]) -> None:
        self.prepare("events")
        self._bus.publish(region, event)

    def _sns(self) -> None:
        from moto.sns.models import Subscription

        events, usual = SnsEvents(self._world), Subscription.publish

        @functools.wraps(usual)
        def publish(
            subscription: Any,
            message: str,
            message_id: str,
            subject: str | None = None,
            message_attributes: dict[str, Any] | None = None,
            group_id: str | None = None,
            deduplication_id: str | None = None,
            message_structure: str | None = None,
        ) -> None:
            if subscription.protocol == "lambda":
                events.publish(subscription, message, message_id, subject, message_attributes, message_structure)
                return
            usual(
                subscription, message, message_id, subject, message_attributes, group_id, deduplication_id,
                message_structure,
            )  # fmt: skip

        _replace(Subscription, "publish", publish)

    def _sqs(self) -> None:
        from moto.sqs.models import SQSBackend

        _replace(SQSBackend, "send_message", traces.carrying(SQSBackend.send_message))

    def _events(self) -> None:
        from moto.events.exceptions import ValidationException
        from moto.events.models import EventsBackend, Rule

        self._send_to_targets, put_rule = Rule.send_to_targets, EventsBackend.put_rule
        _replace(Rule, "send_to_targets", lambda rule, event, transform_input=True: self._bus.offer(rule, event))  # noqa: ARG005

        @functools.wraps(put_rule)
        def checked(backend: Any, *arguments: Any, **named: Any) -> Any:
            try:
                if named.get("scheduled_expression"):
                    schedules.parse(named["scheduled_expression"])
            except BadExpression as error:
                _log.info("%s: %s", named["scheduled_expression"], error)
                raise ValidationException("Parameter ScheduleExpression is not valid.") from None
            return put_rule(backend, *arguments, **named)

        _replace(EventsBackend, "put_rule", checked)
        self._clockwork.watch("events")

    def _scheduler(self) -> None:
        from moto.scheduler.exceptions import ValidationException
        from moto.scheduler.models import EventBridgeSchedulerBackend

        def checking(usual: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(usual)
            def checked(backend: Any, **named: Any) -> Any:
                expression = named["schedule_expression"]
                try:
                    schedules.parse(expression, once=True)
                except BadExpression as error:
                    raise ValidationException(f"Invalid Schedule Expression {expression}: {error}") from None
                return usual(backend, **named)

            return checked

        for name in ("create_schedule", "update_schedule"):
            _replace(EventBridgeSchedulerBackend, name, checking(getattr(EventBridgeSchedulerBackend, name)))
        self._clockwork.watch("scheduler")

    def _secretsmanager(self) -> None:
        from moto.secretsmanager.models import SecretsManagerBackend

        usual = SecretsManagerBackend.rotate_secret

        @functools.wraps(usual)
        def rotate_secret(backend: Any, *arguments: Any, **named: Any) -> Any:
            secret_id = named.get("secret_id") or arguments[0]
            secret = backend.secrets.get(secret_id)
            arn = secret.arn if secret is not None else secret_id
            with on_behalf_of(Service("secretsmanager.amazonaws.com", arn, self._world.account)):
                return usual(backend, *arguments, **named)

        _replace(SecretsManagerBackend, "rotate_secret", rotate_secret)

    def _cloudformation(self) -> None:
        from moto.cloudformation import custom_model, parsing
        from moto.cloudformation.exceptions import ValidationError

        bridge = Bridge(self._world.functions, "cloudformation.amazonaws.com")
        _replace(custom_model, "get_lambda_backend", lambda *_: bridge)
        known = parsing.resource_class_from_type

        def resource_class_from_type(kind: str) -> Any:
            if kind.startswith("AWS::Lambda::"):
                raise ValidationError(message=f"Stacks of this local runtime cannot contain {kind}; use the Lambda API")
            return known(kind)

        _replace(parsing, "resource_class_from_type", resource_class_from_type)


def _replace(owner: Any, name: str, new: Any) -> None:
    getattr(owner, name)
    setattr(owner, name, new)

"""Who is told about an asynchronous event that ended: its destinations, and its dead-letter queue."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.catalog.store import Catalog
from runtime.invoke import lineage
from runtime.invoke.route import Route
from runtime.queues.delivery import FAILED_DEAD_LETTER, Delivery
from runtime.queues.records import SUCCESS, Ending, dead_letter, destination_record, for_topic, object_key
from runtime.queues.senders import service_of

_DETAIL_TYPE = "Lambda Function Invocation Result - "


@dataclass(frozen=True, slots=True)
class Place:
    """What an event was for: the route, and the qualified ARN."""

    route: Route
    arn: str


def deliveries(catalog: Catalog, place: Place, ending: Ending, trace_id: str) -> list[Delivery]:
    """The records to send: none, one, or two (a failure's destination and the dead-letter queue)."""
    succeeded = ending.condition == SUCCESS
    route, qualifier = place.route, place.route.resource.partition(":")[2] or None
    config = catalog.event_invoke_config(route.function, qualifier)
    trace_id = lineage.entered(trace_id, route.function)
    found = []
    target = "" if config is None else config.on_success if succeeded else config.on_failure
    if target:
        found.append(
            Delivery(
                target=target,
                body=for_topic(ending) if service_of(target) == "sns" else destination_record(ending),
                function=route.function,
                resource=route.resource,
                request_id=ending.request_id,
                trace_id=trace_id,
                object_key=object_key(ending),
                detail_type=_DETAIL_TYPE + ("Success" if succeeded else "Failure"),
                source_arn=place.arn,
            )
        )
    queue = "" if succeeded else _dead_letter_queue(catalog, route, ending.executed_version)
    if queue:
        found.append(
            Delivery(
                target=queue,
                body=ending.payload,
                function=route.function,
                resource=route.resource,
                request_id=ending.request_id,
                metric=FAILED_DEAD_LETTER,
                attributes=dead_letter(ending),
                trace_id=trace_id,
            )
        )
    return found


def _dead_letter_queue(catalog: Catalog, route: Route, executed: str) -> str:
    """The queue or topic of the version that ran, or would have. Source: reference §11, "version-specific config"."""
    version = catalog.version(route.function, executed or route.version)
    config = version.settings.get("DeadLetterConfig") if version is not None else None
    return str((config or {}).get("TargetArn") or "")

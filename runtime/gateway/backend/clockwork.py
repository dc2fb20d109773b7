"""Rules with schedules, and EventBridge Scheduler's schedules: they come due by the clock, in real time."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runtime.gateway.backend.bus import Bus
from runtime.gateway.backend.world import World, queue_of
from runtime.gateway.events import schedules
from runtime.gateway.events.envelopes import bus_event, seconds
from runtime.gateway.events.inputs import compact
from runtime.gateway.events.retries import chosen
from runtime.policy.callers import Role

_log = logging.getLogger(__name__)
_LOOK_S = 0.2
"""How often schedules are looked at; changes and due times are noticed within this."""


@dataclass(slots=True)
class _Timer:
    """When something that has a schedule comes due next."""

    expression: str
    schedule: schedules.Schedule
    since: datetime
    due: datetime | None


class Clockwork:
    """One for the process. What was due while the process did not run is not made up for."""

    def __init__(self, world: World, bus: Bus) -> None:
        self._world = world
        self._bus = bus
        self._timers: dict[str, _Timer] = {}
        self._watching: set[str] = set()

    def start(self) -> None:
        """Look again and again, in a thread of its own, for as long as the process runs."""
        threading.Thread(target=self._run, name="clockwork", daemon=True).start()

    def watch(self, service: str) -> None:
        """Look at the schedules of `events` or `scheduler` from now on."""
        self._watching.add(service)

    def tick(self) -> None:
        """Fire what is due."""
        now, seen = self._world.clock.now(), set()
        for rule in self._rules() if "events" in self._watching else ():
            seen.add(rule.arn)
            due = self._due(rule.arn, rule.scheduled_expression, "UTC", now)
            if due is not None:
                self._fire_rule(rule, due)
        for group, schedule in self._schedules() if "scheduler" in self._watching else ():
            seen.add(schedule.arn)
            expression, zone = schedule.schedule_expression, schedule.schedule_expression_timezone
            due = self._due(schedule.arn, expression, zone, now)
            if due is not None and _within(schedule, due):
                self._fire_schedule(schedule, due)
            self._complete(group, schedule)
        for gone in self._timers.keys() - seen:
            del self._timers[gone]

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LOOK_S):
            try:
                self.tick()
            except Exception:  # noqa: BLE001  (one bad schedule must not stop the clock)
                _log.exception("a schedule could not be followed")

    def _due(self, arn: str, expression: str, zone: str, now: datetime) -> datetime | None:
        """The time that has come; None when none has."""
        timer, written = self._timers.get(arn), f"{expression} {zone}"
        if timer is None or timer.expression != written:
            schedule = schedules.parse(expression, ZoneInfo(zone), once=True)
            self._timers[arn] = _Timer(written, schedule, now, schedule.next_after(now, now))
            return None
        if timer.due is None or timer.due > now:
            return None
        due, timer.due = timer.due, timer.schedule.next_after(now, timer.since)
        return due

    def _rules(self) -> Iterator[Any]:
        from moto.events.models import events_backends

        for backend in list(events_backends[self._world.account].values()):
            for rule in list(backend.event_buses["default"].rules.values()):
                if rule.scheduled_expression and rule.state != "DISABLED":
                    yield rule

    def _schedules(self) -> Iterator[tuple[Any, Any]]:
        from moto.scheduler.models import scheduler_backends

        for backend in list(scheduler_backends[self._world.account].values()):
            for group in list(backend.schedule_groups.values()):
                for schedule in list(group.schedules.values()):
                    if schedule.state == "ENABLED":
                        yield group, schedule

    def _fire_rule(self, rule: Any, due: datetime) -> None:
        world = self._world
        event = bus_event(
            "aws.events", "Scheduled Event", {}, world.account, rule.region_name, due, world.ids.uuid(), [rule.arn]
        )
        self._bus.fire(rule, event)

    def _fire_schedule(self, schedule: Any, due: datetime) -> None:
        target, world = schedule.target, self._world
        arn, execution = target["Arn"], world.ids.uuid()
        region = schedule.arn.split(":")[3]
        default = bus_event(
            "aws.scheduler", "Scheduled Event", "{}", world.account, region, due, execution, [schedule.arn]
        )
        payload = target.get("Input") or compact(default)
        for name, value in (
            ("schedule-arn", schedule.arn),
            ("scheduled-time", seconds(due)),
            ("execution-id", execution),
            ("attempt-number", "1"),
        ):
            payload = payload.replace(f"<aws.scheduler.{name}>", value)
        caller = Role(target["RoleArn"], execution.replace("-", ""))
        names = {"SCHEDULE_ARN": schedule.arn, "TARGET_ARN": arn}
        dead = world.dead_letters(queue_of(target.get("DeadLetterConfig")), names)
        if arn.endswith(":aws-sdk:lambda:invoke"):
            call = json.loads(payload)
            arn, payload = call["FunctionName"], call.get("Payload", "{}")
        service = arn.split(":")[2] if arn.startswith("arn:") else "lambda"
        if service == "lambda":
            world.deliver(arn, payload, caller, chosen(target.get("RetryPolicy")), dead)
        elif service == "sqs" and arn.startswith("arn:aws:sqs:"):
            world.to_queue(arn, payload, {}, (target.get("SqsParameters") or {}).get("MessageGroupId"))
        elif service == "sns":
            world.to_topic(arn, payload)
        else:
            _log.warning("%s: targets of %s are not reached by this local runtime", schedule.arn, service)

    def _complete(self, group: Any, schedule: Any) -> None:
        """Delete a schedule that will not come due again, when it asked for that."""
        timer = self._timers.get(schedule.arn)
        ended = schedule.end_date is not None and _moment(schedule.end_date) < self._world.clock.now()
        if schedule.action_after_completion == "DELETE" and timer is not None and (timer.due is None or ended):
            group.schedules.pop(schedule.name, None)


def _within(schedule: Any, due: datetime) -> bool:
    """Whether `due` lies between the schedule's StartDate and EndDate; neither counts for one that comes once."""
    if schedule.schedule_expression.startswith("at("):
        return True
    start, end = schedule.start_date, schedule.end_date
    return (start is None or _moment(start) <= due) and (end is None or due <= _moment(end) + timedelta(seconds=1))


def _moment(value: Any) -> datetime:
    """A point in time as moto keeps it: epoch seconds, or ISO 8601."""
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except ValueError:
        at = datetime.fromisoformat(str(value))
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

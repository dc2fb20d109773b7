"""Rules and schedules of moto come due by a declared clock; deliveries are tried again as their producers do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from core.clock import VirtualClock
from core.ids import RandomIds
from runtime.gateway.backend.bus import Bus
from runtime.gateway.backend.clockwork import Clockwork
from runtime.gateway.backend.deliveries import Dead, Deliveries, Delivery
from runtime.gateway.backend.functions import Answer
from runtime.gateway.backend.world import World
from runtime.gateway.events.retries import Retries
from runtime.policy.callers import Role, Service
from tests.fakes.runtime_process import until

ACCOUNT, REGION = "111111111111", "us-east-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


class Kept:
    """Deliveries that are kept instead of made."""

    def __init__(self) -> None:
        self.all: list[Delivery] = []

    def put(self, delivery: Delivery) -> None:
        """Keep it."""
        self.all.append(delivery)


class Scene:
    """A clock, its schedules, and what they set off."""

    def __init__(self) -> None:
        self.clock, self.kept = VirtualClock(START), Kept()
        world = World(None, self.kept, self.clock, RandomIds(), ACCOUNT, REGION, None)  # type: ignore[arg-type]
        self.clockwork = Clockwork(world, Bus(world, lambda *_: None))
        self.clockwork.watch("events")
        self.clockwork.watch("scheduler")
        self.rules = events_backends[ACCOUNT][REGION]
        self.schedules = scheduler_backends[ACCOUNT][REGION]

    def rule(self, expression: str, **more: Any) -> None:
        """A rule with that schedule and the function as its target, seen by the clockwork."""
        self.rules.put_rule("rule", scheduled_expression=expression, **more)
        self.rules.put_targets("rule", "default", [{"Id": "1", "Arn": FUNCTION}])
        self.clockwork.tick()

    def schedule(self, expression: str, **more: Any) -> None:
        """A schedule, seen by the clockwork."""
        given: dict[str, Any] = {
            "description": None, "end_date": None, "flexible_time_window": {"Mode": "OFF"}, "group_name": None,
            "kms_key_arn": None, "name": "schedule", "schedule_expression": expression,
            "schedule_expression_timezone": None, "start_date": None, "state": None, "action_after_completion": None,
            "target": {"Arn": FUNCTION, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/scheduler"},
        }  # fmt: skip
        self.schedules.create_schedule(**{**given, **more})
        self.clockwork.tick()

    def after(self, seconds: float) -> list[dict[str, Any]]:
        """The events that were set off in that time, looked at every second."""
        self.kept.all.clear()
        for _ in range(int(seconds)):
            self.clock.advance(1)
            self.clockwork.tick()
        return [json.loads(each.payload) for each in self.kept.all]


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Empty."""
    made = Scene()
    yield made
    made.rules.event_buses["default"].rules.clear()
    made.schedules.schedule_groups["default"].schedules.clear()


def test_a_rate_fires_the_documented_event_every_time(scene: Scene) -> None:
    scene.rule("rate(5 minutes)")
    assert scene.after(299) == []
    event = scene.after(1)[0]
    assert event == {
        "version": "0", "id": event["id"], "detail-type": "Scheduled Event", "source": "aws.events",
        "account": ACCOUNT, "time": "2026-01-01T12:05:30Z", "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/rule"], "detail": {},
    }  # fmt: skip
    delivery = scene.kept.all[0]
    assert delivery.caller == Service("events.amazonaws.com", event["resources"][0], ACCOUNT)
    assert [each["time"] for each in scene.after(600)] == ["2026-01-01T12:10:30Z", "2026-01-01T12:15:30Z"]


def test_a_cron_rule_fires_at_its_minutes_and_not_while_it_is_disabled(scene: Scene) -> None:
    scene.rule("cron(0/2 12 * * ? *)")
    assert [each["time"] for each in scene.after(240)] == ["2026-01-01T12:02:00Z", "2026-01-01T12:04:00Z"]
    scene.rules.disable_rule("rule", "default")
    assert scene.after(300) == []
    scene.rules.enable_rule("rule", "default")
    assert [each["time"] for each in scene.after(60)] == ["2026-01-01T12:10:00Z"]


def test_a_rule_with_a_schedule_alone_matches_no_event(scene: Scene) -> None:
    scene.rule("rate(1 day)")
    rule = scene.rules.event_buses["default"].rules["rule"]
    Bus(scene.clockwork._world, lambda *_: None).offer(rule, {"source": "x", "time": "2026-01-01T00:00:00Z"})
    assert scene.kept.all == []


def test_a_changed_expression_counts_from_the_change(scene: Scene) -> None:
    scene.rule("rate(5 minutes)")
    scene.after(240)
    scene.rule("rate(2 minutes)")
    assert [each["time"] for each in scene.after(130)] == ["2026-01-01T12:06:30Z"]


def test_a_schedule_keeps_to_its_dates_and_its_zone_and_invokes_as_its_role(scene: Scene) -> None:
    start, end = START.timestamp() + 100, START.timestamp() + 340
    scene.schedule("rate(1 minute)", start_date=start, end_date=end)
    events = scene.after(600)
    assert [each["time"] for each in events] == [f"2026-01-01T12:0{minute}:30Z" for minute in (2, 3, 4, 5)]
    assert events[0]["source"] == "aws.scheduler"
    assert isinstance(scene.kept.all[0].caller, Role)
    assert scene.kept.all[0].caller.arn == f"arn:aws:iam::{ACCOUNT}:role/scheduler"


def test_a_schedule_in_another_zone(scene: Scene) -> None:
    scene.schedule("at(2026-01-01T13:01:00)", schedule_expression_timezone="Europe/Berlin")
    assert [each["time"] for each in scene.after(600)] == ["2026-01-01T12:01:00Z"]
    assert "schedule" in scene.schedules.schedule_groups["default"].schedules


def test_a_schedule_that_is_complete_goes_when_it_asked_to(scene: Scene) -> None:
    scene.schedule("at(2026-01-01T12:01:00)", action_after_completion="DELETE")
    assert len(scene.after(60)) == 1
    assert scene.schedules.schedule_groups["default"].schedules == {}


# deliveries ---------------------------------------------------------------------------------------------------------


class Endpoint:
    """A server that answers with these statuses, one after the other, or is away (0)."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.asked = 0

    def invoke(self, _arn: str, _payload: bytes, _caller: Any, kind: str, _trace: str = "") -> Answer:
        """The next answer."""
        assert kind == "Event"
        self.asked += 1
        status = self._statuses.pop(0)
        if not status:
            raise ConnectionRefusedError
        return Answer(status, b'{"message": "no"}', "", "SomeException" if status >= 400 else "")


def delivered(endpoint: Endpoint, retries: Retries, count: int) -> list[Dead]:
    """Those that were given up, once the endpoint was asked `count` times."""
    dead: list[Dead] = []
    deliveries = Deliveries(endpoint)  # type: ignore[arg-type]
    deliveries.put(Delivery(FUNCTION, '"event"', Service("sns.amazonaws.com"), retries, dead.append))
    until(lambda: endpoint.asked == count)
    return dead


def test_a_delivery_is_tried_again_until_it_is_taken() -> None:
    endpoint = Endpoint(500, 429, 0, 202)
    assert delivered(endpoint, Retries(5, 60, immediate=5), 4) == []


def test_a_refusal_is_given_up_at_once() -> None:
    dead = delivered(Endpoint(403), Retries(5, 60, immediate=5), 1)
    until(lambda: dead)
    assert (dead[0].code, dead[0].message, dead[0].attempts, dead[0].condition) == ("SomeException", "no", 1, "")


def test_attempts_run_out_and_an_absent_server_costs_none() -> None:
    dead = delivered(Endpoint(500, 0, 500), Retries(1, 60, immediate=5), 3)
    until(lambda: dead)
    assert (dead[0].attempts, dead[0].condition, dead[0].payload) == (2, "MaximumRetryAttempts", '"event"')

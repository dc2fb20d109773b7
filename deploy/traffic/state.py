"""A rollout as one frozen value, and that value as plain data for the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.units import iso, parse_iso
from deploy.analysis import alarms as alarm_data
from deploy.analysis.alarms import Alarm
from deploy.analysis.verdict import Verdict
from deploy.traffic import weights
from deploy.traffic.machine import Lifecycle, Status
from deploy.traffic.strategy import ALL_AT_ONCE, Step, Steps
from deploy.traffic.weights import Routing


class RollbackEvent(StrEnum):
    """What a deployment may be rolled back for. Source: CodeDeploy AutoRollbackConfiguration."""

    FAILURE = "DEPLOYMENT_FAILURE"
    ALARM = "DEPLOYMENT_STOP_ON_ALARM"
    REQUEST = "DEPLOYMENT_STOP_ON_REQUEST"


EVERY_ROLLBACK = tuple(RollbackEvent)


@dataclass(frozen=True, slots=True)
class Intent:
    """A write to the alias that is on record, and not yet known to have happened. `step` indexes the steps."""

    step: int
    routing: Routing
    at: datetime


@dataclass(frozen=True, slots=True)
class Harm:
    """What the new version did, as the metrics tell: its invocations and errors, and when its errors began."""

    invocations: int
    errors: int
    first_error_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """One deployment's whole state.

    `base` is the alias's routing at the start, None when there was no alias; `routing` and `revision_id` are the
    alias as last confirmed. `step` indexes the confirmed step, -1 before the first. `touched` says that a write was
    ever put on record. `rollback_of` names the deployment this one undoes ("" for an ordinary one).
    """

    deployment_id: str
    function: str
    alias: str
    base: Routing | None
    new_version: str
    revision_id: str
    steps: Steps = ALL_AT_ONCE
    before_hook: str = ""
    after_hook: str = ""
    alarms: tuple[Alarm, ...] = ()
    rollback_on: tuple[RollbackEvent, ...] = EVERY_ROLLBACK
    ignore_unreadable_alarms: bool = False
    status: Status = Status.CREATED
    stage: Lifecycle = Lifecycle.START
    step: int = -1
    routing: Routing | None = None
    intent: Intent | None = None
    given_up: Routing | None = None  # an intent that must not happen any more, but whose write may still arrive
    touched: bool = False
    hook_started: bool = False
    step_from: datetime | None = None  # the metrics of the present step begin here
    shifted_at: datetime | None = None  # the present step's wait begins here
    first_shift_at: datetime | None = None
    unreadable_since: datetime | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    code: str = ""
    why: str = ""
    ended_by: RollbackEvent | None = None  # what a rollback would be for; None while it goes well, and after drift
    detected_at: datetime | None = None
    harm: Harm | None = None
    rollback_due: bool = False
    rollback_deployment_id: str = ""
    rollback_of: str = ""

    @property
    def weight_pct(self) -> float:
        """The percentage of the traffic that the new version has, as last confirmed."""
        return self.routing.weight_pct(self.new_version) if self.routing else 0.0

    @property
    def old_version(self) -> str:
        """The version that had the traffic before; "" when there was no alias."""
        return self.base.version if self.base else ""


_TIMES = ("step_from", "shifted_at", "first_shift_at", "unreadable_since", "detected_at")
_PLAIN = (
    "deployment_id", "function", "alias", "new_version", "revision_id", "before_hook", "after_hook",
    "ignore_unreadable_alarms", "step", "touched", "hook_started", "code", "why", "rollback_due",
    "rollback_deployment_id", "rollback_of",
)  # fmt: skip


def to_data(state: Rollout) -> dict[str, Any]:
    """`state` as plain, JSON-able data; `weight_pct` and `old_version` are added for readers."""
    data: dict[str, Any] = {name: getattr(state, name) for name in _PLAIN}
    data |= {name: _time(getattr(state, name)) for name in _TIMES}
    intent, harm = state.intent, state.harm
    return data | {
        "base": weights.to_data(state.base) if state.base else None,
        "routing": weights.to_data(state.routing) if state.routing else None,
        "given_up": weights.to_data(state.given_up) if state.given_up else None,
        "steps": [[step.weight_pct, step.wait_s] for step in state.steps],
        "alarms": [alarm_data.to_data(alarm) for alarm in state.alarms],
        "rollback_on": [event.value for event in state.rollback_on],
        "status": state.status.value,
        "stage": state.stage.value,
        "ended_by": state.ended_by.value if state.ended_by else None,
        "intent": {"step": intent.step, "routing": weights.to_data(intent.routing), "at": iso(intent.at)}
        if intent
        else None,
        "verdicts": {name: verdict.value for name, verdict in state.verdicts.items()},
        "harm": {
            "invocations": harm.invocations,
            "errors": harm.errors,
            "first_error_at": _time(harm.first_error_at),
        }
        if harm
        else None,
        "weight_pct": state.weight_pct,
        "old_version": state.old_version,
    }


def from_data(data: Mapping[str, Any]) -> Rollout:
    """What `to_data` wrote."""
    intent, harm = data["intent"], data["harm"]
    plain: dict[str, Any] = {name: data[name] for name in _PLAIN}
    plain |= {name: _parsed(data[name]) for name in _TIMES}
    return Rollout(
        **plain,
        base=weights.from_data(data["base"]) if data["base"] else None,
        routing=weights.from_data(data["routing"]) if data["routing"] else None,
        given_up=weights.from_data(data["given_up"]) if data["given_up"] else None,
        steps=tuple(Step(float(weight_pct), float(wait_s)) for weight_pct, wait_s in data["steps"]),
        alarms=tuple(alarm_data.from_data(alarm) for alarm in data["alarms"]),
        rollback_on=tuple(RollbackEvent(event) for event in data["rollback_on"]),
        status=Status(data["status"]),
        stage=Lifecycle(data["stage"]),
        intent=Intent(intent["step"], weights.from_data(intent["routing"]), parse_iso(intent["at"]))
        if intent
        else None,
        ended_by=RollbackEvent(data["ended_by"]) if data["ended_by"] else None,
        verdicts={name: Verdict(value) for name, value in data["verdicts"].items()},
        harm=Harm(harm["invocations"], harm["errors"], _parsed(harm["first_error_at"])) if harm else None,
    )


def _time(at: datetime | None) -> str | None:
    return iso(at) if at else None


def _parsed(text: str | None) -> datetime | None:
    return parse_iso(text) if text else None

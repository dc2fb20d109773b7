"""The records of alarms: one alarm, one item of its history, one action that is still to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

METRIC, COMPOSITE = "MetricAlarm", "CompositeAlarm"


class State(StrEnum):
    """What an alarm says (Source: CloudWatch's StateValue)."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm as it is now."""

    name: str
    kind: str
    """`MetricAlarm` or `CompositeAlarm`."""
    settings: Mapping[str, Any]
    """Its configuration under CloudWatch's names, without AlarmName and Tags."""
    configured: datetime
    state: State
    reason: str
    updated: datetime
    """When the state was last set or its reason changed."""
    transitioned: datetime
    """When the state last became another."""
    reason_data: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def acts(self) -> bool:
        """Whether its actions are enabled."""
        return bool(self.settings.get("ActionsEnabled", True))

    @property
    def actions(self) -> tuple[str, ...]:
        """The ARNs of what is to be done on entering the present state."""
        member = {State.OK: "OKActions", State.ALARM: "AlarmActions"}.get(self.state, "InsufficientDataActions")
        return tuple(self.settings.get(member, ()))


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an alarm's history."""

    alarm: str
    kind: str
    at: datetime
    type: str
    """`ConfigurationUpdate`, `StateUpdate` or `Action`."""
    summary: str
    data: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An action that is to be done, with the alarm as it was when it became so, and as it was before."""

    number: int
    resource: str
    before: Alarm
    after: Alarm

"""Schedule expressions of rules and of EventBridge Scheduler: rate(), cron(), at(). Pure.

Source: EventBridge's "Creating a rule that runs on a schedule", Scheduler's "Schedule types".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from runtime.gateway.events import cron
from runtime.gateway.events.cron import BadExpression

_RATE = re.compile(r"rate\(\s*(\d+)\s+(minutes?|hours?|days?)\s*\)")
_CRON = re.compile(r"cron\((.*)\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so often, counted from when the schedule was made."""

    every: timedelta

    def next_after(self, after: datetime, since: datetime) -> datetime | None:
        """The first multiple of the interval since `since` that is later than `after`."""
        passed = max(0, int((after - since) / self.every))
        due = since + self.every * passed
        return due if due > after else due + self.every


@dataclass(frozen=True, slots=True)
class At:
    """Once."""

    time: datetime

    def next_after(self, after: datetime, since: datetime) -> datetime | None:  # noqa: ARG002  (as the others)
        """The time, until it is past."""
        return self.time if self.time > after else None


@dataclass(frozen=True, slots=True)
class Calendar:
    """By the calendar of a time zone."""

    expression: cron.Cron
    zone: tzinfo

    def next_after(self, after: datetime, since: datetime) -> datetime | None:  # noqa: ARG002  (as the others)
        """The first time later than `after`."""
        return self.expression.next_after(after, self.zone)


Schedule = Rate | At | Calendar


def parse(text: str, zone: tzinfo = UTC, *, once: bool = False) -> Schedule:
    """The schedule in `text`; `once` allows at().

    Raises:
        BadExpression: not one that AWS would take.
    """
    rate = _RATE.fullmatch(text)
    if rate is not None:
        count, unit = int(rate.group(1)), rate.group(2)
        if count < 1:
            raise BadExpression("a rate is at least 1")
        if (count == 1) == unit.endswith("s"):
            raise BadExpression(f"write rate({count} {unit.rstrip('s')}{'' if count == 1 else 's'})")
        return Rate(timedelta(seconds=count * _SECONDS[unit.rstrip("s")]))
    at = _AT.fullmatch(text)
    if at is not None and once:
        try:
            return At(datetime.fromisoformat(at.group(1)).replace(tzinfo=zone).astimezone(UTC))
        except ValueError as error:
            raise BadExpression(str(error)) from None
    calendar = _CRON.fullmatch(text)
    if calendar is None:
        raise BadExpression("it is none of rate(), cron()" + (", at()" if once else ""))
    return Calendar(cron.parse(calendar.group(1)), zone)

"""When a schedule comes due: cron in a time zone, pure.

A five-field expression means what Debian's cron makes of it. At fixed hours: a time that daylight saving skips runs
at the first minute after the gap, one that happens twice runs the first time. With `*` for hour or minute: whenever
the clock on the wall shows it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

from pipelines.definition.model import ScheduleTrigger

# With catchUp none, a due time counts as met when it is seen this soon.
GRACE = timedelta(minutes=1)
# With catchUp all, how many due times one look gives at most; the next look goes on from there.
MOST = 100
# How far back the latest due time is looked for, step by step.
_SPANS = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=367))


@dataclass(frozen=True, slots=True)
class Look:
    """What a schedule asks for: start at each of `due` (UTC, ascending), then remember `cursor`.

    `missed` says that due times before or besides those passed without a start.
    """

    due: tuple[datetime, ...]
    cursor: datetime
    missed: bool = False


def digest(trigger: ScheduleTrigger) -> str:
    """Twelve hex digits for the times it means; another cron or zone is another schedule."""
    meaning = f"{' '.join(trigger.cron.split())}\n{trigger.timezone}"
    return hashlib.sha256(meaning.encode()).hexdigest()[:12]


def next_due(trigger: ScheduleTrigger, after: datetime) -> datetime | None:
    """The first due time later than `after`, in UTC; None when there will be none."""
    return next(_due(trigger, after), None)


def look(trigger: ScheduleTrigger, cursor: datetime, now: datetime) -> Look:
    """What is due later than `cursor` and not later than `now`, of that what `catchUp` wants."""
    first = next_due(trigger, cursor)
    if first is None or first > now:
        return Look((), cursor)
    if trigger.catch_up == "all":
        due = tuple(islice(_until(trigger, cursor, now), MOST))
        return Look(due, due[-1])
    latest = _latest(trigger, cursor, now)
    if trigger.catch_up == "latest":
        return Look((latest,), latest, missed=first < latest)
    met = tuple(_until(trigger, max(cursor, now - GRACE), now))
    return Look(met, latest, missed=not met or first < met[0])


def _latest(trigger: ScheduleTrigger, cursor: datetime, now: datetime) -> datetime:
    """The last due time in a span that has one, without counting through all the time that was missed."""
    for span in _SPANS:
        last = deque(_until(trigger, max(cursor, now - span), now), maxlen=1)
        if last:
            return last[0]
    return deque(_until(trigger, cursor, now), maxlen=1)[0]


def _until(trigger: ScheduleTrigger, cursor: datetime, now: datetime) -> Iterator[datetime]:
    for at in _due(trigger, cursor):
        if at > now:
            return
        yield at


def _due(trigger: ScheduleTrigger, after: datetime) -> Iterator[datetime]:
    """Every due time later than `after`, ascending, each once."""
    last = after
    for local in CronSim(trigger.cron, after.astimezone(ZoneInfo(trigger.timezone))):
        at = local.astimezone(UTC)
        if at > last:  # counting from inside an hour that comes twice begins with times of the first one
            last = at
            yield at

"""AWS's six-field cron expressions: when they come due. Pure.

minutes hours day-of-month month day-of-week year; `,` `-` `*` `/` everywhere, `?` in one of the two day fields, `L` in
both, `W` for a day of the month, `#` for a day of the week; days of the week are 1-7 or SUN-SAT.
Source: EventBridge's "Cron expressions reference".
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_FIELDS = 6

Days = Callable[[date], bool]


class BadExpression(ValueError):
    """The expression cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    is_day: Days

    def next_after(self, after: datetime, zone: tzinfo = UTC) -> datetime | None:
        """The first time after `after` (aware) at which it comes due in `zone`, in UTC; None when there is none.

        A local time that daylight saving skips does not come; one that it repeats comes once, the first time.
        """
        local = after.astimezone(zone)
        day = local.date()
        while day.year <= _LAST_YEAR:
            if day.year not in self.years:
                following = [year for year in self.years if year > day.year]
                if not following:
                    return None
                day = date(min(following), 1, 1)
            elif day.month not in self.months:
                day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
            else:
                found = self._on(day, after, zone) if self.is_day(day) else None
                if found is not None:
                    return found
                day += timedelta(days=1)
        return None

    def _on(self, day: date, after: datetime, zone: tzinfo) -> datetime | None:
        for hour in self.hours:
            for minute in self.minutes:
                due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
                there = due.astimezone(zone)
                if due > after and (there.hour, there.minute) == (hour, minute):
                    return due
        return None


def parse(text: str) -> Cron:
    """The expression in `text`, without its `cron(` and `)`.

    Raises:
        BadExpression: not one that AWS would take.
    """
    fields = text.upper().split()
    if len(fields) != _FIELDS:
        raise BadExpression(f"a cron expression has six fields, not {len(fields)}")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise BadExpression("one of day-of-month and day-of-week must be ?, and not both")
    return Cron(
        tuple(sorted(_numbers(minutes, 0, 59))),
        tuple(sorted(_numbers(hours, 0, 23))),
        frozenset(_numbers(months, 1, 12, _MONTHS)),
        frozenset(_numbers(years, _FIRST_YEAR, _LAST_YEAR)),
        _days_of_month(days) if weekdays == "?" else _days_of_week(weekdays),
    )


def _numbers(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, 1, high, {}) if slash else 1
        if span in {"*", ""} and (span or slash):
            first, last = low, high
        elif "-" in span:
            left, _, right = span.partition("-")
            first, last = _number(left, low, high, names), _number(right, low, high, names)
            if first > last:
                raise BadExpression(f"{span} ends before it begins")
        else:
            first = _number(span, low, high, names)
            last = high if slash else first
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    number = (names or {}).get(text, int(text) if text.isdecimal() else -1)
    if not low <= number <= high:
        raise BadExpression(f"{text or 'nothing'} is not between {low} and {high}")
    return number


def _days_of_month(field: str) -> Days:
    if field == "L":
        return lambda day: day.day == _length(day)
    if field == "LW":
        return lambda day: day == _nearest_weekday(day, _length(day))
    near = re.fullmatch(r"(\d{1,2})W", field)
    if near is not None:
        wanted = _number(near.group(1), 1, 31, None)
        return lambda day: wanted <= _length(day) and day == _nearest_weekday(day, wanted)
    numbers = _numbers(field, 1, 31)
    return lambda day: day.day in numbers


def _days_of_week(field: str) -> Days:
    nth = re.fullmatch(r"(\w+)#([1-5])", field)
    if nth is not None:
        weekday, week = _number(nth.group(1), 1, 7, _WEEKDAYS), int(nth.group(2))
        return lambda day: _weekday(day) == weekday and (day.day - 1) // 7 + 1 == week
    last = re.fullmatch(r"(\w{1,3})L", field)
    if last is not None:
        weekday = _number(last.group(1), 1, 7, _WEEKDAYS)
        return lambda day: _weekday(day) == weekday and day.day + 7 > _length(day)
    numbers: Iterable[int] = {7} if field == "L" else _numbers(field, 1, 7, _WEEKDAYS)
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, number: int) -> date:
    """The weekday nearest to the `number`th of `day`'s month, within that month."""
    wanted = day.replace(day=number)
    weekday = wanted.isoweekday()
    if weekday == 6:
        return wanted - timedelta(days=1) if number > 1 else wanted + timedelta(days=2)
    if weekday == 7:
        return wanted + timedelta(days=1) if number < _length(day) else wanted - timedelta(days=2)
    return wanted

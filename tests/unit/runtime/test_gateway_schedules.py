"""When rate(), cron() and at() come due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from runtime.gateway.events import cron, schedules
from runtime.gateway.events.cron import BadExpression


def times(expression: str, after: str, count: int = 3, zone: str = "UTC") -> list[str]:
    """The first times after `after`, as `2026-01-31 12:00`, in the zone."""
    parsed, place = cron.parse(expression), ZoneInfo(zone)
    at, found = datetime.fromisoformat(after).replace(tzinfo=place), []
    for _ in range(count):
        due = parsed.next_after(at, place)
        if due is None:
            break
        found.append(f"{due.astimezone(place):%Y-%m-%d %H:%M}")
        at = due
    return found


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 10 * * ? *", "2026-01-01T10:00", ["2026-01-02 10:00", "2026-01-03 10:00", "2026-01-04 10:00"]),
        ("0/15 * ? * MON-FRI *", "2026-01-02T23:31", ["2026-01-02 23:45", "2026-01-05 00:00", "2026-01-05 00:15"]),
        ("5,35 14 * * ? *", "2026-01-01T14:05", ["2026-01-01 14:35", "2026-01-02 14:05", "2026-01-02 14:35"]),
        ("0 0 1 1/6 ? *", "2026-01-01T00:00", ["2026-07-01 00:00", "2027-01-01 00:00", "2027-07-01 00:00"]),
        ("0 0 L * ? *", "2026-01-15T00:00", ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"]),
        ("0 0 L FEB ? 2028", "2026-01-01T00:00", ["2028-02-29 00:00"]),
        ("0 0 15W * ? *", "2026-02-01T00:00", ["2026-02-16 00:00", "2026-03-16 00:00", "2026-04-15 00:00"]),
        ("0 0 1W * ? *", "2026-07-20T00:00", ["2026-08-03 00:00", "2026-09-01 00:00", "2026-10-01 00:00"]),
        ("0 0 LW * ? *", "2026-01-01T00:00", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-31 00:00"]),
        ("0 8 ? * 2#1 *", "2026-01-01T00:00", ["2026-01-05 08:00", "2026-02-02 08:00", "2026-03-02 08:00"]),
        ("0 8 ? * FRIL *", "2026-01-01T00:00", ["2026-01-30 08:00", "2026-02-27 08:00", "2026-03-27 08:00"]),
        ("0 8 ? * L *", "2026-01-01T00:00", ["2026-01-03 08:00", "2026-01-10 08:00", "2026-01-17 08:00"]),
        ("0 8 ? * 1 *", "2026-01-01T00:00", ["2026-01-04 08:00", "2026-01-11 08:00", "2026-01-18 08:00"]),
        ("0 0 31 * ? *", "2026-02-01T00:00", ["2026-03-31 00:00", "2026-05-31 00:00", "2026-07-31 00:00"]),
        ("0 0 * * ? 2026-2027", "2027-12-30T12:00", ["2027-12-31 00:00"]),
        ("0 0 30 2 ? *", "2026-01-01T00:00", []),
    ],
)
def test_cron(expression: str, after: str, expected: list[str]) -> None:
    assert times(expression, after, 3) == expected


def test_cron_in_a_zone_with_daylight_saving() -> None:
    assert times("30 2 * * ? *", "2026-03-28T00:00", 2, "Europe/Berlin") == ["2026-03-28 02:30", "2026-03-30 02:30"]
    assert times("30 2 * * ? *", "2026-10-24T03:00", 2, "Europe/Berlin") == ["2026-10-25 02:30", "2026-10-26 02:30"]


@pytest.mark.parametrize(
    "expression",
    [
        "0 10 * * *", "0 10 * * * *", "0 10 ? * ? *", "60 * * * ? *", "0 24 * * ? *", "0 0 0 * ? *", "0 0 * 13 ? *",
        "0 0 ? * 8 *", "0 0 ? * 0 *", "x * * * ? *", "5-1 * * * ? *", "0 0 ? * MON#6 *", "0 0 32W * ? *", "/5 * * * ?",
        "0 0 * * ? 1969", ", * * * ? *",
    ],
)  # fmt: skip
def test_expressions_that_cannot_be_used(expression: str) -> None:
    with pytest.raises(BadExpression):
        cron.parse(expression)


def test_a_rate_counts_from_when_the_schedule_was_made() -> None:
    since = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
    rate = schedules.parse("rate(5 minutes)")
    assert rate.next_after(since, since) == since + timedelta(minutes=5)
    assert rate.next_after(since + timedelta(minutes=5), since) == since + timedelta(minutes=10)
    assert rate.next_after(since + timedelta(minutes=12), since) == since + timedelta(minutes=15)


def test_at_comes_once_in_its_zone() -> None:
    at = schedules.parse("at(2026-07-01T12:00:00)", ZoneInfo("Europe/Berlin"), once=True)
    due = datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert at.next_after(due - timedelta(seconds=1), due) == due
    assert at.next_after(due, due) is None


@pytest.mark.parametrize(
    "expression",
    ["rate(0 minutes)", "rate(1 minutes)", "rate(2 minute)", "rate(5 seconds)", "rate(x)", "every day", "cron()", ""],
)
def test_schedules_that_cannot_be_used(expression: str) -> None:
    with pytest.raises(BadExpression):
        schedules.parse(expression, once=True)


def test_a_rule_has_no_at() -> None:
    with pytest.raises(BadExpression):
        schedules.parse("at(2026-07-01T12:00:00)")
    with pytest.raises(BadExpression):
        schedules.parse("at(2026-13-01T12:00:00)", once=True)

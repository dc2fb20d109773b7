"""Due times in a zone: gaps and overlaps of daylight saving, and what is done about missed ones."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.definition.model import ScheduleTrigger
from pipelines.triggers.schedule import GRACE, MOST, digest, look, next_due

# In Paris the clock jumps 02:00 → 03:00 on 2025-03-30 and goes back 03:00 → 02:00 on 2025-10-26.
PARIS = "Europe/Paris"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(cron: str, zone: str, after: str, until: str) -> list[str]:
    """Every due time between, as UTC text."""
    trigger = ScheduleTrigger(cron, zone, "all")
    return [f"{at:%Y-%m-%d %H:%M}" for at in look(trigger, utc(after), utc(until)).due]


def test_a_time_is_meant_in_its_zone() -> None:
    assert due("0 6 * * MON-FRI", PARIS, "2025-01-10", "2025-01-14") == ["2025-01-10 05:00", "2025-01-13 05:00"]
    assert due("0 6 * * *", PARIS, "2025-07-01", "2025-07-02") == ["2025-07-01 04:00"]
    assert due("0 6 * * *", "UTC", "2025-07-01", "2025-07-02") == ["2025-07-01 06:00"]


def test_after_is_exclusive_and_until_inclusive() -> None:
    assert due("0 6 * * *", "UTC", "2025-01-01 06:00", "2025-01-02 06:00") == ["2025-01-02 06:00"]
    assert due("0 6 * * *", "UTC", "2025-01-01 05:59:59.999999", "2025-01-01 06:00") == ["2025-01-01 06:00"]
    assert due("0 6 * * *", "UTC", "2025-01-01 06:00:00.000001", "2025-01-02 05:59:59.999999") == []


def test_a_time_in_the_gap_runs_once_right_after_it() -> None:
    assert due("30 2 * * *", PARIS, "2025-03-29 12:00", "2025-03-31 12:00") == ["2025-03-30 01:00", "2025-03-31 00:30"]


def test_a_time_that_comes_twice_runs_the_first_time() -> None:
    assert due("30 2 * * *", PARIS, "2025-10-25 12:00", "2025-10-27 12:00") == ["2025-10-26 00:30", "2025-10-27 01:30"]


def test_looking_on_between_the_two_does_not_run_it_again() -> None:
    assert due("30 2 * * *", PARIS, "2025-10-26 00:45", "2025-10-26 12:00") == []
    assert due("30 2 * * *", PARIS, "2025-10-26 01:15", "2025-10-26 12:00") == []


def test_looking_on_after_the_gap_does_not_run_it_again() -> None:
    assert due("30 2 * * *", PARIS, "2025-03-30 01:00", "2025-03-30 12:00") == []
    assert due("30 2 * * *", PARIS, "2025-03-30 00:59", "2025-03-30 12:00") == ["2025-03-30 01:00"]


def test_every_so_many_minutes_follows_real_time() -> None:
    gap = due("*/30 * * * *", PARIS, "2025-03-30 00:15", "2025-03-30 01:45")
    assert gap == ["2025-03-30 00:30", "2025-03-30 01:00", "2025-03-30 01:30"]
    overlap = due("*/30 * * * *", PARIS, "2025-10-25 23:45", "2025-10-26 02:15")
    assert overlap == [f"2025-10-26 {hour:02}:{minute:02}" for hour in range(2) for minute in (0, 30)] + [
        "2025-10-26 02:00"
    ]
    assert due("0 * * * *", PARIS, "2025-10-25 23:30", "2025-10-26 02:30") == [
        f"2025-10-26 0{hour}:00" for hour in range(3)
    ]


@given(
    st.sampled_from([PARIS, "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata", "UTC"]),
    st.sampled_from(["30 2 * * *", "0,30 1-3 * * *", "15 0 * * SUN", "*/20 * * * *", "5 * * * *", "59 23 L * *"]),
    st.integers(0, 366 * 24 * 60),
    st.lists(st.integers(1, 3 * 24 * 60), min_size=1, max_size=8),
)
@settings(max_examples=120, deadline=None)
def test_however_often_one_looks_each_due_time_comes_once(zone: str, cron: str, start: int, steps: list[int]) -> None:
    """Looking in one go or in many gives the same times, ascending, and near the wall clock's."""
    trigger = ScheduleTrigger(cron, zone, "all")
    begin = utc("2025-01-01") + timedelta(minutes=start)
    moments = [begin, *(begin + timedelta(minutes=minutes) for minutes in itertools.accumulate(steps))]
    piecewise: list[datetime] = []
    cursor = begin
    for moment in moments[1:]:
        while (seen := look(trigger, cursor, moment)).due:
            piecewise += seen.due
            cursor = seen.cursor
    whole: list[datetime] = []
    cursor = begin
    while (seen := look(trigger, cursor, moments[-1])).due:
        whole += seen.due
        cursor = seen.cursor
    assert piecewise == whole
    assert all(one < other for one, other in itertools.pairwise(whole))
    for at in whole:
        assert at.astimezone(ZoneInfo(zone)).second == 0
        assert begin < at <= moments[-1]


class TestCatchUp:
    """Missed due times: the latest, all, or none of them."""

    DOWN = (utc("2025-01-01 00:30"), utc("2025-01-01 05:10"))

    def test_latest_runs_one_and_tells_that_others_were_missed(self) -> None:
        seen = look(ScheduleTrigger("0 * * * *"), *self.DOWN)
        assert seen.due == (utc("2025-01-01 05:00"),)
        assert seen.cursor == utc("2025-01-01 05:00")
        assert seen.missed

    def test_latest_misses_nothing_when_only_one_was_due(self) -> None:
        seen = look(ScheduleTrigger("0 5 * * *"), *self.DOWN)
        assert (seen.due, seen.missed) == ((utc("2025-01-01 05:00"),), False)

    def test_all_runs_each_in_order(self) -> None:
        seen = look(ScheduleTrigger("0 * * * *", catch_up="all"), *self.DOWN)
        assert [at.hour for at in seen.due] == [1, 2, 3, 4, 5]
        assert not seen.missed

    def test_all_goes_on_in_the_next_look_when_there_are_very_many(self) -> None:
        trigger = ScheduleTrigger("* * * * *", catch_up="all")
        first = look(trigger, *self.DOWN)
        assert len(first.due) == MOST
        second = look(trigger, first.cursor, self.DOWN[1])
        assert second.due[0] == first.due[-1] + timedelta(minutes=1)

    def test_none_runs_nothing_that_is_old(self) -> None:
        trigger = ScheduleTrigger("0 * * * *", catch_up="none")
        seen = look(trigger, *self.DOWN)
        assert (seen.due, seen.cursor, seen.missed) == ((), utc("2025-01-01 05:00"), True)

    def test_none_runs_what_has_just_come_due(self) -> None:
        trigger = ScheduleTrigger("0 * * * *", catch_up="none")
        now = utc("2025-01-01 05:00") + GRACE / 2
        assert look(trigger, utc("2025-01-01 04:30"), now).due == (utc("2025-01-01 05:00"),)
        assert not look(trigger, utc("2025-01-01 04:30"), now).missed
        assert look(trigger, utc("2025-01-01 00:30"), now).missed

    @pytest.mark.parametrize("catch_up", ["latest", "all", "none"])
    def test_nothing_due_changes_nothing(self, catch_up: str) -> None:
        trigger = ScheduleTrigger("0 6 * * *", catch_up=catch_up)  # type: ignore[arg-type]
        seen = look(trigger, utc("2025-01-01 06:00"), utc("2025-01-02 05:59"))
        assert (seen.due, seen.cursor, seen.missed) == ((), utc("2025-01-01 06:00"), False)

    @pytest.mark.parametrize("cron", ["* * * * *", "0 0 1 1 *", "0 0 29 2 *", "30 2 * * *"])
    def test_years_of_absence_are_looked_over_quickly(self, cron: str) -> None:
        seen = look(ScheduleTrigger(cron, PARIS), utc("2015-01-01"), utc("2025-06-01"))
        assert len(seen.due) == 1
        assert next_due(ScheduleTrigger(cron, PARIS), seen.cursor) > utc("2025-06-01")  # type: ignore[operator]


def test_the_next_due_time_is_the_first_that_a_look_finds() -> None:
    trigger = ScheduleTrigger("30 2 * * *", PARIS)
    following = next_due(trigger, utc("2025-03-29 12:00"))
    assert following == utc("2025-03-30 01:00")
    assert look(trigger, utc("2025-03-29 12:00"), following).due == (following,)


def test_another_time_or_zone_is_another_schedule() -> None:
    one = digest(ScheduleTrigger("0 6 * * *", PARIS))
    assert one == digest(ScheduleTrigger("0  6 * * *", PARIS, "none"))
    assert len({one, digest(ScheduleTrigger("0 7 * * *", PARIS)), digest(ScheduleTrigger("0 6 * * *"))}) == 3

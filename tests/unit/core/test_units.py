"""Numbers with units are read and written as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import units

_times = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1))
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(_times, _zones)
def test_a_time_comes_back_as_it_was_written(at: datetime, zone: timezone) -> None:
    aware = at.replace(tzinfo=zone)
    assert units.parse_iso(units.iso(aware)) == aware
    assert units.parse_iso(units.iso(aware)).tzinfo == UTC


@given(_times, _times)
def test_written_times_sort_as_the_times_do(one: datetime, other: datetime) -> None:
    a, b = one.replace(tzinfo=UTC), other.replace(tzinfo=UTC)
    assert (units.iso(a) < units.iso(b)) == (a < b)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h", "d"])), min_size=1, max_size=4))
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    seconds = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    text = "".join(f"{number}{unit}" for number, unit in parts)
    assert units.seconds(text) == pytest.approx(sum(number * seconds[unit] for number, unit in parts))


@pytest.mark.parametrize("text", ["", " ", "5", "m", "5 m", "1h 30m", "-5s", "5x", "1.s", "s5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        units.seconds(text)


@given(st.floats(0, 100).map(lambda number: round(number, 3)))
def test_a_percentage_is_read(number: float) -> None:
    assert units.percent(f"{number:.3f} %") == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "5", "101%", "100.5%", "-1%", "%", "ten%"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a percentage"):
        units.percent(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (12.4, "12 s"),
        (59.6, "1 m 00 s"),
        (185, "3 m 05 s"),
        (3600, "1 h 00 m"),
        (7800, "2 h 10 m"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (512, "512 B"), (1536, "1.5 KB"), (20 * 1024**2, "20 MB"), (5 * 1024**3, "5.0 GB")],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert units.size(size) == text

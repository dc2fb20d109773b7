"""Times as people write them, and following logs without losing or repeating an event."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest

from app.cli.function_logs import moment
from app.function_logs import FunctionLogs, LogEvent, Wanted
from core.errors import InvalidInput

NOW = datetime(2026, 11, 23, 17, 45, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-11-23T17:45:30"),
        ("10 minutes ago", "2026-11-23T17:35:30"),
        ("5mins ago", "2026-11-23T17:40:30"),
        ("1 Hour Ago", "2026-11-23T16:45:30"),
        ("30s", "2026-11-23T17:45:00"),
        ("2 days ago", "2026-11-21T17:45:30"),
        ("today", "2026-11-23T00:00:00"),
        ("yesterday", "2026-11-22T17:45:30"),
        ("2026-11-20", "2026-11-20T00:00:00"),
        ("2026-11-20 10:00", "2026-11-20T10:00:00"),
        ("2026-11-20T10:00:00+02:00", "2026-11-20T08:00:00"),
    ],
)
def test_times_are_read(text: str, expected: str) -> None:
    """Relative to now; UTC unless an offset is given."""
    assert moment(text, NOW).isoformat() == f"{expected}+00:00"


def test_what_is_no_time_is_refused() -> None:
    """With an example."""
    with pytest.raises(InvalidInput, match="10 minutes ago"):
        moment("soonish", NOW)


class _Stop(Exception):
    pass


class _Scripted(FunctionLogs):
    """Logs that have these events at each look."""

    def __init__(self, looks: list[list[LogEvent]]) -> None:
        super().__init__(0)
        self._looks = looks
        self.starts: list[int | None] = []

    def events(self, wanted: Wanted) -> list[LogEvent]:
        self.starts.append(wanted.start_ms)
        return [event for event in self._looks.pop(0) if event.at_ms >= (wanted.start_ms or 0)]

    def pause(self) -> None:
        if not self._looks:
            raise _Stop


def test_following_tells_each_event_once_also_late_and_equal_ones() -> None:
    """Events of another stream may be written later than newer ones; the same line may be logged twice at once."""
    one, twin, late = (LogEvent("f", "s", at, text) for at, text in ((10_000, "a"), (10_000, "a"), (9_500, "late")))
    after = LogEvent("f", "s", 30_000, "b")
    logs = _Scripted([[one], [one, twin, late], [one, twin, late, after], [one, twin, late, after]])
    told: list[str] = []
    with contextlib.suppress(_Stop):
        for event in logs.follow(Wanted(start_ms=0), logs.pause):
            told += [event.message]
    assert told == ["a", "a", "late", "b"]
    assert logs.starts == [0, 5_000, 5_000, 25_000]

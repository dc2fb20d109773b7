"""Clocks for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from core.clock import VirtualClock

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def noon() -> VirtualClock:
    """A virtual clock at noon of a Monday."""
    return VirtualClock(START)

"""Moments as Lambda writes them. Pure."""

from __future__ import annotations

from datetime import datetime


def stamp(at: datetime) -> str:
    """AWS's LastModified: `2026-11-23T17:45:00.123+0000`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"

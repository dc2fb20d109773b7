"""Numbers with units, as people write them, to numbers as we keep them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|s|m|h|d))")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def seconds(text: str) -> float:
    """`text` in seconds: `90s`, `5m`, `1h30m`, `250ms`.

    Raises:
        ValueError: not a duration.
    """
    text = text.strip()
    if not text or _DURATION.sub("", text):
        raise ValueError(f"{text!r} is not a duration such as 30s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def percent(text: str) -> float:
    """`text` as a percentage from 0 to 100: `10%`, `0.5 %`.

    Raises:
        ValueError: not a percentage, or more than 100.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is None or float(match.group(1)) > 100:
        raise ValueError(f"{text!r} is not a percentage between 0% and 100%")
    return float(match.group(1))


def duration(seconds_: float) -> str:
    """`seconds_` for people: `0.4 s`, `12 s`, `3 m 05 s`, `2 h 10 m`."""
    if seconds_ < 9.95:
        return f"{seconds_:.1f} s"
    whole = round(seconds_)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"


def size(size_bytes: int) -> str:
    """`size_bytes` for people: `512 B`, `1.5 KB`, `20 MB`."""
    number = float(size_bytes)
    for unit in ("B", "KB", "MB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GB"


def iso(at: datetime) -> str:
    """`at` as UTC with microseconds and `Z`; such strings sort like the times they name."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_iso(text: str) -> datetime:
    """The aware UTC time that `iso` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)

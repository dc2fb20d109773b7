"""Lambda's prices in US dollars for us-east-1. Pure. Source: reference §15; AWS's own page has the last word."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

REQUEST = 0.20 / 1_000_000
TEMPORARY_GB_S = 0.0000000309
"""For each GB-second of /tmp above 512 MB."""
FREE_TEMPORARY_MB = 512
_MB_PER_GB = 1024


@dataclass(frozen=True, slots=True)
class Tier:
    """A price per GB-second that holds for so many of them in a month."""

    gb_s: float
    price: float


@dataclass(frozen=True, slots=True)
class Rates:
    """The prices of one architecture per GB-second."""

    tiers: tuple[Tier, ...]
    capacity: float
    """Of provisioned concurrency while it is there."""
    on_capacity: float
    """Of invocations that run on it."""


RATES: Mapping[str, Rates] = {
    "x86_64": Rates(
        (Tier(6e9, 0.0000166667), Tier(9e9, 0.0000150000), Tier(math.inf, 0.0000133334)), 0.0000041667, 0.0000097222
    ),
    "arm64": Rates(
        (Tier(7.5e9, 0.0000133334), Tier(11.25e9, 0.0000120001), Tier(math.inf, 0.0000106667)),
        0.0000033334,
        0.0000077778,
    ),
}


def gb_seconds(memory_mb: float, milliseconds: float) -> float:
    """Memory times time. Source: MemorySize / 1024 x billed ms / 1000."""
    return memory_mb / _MB_PER_GB * milliseconds / 1000


def duration(architecture: str, gb_s: float, before: float = 0.0) -> float:
    """The price of `gb_s` on-demand GB-seconds, after `before` others in the same month."""
    total, begin = 0.0, 0.0
    for tier in RATES[architecture].tiers:
        end = begin + tier.gb_s
        total += max(0.0, min(end, before + gb_s) - max(begin, before)) * tier.price
        begin = end
    return total


def temporary(temporary_mb: int, milliseconds: float) -> float:
    """The price of /tmp: what is above 512 MB."""
    return gb_seconds(max(0, temporary_mb - FREE_TEMPORARY_MB), milliseconds) * TEMPORARY_GB_S

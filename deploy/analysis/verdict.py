"""What an evaluation came to: good, inconclusive, error or bad, and the worst of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """In order from best to worst: fine; too little data to say; could not be read; the alarm fires."""

    GOOD = "good"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    BAD = "bad"


_ORDER = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One alarm's verdict, the sentence that explains it, and the numbers it was made from (JSON-able)."""

    alarm: str
    verdict: Verdict
    why: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def worst(judgements: Iterable[Judgement]) -> Judgement | None:
    """The judgement with the worst verdict, the first of equals; None when there are none."""
    return max(judgements, key=lambda judgement: _ORDER.index(judgement.verdict), default=None)

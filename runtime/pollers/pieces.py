"""What follows when a batch of a stream fails: again, in two, from where it failed, or given up. Pure.

Source: reference §12, "Streams" and the parameters' table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from runtime.pollers.responses import Partly, Succeeded, Verdict

FOR_EVER = -1
EXHAUSTED, TOO_OLD = "RetryAttemptsExhausted", "RecordAgeExceeded"
_FIRST_WAIT_S, _LAST_WAIT_S = 0.5, 60.0


class Record(Protocol):
    """A record of a stream."""

    @property
    def sequence(self) -> str:
        """Its sequence number."""
        ...

    @property
    def arrived_at(self) -> float:
        """Epoch seconds."""
        ...

    @property
    def encoded(self) -> bytes:
        """Its JSON in an event."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """A mapping's limits; -1 stands for none."""

    retries: int = FOR_EVER
    max_age_s: float = FOR_EVER
    bisect: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A batch, or what is left of one."""

    records: tuple[Record, ...]
    failures: int = 0
    """Failures of the function that count against the retries."""
    invokes: int = 0
    """How often any of it was handed to the function."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a piece became: records that are done, pieces to run (in order), and what is given up and why."""

    done: tuple[Record, ...] = ()
    again: tuple[Piece, ...] = ()
    given_up: Piece | None = None
    condition: str = ""


def expired(piece: Piece, now: float, rules: Rules) -> Step:
    """The piece without the records at its head that are too old by now."""
    count = 0
    if rules.max_age_s >= 0:
        while count < len(piece.records) and now - piece.records[count].arrived_at > rules.max_age_s:
            count += 1
    rest = replace(piece, records=piece.records[count:])
    again = (rest,) if rest.records else ()
    if not count:
        return Step(again=again)
    return Step(again=again, given_up=replace(piece, records=piece.records[:count]), condition=TOO_OLD)


def after(piece: Piece, verdict: Verdict, rules: Rules) -> Step:
    """What follows an invocation with the piece."""
    piece = replace(piece, invokes=piece.invokes + 1)
    if isinstance(verdict, Succeeded):
        return Step(done=piece.records)
    cut = _first_failed(piece, verdict) if isinstance(verdict, Partly) else 0
    done, rest = piece.records[:cut], replace(piece, records=piece.records[cut:])
    if rules.bisect and cut:  # cut at the returned number, instead of in the middle
        return Step(done, (rest,))
    if rules.bisect and len(rest.records) > 1:
        half = (len(rest.records) + 1) // 2
        return Step(done, (replace(rest, records=rest.records[:half]), replace(rest, records=rest.records[half:])))
    rest = replace(rest, failures=rest.failures + 1)
    if rules.retries >= 0 and rest.failures > rules.retries:
        return Step(done, given_up=rest, condition=EXHAUSTED)
    return Step(done, (rest,))


def _first_failed(piece: Piece, verdict: Partly) -> int:
    """The position of the lowest sequence number the function reported: everything from there on is tried again."""
    return next(index for index, record in enumerate(piece.records) if record.sequence in verdict.failed)


def wait_s(misses: int) -> float:
    """How long to wait after the `misses`th time in a row that a piece failed or could not be run."""
    doubled: float = _FIRST_WAIT_S * 2 ** min(misses - 1, 30)
    return min(doubled, _LAST_WAIT_S)

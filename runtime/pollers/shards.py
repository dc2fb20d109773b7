"""Which shards of a stream may be read: children only when their parents are finished, so that order is kept. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard as the stream lists it."""

    id: str
    parents: tuple[str, ...] = ()
    closed: bool = False
    """Whether nothing is added to it any more."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as it is now. `identity` differs for another stream under the same ARN (deleted and made again)."""

    identity: str
    shards: tuple[Shard, ...]


def readable(shards: Iterable[Shard], finished: Collection[str]) -> list[Shard]:
    """The shards to read now: not finished, and with no parent in the stream that is not."""
    listed = list(shards)
    here = {shard.id for shard in listed}
    return [
        shard
        for shard in listed
        if shard.id not in finished and all(parent in finished or parent not in here for parent in shard.parents)
    ]

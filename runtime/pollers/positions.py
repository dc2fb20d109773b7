"""How far each shard of each mapping has been read, on disk."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.queues.journal import Journal, Statement

SCHEMA = """
CREATE TABLE IF NOT EXISTS positions (
  mapping TEXT NOT NULL, shard TEXT NOT NULL, stream TEXT NOT NULL, sequence TEXT NOT NULL, opened_at REAL NOT NULL,
  finished INTEGER NOT NULL, PRIMARY KEY (mapping, shard)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where one shard stands."""

    shard: str
    stream: str
    """The identity of the stream: positions in another stream of the same name mean nothing."""
    sequence: str
    """Of the last record that is done; empty: none yet."""
    opened_at: float
    """When reading began (epoch)."""
    finished: bool = False
    """Whether the shard is closed and done to its end."""


def positions(journal: Journal, mapping: str) -> dict[str, Kept]:
    """The mapping's shards by id."""
    rows = journal.read(
        "SELECT shard, stream, sequence, opened_at, finished FROM positions WHERE mapping = ?", (mapping,)
    )
    return {
        shard: Kept(shard, stream, sequence, opened_at, bool(finished))
        for shard, stream, sequence, opened_at, finished in rows
    }


def keeping(mapping: str, kept: Kept) -> Statement:
    """Keeps where the shard stands."""
    row = (mapping, kept.shard, kept.stream, kept.sequence, kept.opened_at, int(kept.finished))
    return "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?)", row


def forgetting(mapping: str) -> Statement:
    """Forgets every shard of the mapping."""
    return "DELETE FROM positions WHERE mapping = ?", (mapping,)

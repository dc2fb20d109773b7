"""What was counted apart, second by second: in memory, with what has changed since it was last written to SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

SECONDS_KEPT_S = 3 * 3600
"""Source: CloudWatch keeps periods below a minute for three hours, minutes for fifteen days."""
MINUTES_KEPT_S = 15 * 86400


class Summable(Protocol):
    """Counts of one second."""

    def add(self, other: Any) -> None:
        """Add what `other` counted."""
        ...


K = TypeVar("K", bound=tuple[str, ...])
B = TypeVar("B", bound=Summable)
Row = tuple[K, int, B]
Written = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Form(Generic[K, B]):
    """How a timeline is kept in its table: one column for each part of the key, the second, and a document."""

    table: str
    columns: tuple[str, ...]
    key: Callable[..., K]
    new: Callable[[], B]
    encode: Callable[[B], str]
    decode: Callable[[str], B]
    fine_kept_s: int = SECONDS_KEPT_S
    """How long buckets are kept as they were counted."""
    coarse_s: int = 60
    """Into what they are joined then."""
    kept_s: int = MINUTES_KEPT_S
    """How long those are kept."""

    def create(self, database: sqlite3.Connection) -> None:
        """Make the table unless it exists."""
        keys = ", ".join(f"{column} TEXT NOT NULL" for column in self.columns)
        database.executescript(
            f"CREATE TABLE IF NOT EXISTS {self.table} ({keys}, second INTEGER NOT NULL, document TEXT NOT NULL, "
            f"PRIMARY KEY ({', '.join(self.columns)}, second)) WITHOUT ROWID;"
            f"CREATE INDEX IF NOT EXISTS {self.table}_by_second ON {self.table} (second);"
        )

    def read(self, database: sqlite3.Connection, start: int, end: int) -> list[Row[K, B]]:
        """What the table has from second `start` (included) to `end` (excluded)."""
        columns = ", ".join(self.columns)
        query = f"SELECT {columns}, second, document FROM {self.table} WHERE second >= ? AND second < ?"  # noqa: S608
        return [(self.key(*row[:-2]), row[-2], self.decode(row[-1])) for row in database.execute(query, (start, end))]

    def write(self, database: sqlite3.Connection, rows: list[Written], gone: list[tuple[K, int]]) -> None:
        """Delete what is gone, then put `rows`; inside the caller's transaction."""
        where = " AND ".join(f"{column} = ?" for column in (*self.columns, "second"))
        database.executemany(f"DELETE FROM {self.table} WHERE {where}", [(*key, at) for key, at in gone])  # noqa: S608
        places = ", ".join("?" * (len(self.columns) + 2))
        database.executemany(f"INSERT OR REPLACE INTO {self.table} VALUES ({places})", rows)  # noqa: S608


class Timeline(Generic[K, B]):
    """Every key's buckets by second."""

    def __init__(self, form: Form[K, B]) -> None:
        self.form = form
        self._buckets: dict[K, dict[int, B]] = {}
        self._changed: set[tuple[K, int]] = set()

    def bucket(self, key: K, second: int) -> B:
        """The bucket of `key` in `second`, about to be changed."""
        seconds = self._buckets.get(key)
        if seconds is None:
            seconds = self._buckets[key] = {}
        bucket = seconds.get(second)
        if bucket is None:
            bucket = seconds[second] = self.form.new()
        self._changed.add((key, second))
        return bucket

    def merge(self, rows: list[Row[K, B]]) -> None:
        """Have what was read from the table, too; what is already in memory stays."""
        for key, second, bucket in rows:
            self._buckets.setdefault(key, {}).setdefault(second, bucket)

    def keys(self) -> list[K]:
        """Everything that was ever counted apart and is still kept."""
        return [key for key, seconds in self._buckets.items() if seconds]

    def between(self, key: K, start: int, end: int) -> Iterator[tuple[int, B]]:
        """The buckets of `key` from second `start` (included) to `end` (excluded), in no order."""
        seconds = self._buckets.get(key, {})
        if end - start < len(seconds):
            return ((second, seconds[second]) for second in range(start, end) if second in seconds)
        return ((second, bucket) for second, bucket in seconds.items() if start <= second < end)

    def take(self) -> list[Written]:
        """What has changed since the last call, as rows of the table."""
        changed, self._changed = self._changed, set()
        encode = self.form.encode
        return [(*key, second, encode(self._buckets[key][second])) for key, second in changed]

    def compact(self, now: int) -> list[tuple[K, int]]:
        """Join what is no longer kept as it was counted, drop what is too old; what went."""
        gone: list[tuple[K, int]] = []
        form = self.form
        for key, seconds in self._buckets.items():
            for second in [each for each in seconds if each < now - form.fine_kept_s]:
                joined = second - second % form.coarse_s
                if second < now - form.kept_s:
                    del seconds[second]
                elif second != joined:
                    bucket = seconds.pop(second)
                    seconds.setdefault(joined, form.new()).add(bucket)
                    self._changed.add((key, joined))
                else:
                    continue
                self._changed.discard((key, second))
                gone.append((key, second))
        return gone

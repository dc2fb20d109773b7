"""The catalog: functions, versions, aliases and tags in memory, written through to SQLite before an answer is given."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runtime.catalog.records import Alias, FunctionVersion, State, UpdateStatus
from runtime.names import LATEST

_SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
  function TEXT NOT NULL, version TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (function, version));
CREATE TABLE IF NOT EXISTS aliases (
  function TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (function, name));
CREATE TABLE IF NOT EXISTS numbers (function TEXT PRIMARY KEY, last_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tags (function TEXT PRIMARY KEY, document TEXT NOT NULL);
"""


class Catalog:
    """All functions of one server. Used from the event loop's thread only."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._versions: dict[str, dict[str, FunctionVersion]] = {}
        self._aliases: dict[str, dict[str, Alias]] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self.generation = 0
        """Grows with every change: whoever remembers an answer compares it."""
        self._load()

    def _load(self) -> None:
        for (document,) in self._db.execute("SELECT document FROM versions"):
            version = _version(json.loads(document))
            self._versions.setdefault(version.name, {})[version.version] = version
        for (document,) in self._db.execute("SELECT document FROM aliases"):
            alias = Alias(**json.loads(document))
            self._aliases.setdefault(alias.function, {})[alias.name] = alias
        for function, document in self._db.execute("SELECT function, document FROM tags"):
            self._tags[function] = json.loads(document)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self.generation += 1

    # reading ----------------------------------------------------------------------------------------------------

    def function_names(self) -> list[str]:
        """The names of all functions, sorted."""
        return sorted(self._versions)

    def version(self, name: str, version: str) -> FunctionVersion | None:
        """That version (`$LATEST` or a number) of the function, or None."""
        return self._versions.get(name, {}).get(version)

    def versions(self, name: str) -> list[FunctionVersion]:
        """`$LATEST`, then the published versions from the oldest on; empty when there is no such function."""
        of_function = self._versions.get(name, {})
        return sorted(of_function.values(), key=lambda each: -1 if each.version == LATEST else int(each.version))

    def all_versions(self) -> list[FunctionVersion]:
        """Every version of every function."""
        return [version for versions in self._versions.values() for version in versions.values()]

    def alias(self, name: str, alias: str) -> Alias | None:
        """That alias of the function, or None."""
        return self._aliases.get(name, {}).get(alias)

    def aliases(self, name: str) -> list[Alias]:
        """The function's aliases by name."""
        return sorted(self._aliases.get(name, {}).values(), key=lambda each: each.name)

    def tags(self, name: str) -> Mapping[str, str]:
        """The function's tags."""
        return self._tags.get(name, {})

    # writing ----------------------------------------------------------------------------------------------------

    def save(self, *versions: FunctionVersion) -> None:
        """Keep these versions (new or changed), all or none."""
        with self._write() as db:
            for version in versions:
                row = (version.name, version.version, json.dumps(asdict(version)))
                db.execute("INSERT OR REPLACE INTO versions VALUES (?, ?, ?)", row)
                if version.version != LATEST:
                    db.execute(
                        "INSERT INTO numbers VALUES (?, ?) ON CONFLICT (function) DO UPDATE "
                        "SET last_version = max(last_version, excluded.last_version)",
                        (version.name, int(version.version)),
                    )
        for version in versions:
            self._versions.setdefault(version.name, {})[version.version] = version

    def next_number(self, name: str) -> int:
        """The number the next published version gets: never one that was used, not even by a deleted function."""
        row = self._db.execute("SELECT last_version FROM numbers WHERE function = ?", (name,)).fetchone()
        return (row[0] if row else 0) + 1

    def delete_function(self, name: str) -> None:
        """Forget the function, its versions, aliases and tags."""
        with self._write() as db:
            for table in ("versions", "aliases", "tags"):
                db.execute(f"DELETE FROM {table} WHERE function = ?", (name,))  # noqa: S608  (names from above)
        for kept in (self._versions, self._aliases, self._tags):
            kept.pop(name, None)

    def delete_version(self, name: str, version: str) -> None:
        """Forget one published version."""
        with self._write() as db:
            db.execute("DELETE FROM versions WHERE function = ? AND version = ?", (name, version))
        self._versions[name].pop(version)

    def save_alias(self, alias: Alias) -> None:
        """Keep this alias (new or changed)."""
        with self._write() as db:
            row = (alias.function, alias.name, json.dumps(asdict(alias)))
            db.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)", row)
        self._aliases.setdefault(alias.function, {})[alias.name] = alias

    def delete_alias(self, name: str, alias: str) -> None:
        """Forget the alias; nothing happens when it does not exist."""
        with self._write() as db:
            db.execute("DELETE FROM aliases WHERE function = ? AND name = ?", (name, alias))
        self._aliases.get(name, {}).pop(alias, None)

    def save_tags(self, name: str, tags: Mapping[str, str]) -> None:
        """Replace the function's tags."""
        with self._write() as db:
            db.execute("INSERT OR REPLACE INTO tags VALUES (?, ?)", (name, json.dumps(dict(tags))))
        self._tags[name] = dict(tags)


def _version(document: dict[str, Any]) -> FunctionVersion:
    state, last_update = State(document.pop("state")), UpdateStatus(document.pop("last_update"))
    return FunctionVersion(**document, state=state, last_update=last_update)

"""The catalog: functions and all that is theirs in memory, written through to SQLite before an answer is given."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from runtime.catalog import documents
from runtime.catalog.documents import (
    Document,
    EventInvokeConfig,
    EventSourceMapping,
    FunctionUrl,
    LayerVersion,
    Policy,
    ProvisionedConcurrency,
    ReservedConcurrency,
)
from runtime.catalog.records import Alias, FunctionVersion, LayerUse, State, UpdateStatus
from runtime.names import LATEST

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
  function TEXT NOT NULL, version TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (function, version));
CREATE TABLE IF NOT EXISTS aliases (
  function TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (function, name));
CREATE TABLE IF NOT EXISTS numbers (function TEXT PRIMARY KEY, last_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tags (function TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, owner, key));
CREATE TABLE IF NOT EXISTS layer_numbers (layer TEXT PRIMARY KEY, last_version INTEGER NOT NULL);
"""
D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Change:
    """Something in the catalog is not what it was. `kind` is "function", "alias", "tags" or a document's KIND."""

    kind: str
    owner: str
    """The function (or layer); empty for what stands alone."""
    key: str = ""
    """Version, alias, qualifier or UUID; empty when the whole owner changed."""


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
        self._documents: dict[str, dict[tuple[str, str], Document]] = {kind.KIND: {} for kind in documents.ALL}
        self._followers: list[Callable[[Change], None]] = []
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
        for kind, document in self._db.execute("SELECT kind, document FROM documents"):
            record = documents.restored(kind, json.loads(document))
            self._documents[kind][record.owner, record.key] = record

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

    def on_change(self, follower: Callable[[Change], None]) -> None:
        """`follower` is called after every change, in the event loop's thread, before the writer goes on."""
        self._followers.append(follower)

    def _tell(self, kind: str, owner: str, key: str = "") -> None:
        change = Change(kind, owner, key)
        for follower in self._followers:
            try:
                follower(change)
            except Exception:  # noqa: BLE001  (what is written is written; whoever follows must not undo the answer)
                _log.exception("following %s failed", change)

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

    def find(self, kind: type[D], owner: str, key: str = "") -> D | None:
        """The record of that kind, or None: `find(Policy, "orders", "live")`."""
        return cast("D | None", self._documents[kind.KIND].get((owner, key)))

    def policy(self, name: str, qualifier: str | None) -> Policy | None:
        """The resource-based policy of exactly that ARN, or None."""
        return self.find(Policy, name, qualifier or "")

    def reserved(self, name: str) -> int | None:
        """The function's reserved concurrency; None when it has none."""
        found = self.find(ReservedConcurrency, name)
        return None if found is None else found.executions

    def provisioned(self, name: str, qualifier: str) -> ProvisionedConcurrency | None:
        """What was asked to be ready ahead of time for that version or alias, or None."""
        return self.find(ProvisionedConcurrency, name, qualifier)

    def event_invoke_config(self, name: str, qualifier: str | None) -> EventInvokeConfig | None:
        """How asynchronous events of exactly that ARN are handled, or None for the defaults."""
        return self.find(EventInvokeConfig, name, qualifier or LATEST)

    def mappings(self) -> list[EventSourceMapping]:
        """Every event source mapping, by UUID."""
        return self.all(EventSourceMapping)

    def urls(self) -> list[FunctionUrl]:
        """Every function URL."""
        return self.all(FunctionUrl)

    def of(self, kind: type[D], owner: str) -> list[D]:
        """The owner's records of that kind, by key."""
        return [record for record in self.all(kind) if record.owner == owner]

    def all(self, kind: type[D]) -> list[D]:
        """Every record of that kind, by owner and key."""
        of_kind = self._documents[kind.KIND]
        return [cast("D", of_kind[place]) for place in sorted(of_kind)]

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
        for version in versions:
            self._tell("function", version.name, version.version)

    def next_number(self, name: str) -> int:
        """The number the next published version gets: never one that was used, not even by a deleted function."""
        row = self._db.execute("SELECT last_version FROM numbers WHERE function = ?", (name,)).fetchone()
        return (row[0] if row else 0) + 1

    def delete_function(self, name: str) -> None:
        """Forget the function, its versions, aliases and tags, and what is attached to it."""
        kinds = [kind.KIND for kind in documents.ATTACHED]
        with self._write() as db:
            for table in ("versions", "aliases", "tags"):
                db.execute(f"DELETE FROM {table} WHERE function = ?", (name,))  # noqa: S608  (names from above)
            db.executemany("DELETE FROM documents WHERE kind = ? AND owner = ?", [(kind, name) for kind in kinds])
        for kept in (self._versions, self._aliases, self._tags):
            kept.pop(name, None)
        for kind in kinds:
            self._documents[kind] = {place: each for place, each in self._documents[kind].items() if place[0] != name}
        self._tell("function", name)

    def delete_version(self, name: str, version: str) -> None:
        """Forget one published version, and what is attached to it."""
        with self._write() as db:
            db.execute("DELETE FROM versions WHERE function = ? AND version = ?", (name, version))
            self._detach(db, name, version)
        self._versions[name].pop(version)
        self._tell("function", name, version)

    def _detach(self, db: sqlite3.Connection, name: str, qualifier: str) -> None:
        """Forget what is attached to one version or alias."""
        for kind in documents.ATTACHED:
            if self._documents[kind.KIND].pop((name, qualifier), None) is not None:
                db.execute(
                    "DELETE FROM documents WHERE kind = ? AND owner = ? AND key = ?", (kind.KIND, name, qualifier)
                )

    def save_alias(self, alias: Alias) -> None:
        """Keep this alias (new or changed)."""
        with self._write() as db:
            row = (alias.function, alias.name, json.dumps(asdict(alias)))
            db.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)", row)
        self._aliases.setdefault(alias.function, {})[alias.name] = alias
        self._tell("alias", alias.function, alias.name)

    def delete_alias(self, name: str, alias: str) -> None:
        """Forget the alias, and what is attached to it; nothing happens when it does not exist."""
        with self._write() as db:
            db.execute("DELETE FROM aliases WHERE function = ? AND name = ?", (name, alias))
            self._detach(db, name, alias)
        self._aliases.get(name, {}).pop(alias, None)
        self._tell("alias", name, alias)

    def save_tags(self, name: str, tags: Mapping[str, str]) -> None:
        """Replace the function's tags."""
        with self._write() as db:
            db.execute("INSERT OR REPLACE INTO tags VALUES (?, ?)", (name, json.dumps(dict(tags))))
        self._tags[name] = dict(tags)
        self._tell("tags", name)

    def put(self, *records: Document) -> None:
        """Keep these records (new or changed), all or none."""
        with self._write() as db:
            for record in records:
                row = (record.KIND, record.owner, record.key, json.dumps(asdict(cast("Any", record))))
                db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", row)
                if isinstance(record, LayerVersion):
                    db.execute(
                        "INSERT INTO layer_numbers VALUES (?, ?) ON CONFLICT (layer) DO UPDATE "
                        "SET last_version = max(last_version, excluded.last_version)",
                        (record.layer, record.number),
                    )
        for record in records:
            self._documents[record.KIND][record.owner, record.key] = record
        for record in records:
            self._tell(record.KIND, record.owner, record.key)

    def remove(self, kind: type[Document], owner: str, key: str = "") -> None:
        """Forget one record; nothing happens when it does not exist."""
        if self._documents[kind.KIND].pop((owner, key), None) is None:
            return
        with self._write() as db:
            db.execute("DELETE FROM documents WHERE kind = ? AND owner = ? AND key = ?", (kind.KIND, owner, key))
        self._tell(kind.KIND, owner, key)

    def next_layer_number(self, layer: str) -> int:
        """The number the layer's next version gets: never one that was used."""
        row = self._db.execute("SELECT last_version FROM layer_numbers WHERE layer = ?", (layer,)).fetchone()
        return (row[0] if row else 0) + 1


def _version(document: dict[str, Any]) -> FunctionVersion:
    state, last_update = State(document.pop("state")), UpdateStatus(document.pop("last_update"))
    layers = tuple(LayerUse(**layer) for layer in document.pop("layers", ()))
    return FunctionVersion(**document, state=state, last_update=last_update, layers=layers)

"""Everything that is SQLite's own way, in one place: connecting, beginning, protecting the ledger, watching."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import ArgumentError

from core.errors import InvalidInput

BUSY_TIMEOUT_S = 10.0

# Source of the numbers: SQLite's PRAGMA synchronous; in WAL mode 1 loses the last commits on power failure only.
_NORMAL, _FULL = 1, 2


def connect(url: str, busy_timeout_s: float) -> Engine:
    """An engine whose transactions begin as `begin_options` says; makes the file (0600) and its folder (0700).

    Raises:
        InvalidInput: the URL is not that of an SQLite file.
    """
    parsed = _parsed(url)
    path = Path(str(parsed.database))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _create(path)
    engine = create_engine(
        parsed,
        connect_args={"timeout": busy_timeout_s, "isolation_level": None, "check_same_thread": False},
        pool_size=4,
        max_overflow=60,
        pool_timeout=busy_timeout_s,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def begin_options(*, writing: bool, durable: bool) -> dict[str, Any]:
    """Execution options of a connection that is about to begin. Writers wait for their turn at the beginning."""
    return {"penstock_writing": writing, "penstock_synchronous": _FULL if durable else _NORMAL}


def use_wal(engine: Engine) -> None:
    """Readers and one writer at once, from now on and for everybody who opens the file."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        while cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                cursor.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError:  # somebody else is at the same; SQLite does not wait here by itself
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
    finally:
        raw.close()


def insert_if_absent(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Whether the row was inserted; False when its primary key is already there."""
    return connection.execute(insert(table).on_conflict_do_nothing(), dict(values)).rowcount == 1


def watcher(engine: Engine) -> sqlite3.Connection:
    """A connection for `data_version`, usable from any thread (one at a time)."""
    path = str(engine.url.database)
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def data_version(connection: sqlite3.Connection) -> int:
    """A number that changes when any other connection has committed."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def append_only(table: str) -> tuple[str, ...]:
    """Statements that make the database itself refuse changes to rows of `table`."""
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    )


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInput(f"'{url}' is no database URL", hint="write sqlite:///path/to/penstock.db") from None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        shown = parsed.render_as_string(hide_password=True)
        raise InvalidInput(f"the database {shown} is not served", hint="write sqlite:///path/to/penstock.db")
    return parsed


def _create(path: Path) -> None:
    """Make the file for its owner only. One that exists is not opened: closing it would drop SQLite's locks on it."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _prepare(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA synchronous={_NORMAL}")
    record.info["synchronous"] = _NORMAL


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    wanted = options.get("penstock_synchronous", _NORMAL)
    if connection.info["synchronous"] != wanted:
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["synchronous"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("penstock_writing") else "BEGIN")

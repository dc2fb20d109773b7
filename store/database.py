"""The database: opened once per process, then transactions and snapshots from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, TimeoutError

from core.clock import Clock
from core.errors import Conflict, NotFound, PenstockError, Unavailable
from core.holder import is_alive
from store import dialect, schema
from store.records import Lease
from store.transaction import Snapshot, Transaction

Alive = Callable[[str], bool | None]


class Database:
    """The store. Use `Database.open`, and `close` when done."""

    def __init__(self, engine: Engine, clock: Clock, alive: Alive) -> None:
        self._engine = engine
        self._clock = clock
        self._alive = alive
        self._here = threading.local()
        self._watch_lock = threading.Lock()
        self._watch: sqlite3.Connection | None = None

    @classmethod
    def open(
        cls, url: str, *, clock: Clock, alive: Alive = is_alive, busy_timeout_s: float = dialect.BUSY_TIMEOUT_S
    ) -> Database:
        """The database at `url` (`sqlite:///path`), made when it is not there, with its tables up to date.

        `alive` answers whether a lease's holder still lives. Writers wait up to `busy_timeout_s` for their turn.

        Raises:
            InvalidInput: not a URL that is served.
            PenstockError: the file is no database of ours, or was written by a newer Penstock.
            Unavailable: it cannot be opened.
        """
        with _translated(url):
            try:
                engine = dialect.connect(url, busy_timeout_s)
            except OSError as error:
                raise Unavailable(f"the database {url} cannot be opened", why=str(error)) from None
            try:
                dialect.use_wal(engine)
                schema.bring_up_to_date(engine)
            except BaseException:
                engine.dispose()
                raise
        return cls(engine, clock, alive)

    def close(self) -> None:
        """Close every connection. The database must not be in use any more."""
        with self._watch_lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self._engine.dispose()

    @contextmanager
    def transaction(self, *, durable: bool = False, lease: Lease | None = None) -> Iterator[Transaction]:
        """Everything inside is committed together at the end, or nothing when an exception leaves the block.

        Writers take turns. `durable`: the commit also survives a power failure. With `lease`
        nothing is done unless it is still ours.

        Raises:
            LeaseLost: at the beginning, when somebody else took the lease.
            Conflict: a unique name or id is taken.
            Unavailable: the database stayed busy.
        """
        options = dialect.begin_options(writing=True, durable=durable)
        with self._alone(), self._connection(options) as connection:
            transaction = Transaction(connection, self._clock, self._alive)
            if lease is not None:
                transaction.check_lease(lease)
            yield transaction

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Reads that see one moment, and never wait for writers."""
        options = dialect.begin_options(writing=False, durable=False)
        with self._connection(options) as connection:
            yield Snapshot(connection, self._clock, self._alive)

    def changed(self, marker: int | None) -> int:  # noqa: ARG002  (so that a follower reads: marker = changed(marker))
        """The present marker: other than `marker` exactly when something was committed since `marker` was given.

        Only to be compared with markers of this same object. Costs microseconds.
        """
        with self._watch_lock, _translated():
            if self._watch is None:
                self._watch = dialect.watcher(self._engine)
            return dialect.data_version(self._watch)

    @contextmanager
    def _connection(self, options: Mapping[str, Any]) -> Iterator[Connection]:
        """A pooled connection inside a transaction that ends with the block."""
        with _translated(), self._engine.connect() as connection:
            connection.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Refuse a second transaction inside one of the same thread: it would wait for itself."""
        if getattr(self._here, "writing", False):
            raise RuntimeError("a transaction inside a transaction of the same thread would wait for itself")
        self._here.writing = True
        try:
            yield
        finally:
            self._here.writing = False


@contextmanager
def _translated(url: str = "") -> Iterator[None]:
    """The database library's errors as ours."""
    try:
        yield
    except IntegrityError as error:
        if "FOREIGN KEY" in str(error.orig):
            raise NotFound("what this record belongs to does not exist") from error
        raise Conflict("a record with this name or id exists already", why=str(error.orig)) from error
    except (OperationalError, TimeoutError) as error:
        raise Unavailable("the database cannot be used now", where=url, why=_reason(error)) from error
    except sqlite3.OperationalError as error:
        raise Unavailable("the database cannot be used now", where=url, why=str(error)) from error
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise PenstockError("the database failed", where=url, why=_reason(error)) from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)

"""One SQLite file for what must not be lost: accepted events, records to deliver, positions in streams.

Whatever is written together is kept together or not at all; writes that come while the disk is busy share one commit.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)
_AGAIN_AFTER_S = 1.0

Statement = tuple[str, Sequence[Any]]
"""SQL and its parameters."""


class Journal:
    """`write` resolves when the statements are on disk. Used from the event loop's thread only."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._reader = sqlite3.connect(path, isolation_level=None)  # the other one is the writing thread's
        self._pending: list[tuple[list[Statement], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    def prepare(self, schema: str) -> None:
        """Create the tables of `schema` that do not exist; before anything is read or written."""
        self._db.executescript(schema)

    def read(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows, as they are on disk now."""
        return self._reader.execute(query, parameters).fetchall()

    def write(self, statements: Iterable[Statement]) -> asyncio.Future[None]:
        """Done when all of `statements` are on disk. A disk that refuses is tried again until it takes them."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((list(statements), future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return future

    async def close(self) -> None:
        """Write what is pending, then close."""
        if self._writer is not None:
            await self._writer
        self._reader.close()
        self._db.close()

    async def _write_all(self) -> None:
        while self._pending:
            pending, self._pending = self._pending, []
            statements = [statement for group, _ in pending for statement in group]
            failure: Exception | None = None
            try:
                while not await asyncio.to_thread(self._commit, statements):
                    await asyncio.sleep(_AGAIN_AFTER_S)
            except Exception as error:  # noqa: BLE001  (a fault of ours; whoever waits must hear of it)
                failure = error
            for _, future in pending:
                if not future.done():
                    future.set_result(None) if failure is None else future.set_exception(failure)
        self._writer = None

    def _commit(self, statements: list[Statement]) -> bool:
        """Whether the disk took them."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for query, parameters in statements:
                self._db.execute(query, parameters)
            self._db.execute("COMMIT")
        except sqlite3.OperationalError:
            _log.exception("what must not be lost cannot be written; trying again")
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            return False
        return True

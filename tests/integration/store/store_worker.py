"""A process that works on the store: `store_worker.py <what> <url> …`; speaks in lines on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from core.clock import SystemClock
from core.errors import Conflict
from core.holder import this_process
from store.database import Database
from store.records import ExecutionRecord, NewEvent


def append(database: Database, name: str, times: str) -> None:
    """Append that many events, one transaction each."""
    for n in range(int(times)):
        with database.transaction() as transaction:
            transaction.append(NewEvent("Happened", name, facts={"n": n}))


def count(database: Database, id_: str, times: str) -> None:
    """Raise the execution's counter that many times by compare-and-set, reading outside the transaction."""
    lost = 0
    done = 0
    while done < int(times):
        with database.snapshot() as snapshot:
            seen = snapshot.execution(id_)
        try:
            _raise_counter(database, seen)
        except Conflict:
            lost += 1
        else:
            done += 1
    print(lost)  # noqa: T201


def _raise_counter(database: Database, seen: ExecutionRecord) -> None:
    with database.transaction() as transaction:
        value = int(seen.variables["count"]) + 1
        transaction.update_execution(seen, variables={"count": str(value)})
        transaction.append(NewEvent("Counted", seen.id, execution_id=seen.id, facts={"count": value}))


def forever(database: Database, id_: str) -> None:
    """Raise the counter until killed, saying after each commit what is now certain."""
    while True:
        with database.snapshot() as snapshot:
            seen = snapshot.execution(id_)
        _raise_counter(database, seen)
        print(int(seen.variables["count"]) + 1, flush=True)  # noqa: T201


def halfway(database: Database, id_: str) -> None:
    """Write inside a transaction and never finish it."""
    with database.transaction() as transaction:
        seen = transaction.execution(id_)
        transaction.update_execution(seen, variables={"count": "never"})
        transaction.append(NewEvent("Never", id_))
        print("inside", flush=True)  # noqa: T201
        time.sleep(600)


def hold(database: Database, name: str) -> None:
    """Take a lease for an hour and keep it."""
    with database.transaction() as transaction:
        lease = transaction.take_lease(name, this_process(), 3600)
    print(lease.token if lease else "no", flush=True)  # noqa: T201
    time.sleep(600)


def opened(database: Database) -> None:
    """Only open the database."""
    with database.snapshot() as snapshot:
        print(snapshot.last_seq())  # noqa: T201


WORK: list[Callable[..., None]] = [append, count, forever, halfway, hold, opened]


def main() -> None:
    what, url, *arguments = sys.argv[1:]
    database = Database.open(url, clock=SystemClock())
    for work in WORK:
        if work.__name__ == what:
            work(database, *arguments)
    database.close()


if __name__ == "__main__":
    main()

"""Reading the store directly, with the same documents the API sends: for commands when the engine is down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app import documents, wiring
from app.documents import Document
from app.settings import Settings
from app.supervised import processes
from core.clock import SystemClock
from core.errors import InvalidInput
from pipelines.service import Service
from store.records import ExecutionStatus


class Local:
    """The store's answers."""

    def __init__(self, service: Service, here: Settings) -> None:
        self._service = service
        self._here = here

    def status(self) -> Document:
        """Every pipeline's state, and how the processes are."""
        pipelines = [documents.state(item) for item in self._service.status()]
        return {"pipelines": pipelines, "processes": processes(self._here)}

    def executions(self, pipeline: str | None, status: str | None, limit: int) -> Document:
        """The newest executions."""
        found = self._service.executions(pipeline, status_of(status), limit)
        return {"executions": [documents.execution(item) for item in found]}

    def show(self, ref: str) -> Document:
        """One execution as a tree."""
        return documents.tree(self._service.show(ref))

    def why(self, ref: str) -> Document:
        """One execution's story."""
        return documents.story(self._service.why(ref))


def status_of(text: str | None) -> ExecutionStatus | None:
    """The status of that name, None for none.

    Raises:
        InvalidInput: there is no such status.
    """
    if not text:
        return None
    for status in ExecutionStatus:
        if status.value.lower() == text.lower():
            return status
    known = ", ".join(status.value for status in ExecutionStatus)
    raise InvalidInput(f"{text!r} is no status", where="status", hint=f"use one of {known}")


@contextmanager
def opened(here: Settings) -> Iterator[Local]:
    """The store of this home, for reading."""
    clock = SystemClock()
    store = wiring.database(here, clock)
    try:
        yield Local(wiring.service(here, store, clock), here)
    finally:
        store.close()

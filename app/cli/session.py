"""What every command begins with: the settings of where it was started, and questions to the engine or the store."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from app.cli.client import HINT, NOT_UP, Client, NotUp, connect, part
from app.settings import Settings, read
from core.errors import NotFound

Document = dict[str, Any]
T = TypeVar("T")
LATEST = "latest"


class Reader(Protocol):
    """Questions that change nothing; the engine answers them, or the store when the engine is down."""

    def status(self) -> Document:
        """{"pipelines": […], "processes": {…}}."""
        ...

    def executions(self, pipeline: str | None, status: str | None, limit: int) -> Document:
        """{"executions": […]}, newest first."""
        ...

    def show(self, ref: str) -> Document:
        """One execution as a tree."""
        ...

    def why(self, ref: str) -> Document:
        """One execution's story."""
        ...


class Remote:
    """The engine's answers."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def status(self) -> Document:
        """See `Reader`."""
        found: Document = self._client.get("/v1/status")
        return found

    def executions(self, pipeline: str | None, status: str | None, limit: int) -> Document:
        """See `Reader`."""
        found: Document = self._client.get("/v1/executions", pipeline=pipeline, status=status, limit=limit)
        return found

    def show(self, ref: str) -> Document:
        """See `Reader`."""
        found: Document = self._client.get(f"/v1/executions/{part(ref)}")
        return found

    def why(self, ref: str) -> Document:
        """See `Reader`."""
        found: Document = self._client.get(f"/v1/executions/{part(ref)}/why")
        return found


def settings(file: Path | None = None) -> Settings:
    """The settings of a command started here."""
    return read(os.environ, Path.cwd(), file=file)


def ask(here: Settings, question: Callable[[Reader], T]) -> T:
    """The answer of the engine, or of the store itself when no engine runs.

    Raises:
        NotFound: there is no store either.
    """
    client = connect(here)
    if client is not None:
        try:
            return question(Remote(client))
        except NotUp:
            pass
    if here.database_url.startswith("sqlite") and not (here.home / "penstock.db").exists():
        raise NotFound(f"nothing was ever run here ({here.home} holds no store)", hint="start with `penstock run`")
    from app.local import opened

    with opened(here) as reader:
        return question(reader)


def engine(here: Settings) -> Client:
    """A client of the running engine, for commands that change something.

    Raises:
        NotUp: it does not run.
    """
    client = connect(here)
    if client is None:
        raise NotUp(NOT_UP, hint=HINT)
    return client

"""How the server and the backend's process find each other: small files in a directory of the home."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core import holder
from core.files import write_atomic


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two: which process it is (see `core.holder`), and where it listens."""

    holder: str
    port: int
    url: str = ""

    @property
    def alive(self) -> bool:
        """Whether that process still runs."""
        return holder.is_alive(self.holder) is True

    @property
    def host(self) -> str:
        """The address it listens at."""
        return urlsplit(self.url).hostname or "127.0.0.1"

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self.holder.split("/")[2])


class Files:
    """The directory they share; only the owner can look into it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._secret = ""

    def prepare(self) -> None:
        """Make the directory and the secret, unless they are there."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._secret_file.exists():
            write_atomic(self._secret_file, secrets.token_urlsafe(32))

    def secret(self) -> str:
        """What each proves to the other that it is one of the two; empty before `prepare`."""
        if not self._secret and self._secret_file.exists():
            self._secret = self._secret_file.read_text()
        return self._secret

    def server(self) -> Party | None:
        """The server that started last."""
        return _read(self.directory / "server.json")

    def backend(self) -> Party | None:
        """The backend that started last."""
        return _read(self.directory / "backend.json")

    def tell_server(self, party: Party) -> None:
        """Write down where the server is."""
        _write(self.directory / "server.json", party)

    def tell_backend(self, party: Party) -> None:
        """Write down where the backend is."""
        _write(self.directory / "backend.json", party)

    def forget_backend(self) -> None:
        """There is no backend any more."""
        (self.directory / "backend.json").unlink(missing_ok=True)

    @property
    def _secret_file(self) -> Path:
        return self.directory / "secret"


def _read(path: Path) -> Party | None:
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        return Party(str(data["holder"]), int(data["port"]), str(data.get("url", "")))
    except (OSError, ValueError, KeyError):
        return None


def _write(path: Path, party: Party) -> None:
    write_atomic(path, json.dumps({"holder": party.holder, "port": party.port, "url": party.url}))

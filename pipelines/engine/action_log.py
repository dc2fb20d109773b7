"""The log file of one attempt at an action: whole redacted lines, each with its time, visible as soon as written."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from core.clock import Clock
from core.secrets import Redactor


def log_path(logs: Path, execution_id: str, stage: str, action: str, attempt: int) -> Path:
    """Where the log of that attempt is kept."""
    return logs / execution_id / f"{stage}.{action}.{attempt}.log"


class ActionLog:
    """Lines `<utc time to the millisecond>Z <text>`. Safe to use from many threads; a second start appends."""

    def __init__(self, path: Path, redactor: Redactor, clock: Clock) -> None:
        self._path = path
        self._redactor = redactor
        self._clock = clock
        self._lock = threading.Lock()
        self._file: int | None = None

    def write(self, text: str) -> None:
        """Append `text`, one line per line of it (an empty text is an empty line)."""
        time = _time(self._clock.now())
        lines = self._redactor.redact(text).splitlines() or [""]
        data = "".join(f"{time} {line}\n" for line in lines).encode("utf-8", "replace")
        with self._lock:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            os.write(self._file, data)

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"

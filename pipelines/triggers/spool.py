"""Events that git hooks left in PENSTOCK_HOME/spool, read in the order they happened."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.files import write_atomic
from pipelines.triggers.event import GitEvent, is_zero

MAX_BYTES = 16 * 1024 * 1024

_KEYS = {"version", "hook", "repository", "updates"}
_HOOKS = ("post-commit", "post-receive")
_SERVED = ("refs/heads/", "refs/tags/")
# As git gives them to post-receive: before, after, ref. A local commit's hook writes "-" for the before.
_UPDATE = re.compile(r"([0-9a-f]{40,64}|-) ([0-9a-f]{40,64}) (refs/.+)")


@dataclass(frozen=True, slots=True)
class Spooled:
    """One hook's run: its file, to be removed when the ledger has all its `events`."""

    file: Path
    events: tuple[GitEvent, ...]


class Spool:
    """The spool of one PENSTOCK_HOME; it need not exist."""

    def __init__(self, home: Path) -> None:
        self.directory = home / "spool"

    def waiting(self) -> list[Spooled]:
        """Everything spooled, oldest first. Files nobody can read are moved to `bad/` with the reason beside them."""
        return [spooled for file in self._files() if (spooled := self._read(file)) is not None]

    def remove(self, spooled: Spooled) -> None:
        """Forget a file whose events are in the ledger; one that is gone already is fine."""
        spooled.file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        try:
            with os.scandir(self.directory) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".json") and entry.is_file()]
        except FileNotFoundError:
            return []
        return sorted((self.directory / name for name in names), key=_written)

    def _read(self, file: Path) -> Spooled | None:
        try:
            return Spooled(file, parsed(file.read_bytes()))
        except FileNotFoundError:
            return None
        except ValueError as error:
            self._set_aside(file, str(error))
            return None

    def _set_aside(self, file: Path, reason: str) -> None:
        bad = self.directory / "bad"
        bad.mkdir(mode=0o700, exist_ok=True)
        write_atomic(bad / f"{file.name}.reason", os.fsencode(f"{reason}\n"))
        file.replace(bad / file.name)


def parsed(raw: bytes) -> tuple[GitEvent, ...]:
    """The events in one spool file. Deleted refs, and refs that are neither branches nor tags, are none.

    Raises:
        ValueError: it is not what a hook writes; the message says why.
    """
    if len(raw) > MAX_BYTES:
        raise ValueError(f"it is {len(raw)} bytes long, the most is {MAX_BYTES}")
    try:
        # A path may hold any byte but NUL: odd bytes are kept as surrogate escapes, control characters are let through.
        data = json.loads(os.fsdecode(raw), strict=False)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    repository = _repository(data)
    events = (_event(repository, update) for update in data["updates"])
    return tuple(event for event in events if event is not None)


def _repository(data: Any) -> Path:
    """The repository `data` speaks of, once every key of it has the right type."""
    if not isinstance(data, dict) or set(data) != _KEYS:
        raise ValueError(f"it is not a mapping with the keys {', '.join(sorted(_KEYS))}")
    repository = data["repository"]
    mistakes = {
        "it was written by another version of the hook": data["version"] != 1 or data["hook"] not in _HOOKS,
        "its updates are no list": not isinstance(data["updates"], list),
        "its repository is no absolute path": not _absolute(repository),
    }
    for mistake, made in mistakes.items():
        if made:
            raise ValueError(mistake)
    return Path(repository).resolve()


def _absolute(path: Any) -> bool:
    return isinstance(path, str) and path.startswith("/") and "\0" not in path


def _event(repository: Path, update: Any) -> GitEvent | None:
    found = _UPDATE.fullmatch(update) if isinstance(update, str) else None
    if found is None:
        raise ValueError(f"one of its updates is not 'before after ref': {update!r:.200}")
    before, after, ref = found.groups()
    if is_zero(after) or not ref.startswith(_SERVED):
        return None
    if before == "-":
        return GitEvent(repository, ref, None, after)
    return GitEvent(repository, ref, "" if is_zero(before) else before, after)


def _written(file: Path) -> tuple[int, str]:
    """When the hook wrote `file`; one that was taken away meanwhile comes first and is skipped when read."""
    try:
        return file.stat().st_mtime_ns, file.name
    except FileNotFoundError:
        return 0, file.name

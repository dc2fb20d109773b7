"""Log groups: what is known of each, in a file of its directory and in memory, and who wants to hear of its events."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.files import write_atomic
from runtime.log_groups.places import SETTINGS, group_directory, groups, stream_path, streams

Hook = Callable[[str, int, str], None]
"""`hook(stream, time in ms, message)`, called for each new event."""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What is kept of a group."""

    created_ms: int
    retention_days: int | None = None
    kind: str = "STANDARD"
    tags: Mapping[str, str] = field(default_factory=dict)
    metric_filters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By name, under the service's names."""


class Group:
    """One group. `hooks` hear of every new event, in no order."""

    def __init__(self, name: str, directory: Path, settings: GroupSettings) -> None:
        self.name = name
        self.directory = directory
        self.settings = settings
        self.hooks: list[Hook] = []
        self.gone = False

    def save(self, settings: GroupSettings) -> None:
        """Have other settings."""
        self.directory.mkdir(parents=True, exist_ok=True)
        write_atomic(self.directory / SETTINGS, json.dumps(asdict(settings)))
        self.settings = settings

    def streams(self) -> dict[str, Path]:
        """Every stream by name, with its file; sorted."""
        return streams(self.directory)

    def stream(self, name: str) -> Path:
        """Where a stream of that name is, or would be."""
        return stream_path(self.directory, name)


class Groups:
    """Every group under `root`. `opened` is called with each group when it is first looked at."""

    def __init__(self, root: Path, opened: Callable[[Group], None] = lambda _: None) -> None:
        self._root = root
        self.opened = opened
        self._known: dict[str, Group] = {}

    def all(self) -> Iterable[Group]:
        """Every group, by name."""
        return [self._open(name, directory) for name, directory in groups(self._root).items()]

    def get(self, name: str) -> Group | None:
        """The group of that name."""
        directory = group_directory(self._root, name)
        return self._open(name, directory) if directory.is_dir() else None

    def create(self, name: str, settings: GroupSettings) -> Group:
        """The group of that name, which is made unless it exists."""
        found = self.get(name)
        if found is None:
            found = Group(name, group_directory(self._root, name), settings)
            found.save(settings)
            self._remember(found)
        return found

    def for_stream(self, name: str) -> Group:
        """The group of that name, which is made with its first event if it does not exist."""
        return (
            self._known.get(name) or self.get(name) or Group(name, group_directory(self._root, name), GroupSettings(0))
        )

    def begun(self, group: Group, now_ms: int) -> Group:
        """The group as it is when an event is about to be written: it exists from now on."""
        if group.gone or group.name not in self._known:
            return self.create(group.name, GroupSettings(now_ms))
        return group

    def delete(self, group: Group) -> None:
        """Remove the group with all its streams."""
        group.gone = True
        self._known.pop(group.name, None)
        trash = group.directory.with_name(f"{group.directory.name}.deleted")
        group.directory.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)

    def _open(self, name: str, directory: Path) -> Group:
        found = self._known.get(name)
        if found is None:
            found = Group(name, directory, _read(directory))
            self._remember(found)
        return found

    def _remember(self, group: Group) -> None:
        self._known[group.name] = group
        self.opened(group)


def _read(directory: Path) -> GroupSettings:
    """What is kept; a directory without a file is as old as it looks."""
    try:
        return GroupSettings(**json.loads((directory / SETTINGS).read_text()))
    except (OSError, ValueError, TypeError):
        return GroupSettings(round(directory.stat().st_ctime * 1000))

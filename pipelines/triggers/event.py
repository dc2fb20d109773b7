"""What may start an execution, each with the key that makes it start only one."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.units import iso

_BRANCH, _TAG = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class GitEvent:
    """A branch or tag of a repository moved to the commit `after`.

    `repository` is its common git directory, the same for all its worktrees. `before` is where the ref was: "" when
    it is new, None when the hook did not know (a local commit: it was the commit's first parent).
    """

    repository: Path
    ref: str
    before: str | None
    after: str

    @property
    def branch(self) -> str:
        """The branch's name, "" for a tag."""
        return self.ref.removeprefix(_BRANCH) if self.ref.startswith(_BRANCH) else ""

    @property
    def tag(self) -> str:
        """The tag's name, "" for a branch."""
        return self.ref.removeprefix(_TAG) if self.ref.startswith(_TAG) else ""

    @property
    def detail(self) -> str:
        """For people: which ref moved to which commit."""
        kind, name = ("tag", self.tag) if self.tag else ("branch", self.branch)
        return _printable(f"{kind} {name} is at {self.after[:12]}")

    def key(self, pipeline: str) -> str:
        """The idempotency key of this event for `pipeline` ("" when no pipeline wants it)."""
        return _printable(f"git:{pipeline}:{repository_id(self.repository)}:{self.ref}:{self.after}")


@dataclass(frozen=True, slots=True)
class ScheduleEvent:
    """A schedule of `pipeline` came due at `due_at`; `schedule` is the digest of its cron and time zone."""

    pipeline: str
    schedule: str
    cron: str
    timezone: str
    due_at: datetime

    @property
    def detail(self) -> str:
        """For people: which schedule, and when it was due."""
        return f"cron {self.cron} ({self.timezone}), due {iso(self.due_at)}"

    @property
    def key(self) -> str:
        """The idempotency key of this due time."""
        return f"schedule:{self.pipeline}:{self.schedule}:{iso(self.due_at)}"


def repository_id(repository: Path) -> str:
    """Twelve hex digits that stand for the repository whose common git directory this is."""
    return hashlib.sha256(os.fsencode(repository)).hexdigest()[:12]


def is_zero(commit: str) -> bool:
    """Whether it is git's id of nothing: all zeros, of either hash length."""
    return not commit.strip("0")


def _printable(text: str) -> str:
    """`text` with the bytes that are no UTF-8 (git allows them in names) written out."""
    return os.fsencode(text).decode("utf-8", "backslashreplace")

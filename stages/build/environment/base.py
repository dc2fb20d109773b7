"""The port between a build's shell and the place it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Ended:
    """Why the shell is gone for good. `exit_code` is None when it was killed; `message` says by what."""

    reason: Literal["exited", "timed-out", "stopped"]
    exit_code: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """A shell script to start: `channel` in `arguments` stands for where the script reads its commands from."""

    script: Path
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    directory: Path
    on_line: Callable[[str], None]
    on_end: Callable[[Ended], None]


CHANNEL = "\0channel"


class Channel(Protocol):
    """The way to a running shell script."""

    def send(self, line: str) -> None:
        """Give the script one line; a script that has ended does not get it, which is no error."""
        ...

    def close(self) -> None:
        """Tell the script that nothing more comes, and wait until it has ended."""
        ...


class Files(Protocol):
    """Which files of this machine are also the commands' files, and by which names."""

    def host(self, path: str) -> Path | None:
        """The absolute path `path` of the commands on this machine; None when it cannot be reached from here."""
        ...

    def reaches(self, path: Path) -> bool:
        """Whether the commands could have read the real path `path` of this machine themselves."""
        ...


class Environment(Files, Protocol):
    """One build's place: `prepare`, then `start` at most once, then `close` in every case.

    `folder` on this machine is all that the commands share with us; `place` says how they see a path in it.
    """

    folder: Path

    def prepare(self) -> None:
        """Make ready what can be made ready before the commands are known.

        Raises:
            EnvironmentFailed: the image cannot be had, no engine answers.
        """
        ...

    def place(self, path: Path) -> str:
        """`path` (in `folder`) as the commands see it."""
        ...

    def variables(self) -> Mapping[str, str]:
        """What the environment itself sets: PATH, HOME, TMPDIR and the like."""
        ...

    def start(self, launch: Launch) -> Channel:
        """Start the script with exactly `launch.variables` (and what the image sets).

        Raises:
            EnvironmentFailed: it cannot be started.
        """
        ...

    def must_end(self) -> bool:
        """Whether a stop or the deadline is about to end whatever runs."""
        ...

    def close(self) -> None:
        """Leave nothing behind: no process, no container. Safe to call twice."""
        ...


class EnvironmentFailed(Exception):
    """The place could not be made: `code` as CodeBuild's phase context has it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

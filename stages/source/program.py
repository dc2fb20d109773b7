"""Running the git program: a known environment, no prompts, no hooks, stopped with its action."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core import process
from core.clock import Clock
from stages.source.address import SCHEMES, without_credentials

# What would lead git to another repository than the one we name, as inside a hook.
_MISLEADING = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_CONFIG_PARAMETERS"),
    *("GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_ATTR_SOURCE", "GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE"),
)
_OPTIONS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.autoDetach=false")


class GitFailed(Exception):
    """Git ended with an error; the text is what it said last, without credentials."""


class GitBrokenOff(Exception):
    """The action was stopped, or its time was over (`timed_out`)."""

    def __init__(self, message: str, *, timed_out: bool) -> None:
        super().__init__(message)
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True)
class Git:
    """The git program for one action."""

    base: Mapping[str, str]
    clock: Clock
    deadline: datetime | None = None
    should_stop: Callable[[], str] | None = None
    tag: str = ""

    def run(self, arguments: Sequence[str], directory: Path, settings: Mapping[str, str] | None = None) -> list[str]:
        """The lines git printed; `settings` are more environment variables.

        Raises:
            GitFailed: it is not installed, or ended with an error.
            GitBrokenOff: it had to be ended.
        """
        reason = self.should_stop() if self.should_stop else ""
        if reason:
            raise GitBrokenOff(reason, timed_out=False)
        lines: list[str] = []
        left = None if self.deadline is None else (self.deadline - self.clock.now()).total_seconds()
        if left is not None and left <= 0:
            raise GitBrokenOff("the time is over", timed_out=True)
        result = process.run(
            ["git", *_OPTIONS, *arguments],
            cwd=directory,
            env=self._environment(settings or {}),
            on_line=lines.append,
            timeout_s=left,
            should_stop=self.should_stop,
            tag=self.tag,
        )
        if result.reason != "exited":
            raise GitBrokenOff(result.message, timed_out=result.reason == "timed-out")
        if result.exit_code != 0:
            said = "; ".join(line.strip() for line in lines[-5:] if line.strip()) or result.message
            raise GitFailed(without_credentials(said))
        return lines

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in self.base.items() if name not in _MISLEADING}
        ours = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES),
            "GIT_SSH_COMMAND": kept.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
            "LC_ALL": "C",
        }
        return {**kept, **ours, **settings}


def remote_settings(url: str) -> dict[str, str]:
    """Settings under which `penstock` is the name of a remote at `url`, so that no argument or file shows the URL."""
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "remote.penstock.url", "GIT_CONFIG_VALUE_0": url}

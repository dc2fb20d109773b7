"""What a sandbox is asked for, and what it promises whoever uses it. Values and protocols only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runtime.http import Handler, Streams


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """What surrounds the processes of one environment."""

    owner: str
    """Whose it is: the ARN of the function version."""
    task_root: Path | None
    """The directory on this machine that is shown, read-only, as LAMBDA_TASK_ROOT; None for an empty one."""
    layers: tuple[Path, ...]
    """Directories on this machine that are shown, read-only and merged, as /opt: a later one wins."""
    memory_mb: int
    temporary_mb: int
    runtime_directory: Path | None = None
    """The directory on this machine that is shown, read-only, as LAMBDA_RUNTIME_DIR; None for Python's."""
    programs: tuple[tuple[Path, str], ...] = ()
    """Files on this machine that are shown, read-only and executable, at these paths (`/var/lang/bin/node`)."""
    named: bool = False
    """Whether `sandbox.localdomain` is an address of its own, so that listeners of two sandboxes do not collide."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process in a sandbox."""

    name: str
    """"runtime", or the file name of an extension; unique among the processes that run in the sandbox."""
    arguments: tuple[str, ...]
    """What is executed, with paths as seen inside; () runs the Python handler that _HANDLER names, by fork."""
    environment: Mapping[str, str]
    directory: str


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things are for a process inside; the real places where sandboxes have no root of their own."""

    task_root: str
    layers: str
    runtime_directory: str
    temporary: str
    interpreter: tuple[str, ...]
    """What starts a fresh Python that runs the handler, for when it cannot be forked."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int
    """The exit code; negative for a signal."""
    out_of_memory: bool = False
    """It was killed because the sandbox used more memory than it may."""
    error: str = ""
    """Why it could not be started at all (`fork/exec /opt/extensions/watcher: permission denied`)."""


OnLine = Callable[[str], None]
OnExit = Callable[[Exit], None]


class Sandbox(Protocol):
    """The place of one environment's processes. It outlives them: after `kill` new ones find /tmp as it was."""

    @property
    def address(self) -> str:
        """host:port of its Runtime API, as seen from inside."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether a process inside has a connection to `address`, as one that waits for an event has."""
        ...

    @property
    def host(self) -> str:
        """The address that `sandbox.localdomain` is inside: where its listeners are reached."""
        ...

    @property
    def paths(self) -> Paths:
        """Where things are for a process inside."""
        ...

    @property
    def isolation(self) -> Isolation:
        """What is in force."""
        ...

    def spawn(self, process: ProcessSpec, on_line: OnLine, on_exit: OnExit) -> None:
        """Start a process; `on_line` is called for each line it writes, `on_exit` once when it has ended.

        `on_exit` is not called for what `kill` or `close` ended.
        """
        ...

    def signal(self, name: str, number: int) -> None:
        """Send a signal to the process with this name, and to its group; nothing happens when it has ended."""
        ...

    def drain(self) -> None:
        """Hand on everything the processes have written so far, unfinished last lines included."""
        ...

    def settled(self) -> None:
        """Their Init phase is over: from now on they have the processor time that their memory stands for."""
        ...

    def kill(self) -> None:
        """End all processes inside at once."""
        ...

    def close(self) -> None:
        """End all processes and give up the place with its /tmp."""
        ...

    def memory_peak_mb(self) -> int:
        """The most memory the processes used at once, in MB, as Lambda's REPORT line counts it."""
        ...


class Sandboxes(Protocol):
    """What makes sandboxes."""

    def create(self, spec: SandboxSpec, on_request: Handler, streams: Streams | None = None) -> Sandbox:
        """A sandbox; `on_request` answers what its processes ask at `address`, `streams` is HttpProtocol's."""
        ...


@dataclass(frozen=True, slots=True)
class Isolation:
    """What is in force for a sandbox, in the words of the logs."""

    namespaces: bool
    """Own root, processes, IPC and user id."""
    memory: str
    """"cgroup v1", "cgroup v2", "watched" or "none"."""
    cpu: str
    temporary: str
    """How the size of /tmp is bounded, or "none"."""
    warnings: tuple[str, ...] = ()
    """A sentence for each thing that is not enforced."""

"""Bare copies of remote repositories under PENSTOCK_HOME/git, so that a fetch only brings what is new."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.clock import Clock
from stages.source.address import Remote
from stages.source.program import Git, GitBrokenOff, remote_settings

_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_FETCH = ("fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "penstock")


class Mirror:
    """One remote repository's copy. Everything but `path` is to be done while it is `locked`."""

    def __init__(self, program: Git, folder: Path, remote: Remote) -> None:
        self._program = program
        self._remote = remote
        self.path = folder / remote.cache_name

    @contextmanager
    def locked(self, clock: Clock, stopped: Callable[[], str]) -> Iterator[None]:
        """Nobody else fetches into it meanwhile, in this process or another.

        Raises:
            GitBrokenOff: stopped while waiting for somebody else.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("a") as lock:
            while not _taken(lock.fileno()):
                if reason := stopped():
                    raise GitBrokenOff(reason, timed_out=False)
                clock.sleep(0.05)
            yield

    def update(self) -> None:
        """Bring every branch and tag up to date; make the mirror when it is the first time.

        Raises:
            GitFailed, GitBrokenOff: see `Git.run`.
        """
        if not (self.path / "HEAD").exists():
            self._program.run(["init", "--quiet", "--bare", str(self.path)], self.path.parent)
        self._run([*_FETCH, *_EVERYTHING])

    def bring(self, commit: str) -> None:
        """Fetch one commit that no branch or tag leads to (the server must allow that)."""
        self._run([*_FETCH, commit])

    def default_branch(self) -> str:
        """The branch that the remote's HEAD names, "" when it names none."""
        return default_branch(self._program, self._remote, self.path)

    def _run(self, arguments: list[str]) -> None:
        settings = {"GIT_DIR": str(self.path), **remote_settings(self._remote.url)}
        self._program.run(arguments, self.path, settings)


def default_branch(program: Git, remote: Remote, directory: Path) -> str:
    """The branch that the remote's HEAD names, "" when it names none."""
    lines = program.run(["ls-remote", "--symref", "penstock", "HEAD"], directory, remote_settings(remote.url))
    prefix = "ref: refs/heads/"
    named = [line.removeprefix(prefix).split("\t")[0] for line in lines if line.startswith(prefix)]
    return named[0] if named else ""


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Asking git: where a repository keeps its things, and which files a push changed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import InvalidInput, NotFound, PenstockError, Unavailable
from pipelines.triggers.event import GitEvent
from stages.source import address

_TIMEOUT_S = 60.0

# What git tells its hooks about the repository they run for; it must not reach a command about another one.
_OF_ONE_REPOSITORY = frozenset(
    f"GIT_{name}"
    for name in (
        "ALTERNATE_OBJECT_DIRECTORIES",
        "COMMON_DIR",
        "DIR",
        "GRAFT_FILE",
        "INDEX_FILE",
        "NAMESPACE",
        "OBJECT_DIRECTORY",
        "PREFIX",
        "QUARANTINE_PATH",
        "SHALLOW_FILE",
        "WORK_TREE",
    )
)


class GitFailed(PenstockError):
    """A git command ended with an error; `why` is what it said."""


def git(directory: Path, *arguments: str) -> str:
    """What `git` prints in `directory`, without the last line end. Paths may hold any byte (surrogate escapes).

    Raises:
        GitFailed: git says no.
        Unavailable: there is no git, or it does not end.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _OF_ONE_REPOSITORY}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (FileNotFoundError, NotADirectoryError):
        if directory.is_dir():
            raise Unavailable("there is no git on this machine", hint="install git") from None
        raise GitFailed("there is no such directory", where=str(directory)) from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"git {arguments[0]} did not end within {_TIMEOUT_S:.0f} s", where=str(directory)) from None
    if done.returncode != 0:
        why = os.fsdecode(done.stderr).strip()
        raise GitFailed(f"git {arguments[0]} failed", where=str(directory), why=why)
    return os.fsdecode(done.stdout).removesuffix("\n")


def common_directory(directory: Path) -> Path:
    """The absolute git directory that every worktree of the repository at `directory` shares.

    Raises:
        NotFound: there is no repository there, or git refuses to read it (the reason is told).
    """
    try:
        found = git(directory, "rev-parse", "--git-common-dir")
    except GitFailed as error:
        raise NotFound("there is no git repository here", where=str(directory), why=error.why) from None
    return (directory / found).resolve()


def repository_of(repository: str, base: Path) -> Path | None:
    """The common git directory of what a source action calls its repository; None when it is not on this machine.

    `repository` is a path, relative to `base`, or a URL.
    """
    try:
        named = address.parse(repository, base)
        if isinstance(named, address.LocalPath):
            return common_directory(named.path)
        parts = urlsplit(named.url)
        return common_directory(Path(unquote(parts.path))) if parts.scheme == "file" else None
    except (InvalidInput, NotFound):
        return None


def head_branch(repository: Path) -> str:
    """The branch HEAD stands on, "" when it stands on a commit."""
    try:
        return git(repository, "symbolic-ref", "--quiet", "HEAD").removeprefix("refs/heads/")
    except GitFailed:
        return ""


def commit_of(event: GitEvent) -> str:
    """The commit the event is about: what an annotated tag points to.

    Raises:
        GitFailed: it is no longer there, or is no commit.
    """
    return git(event.repository, "rev-parse", "--verify", "--quiet", f"{event.after}^{{commit}}")


def changed_files(event: GitEvent) -> tuple[str, ...] | None:
    """The paths that differ between before and after, both names of a renamed file; None without a before.

    Raises:
        GitFailed: a commit is no longer there.
    """
    before = event.before
    if before is None:
        parents = git(event.repository, "rev-list", "--parents", "--max-count=1", event.after).split()[1:]
        before = parents[0] if parents else ""
    if not before:
        return None
    listed = git(event.repository, "diff-tree", "-r", "-z", "--name-only", "--no-renames", before, event.after)
    return tuple(name for name in listed.split("\0") if name)

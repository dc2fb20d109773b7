"""A commit in a repository: found by branch, tag or id, and what is known about it. Read through GitPython."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import git
from git.exc import BadName, BadObject, InvalidGitRepositoryError, NoSuchPathError, ODBError

from core.document import suggest
from core.errors import InvalidInput, NotFound

_ID = re.compile(r"[0-9a-fA-F]{4,40}")
_UNREADABLE = (BadName, BadObject, ODBError, ValueError, KeyError, OSError)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to take: at most one of branch, tag and commit; none means the default branch. `pinned` wins over all."""

    branch: str = ""
    tag: str = ""
    commit: str = ""
    pinned: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit. `branch` or `tag` is what it was found by, if any; times are aware."""

    id: str
    message: str
    author_name: str
    author_email: str
    authored_at: datetime
    committed_at: datetime
    branch: str = ""
    tag: str = ""

    @property
    def summary(self) -> str:
        """The short id and the message's first line."""
        return f"{self.id[:8]} {self.message.strip().splitlines()[0] if self.message.strip() else ''}".strip()


@contextmanager
def opened(path: Path) -> Iterator[git.Repo]:
    """The repository that `path` lies in.

    Raises:
        InvalidInput: there is none.
    """
    try:
        repository = git.Repo(path, search_parent_directories=True)
    except NoSuchPathError:
        raise InvalidInput("there is no such directory", where=str(path)) from None
    except InvalidGitRepositoryError:
        raise InvalidInput("this is no git repository", where=str(path), hint="run git init, or name another") from None
    repository.git.update_environment(GIT_DIR=str(repository.git_dir))  # whatever our own environment says
    try:
        yield repository
    finally:
        repository.close()


def find(repository: git.Repo, wanted: Wanted) -> Revision:
    """The commit that is wanted.

    Raises:
        NotFound: there is no such branch, tag or commit, or no commit at all.
    """
    branch = wanted.branch
    if not (branch or wanted.tag or wanted.commit):
        branch = default_branch(repository)
    named = wanted.pinned or wanted.commit
    try:
        commit = _by_id(repository, named) if named else _by_name(repository, branch, wanted.tag)
        return _described(commit, branch, wanted.tag)
    except _UNREADABLE:
        raise _not_found(repository, branch, wanted.tag, named) from None


def default_branch(repository: git.Repo) -> str:
    """The branch that HEAD names, "" when it names a commit."""
    return repository.head.ref.name if not repository.head.is_detached else ""


def _by_id(repository: git.Repo, written: str) -> git.Commit:
    if not _ID.fullmatch(written):
        raise ValueError(written)
    binary = bytes.fromhex(written) if len(written) == 40 else _completed(repository, written.lower())
    found = git.Object.new_from_sha(repository, binary)
    while isinstance(found, git.TagObject):
        found = found.object
    if not isinstance(found, git.Commit):
        raise ValueError(written)  # noqa: TRY004  (any unusable name is one kind of error here)
    return found


def _completed(repository: git.Repo, written: str) -> bytes:
    binary = bytes(repository.odb.partial_to_complete_sha_hex(written))
    if not binary.hex().startswith(written):
        raise ValueError(written)  # a branch or tag of that name, which is not what was asked for
    return binary


def _by_name(repository: git.Repo, branch: str, tag: str) -> git.Commit:
    if tag:
        return git.TagReference(repository, f"refs/tags/{tag}").commit
    if branch:
        return git.Head(repository, f"refs/heads/{branch}").commit
    return repository.head.commit


def _described(commit: git.Commit, branch: str, tag: str) -> Revision:
    message = commit.message
    return Revision(
        id=commit.hexsha,
        message=message if isinstance(message, str) else message.decode("utf-8", "replace"),
        author_name=commit.author.name or "",
        author_email=commit.author.email or "",
        authored_at=commit.authored_datetime.astimezone(UTC),
        committed_at=commit.committed_datetime.astimezone(UTC),
        branch=branch,
        tag=tag,
    )


def _not_found(repository: git.Repo, branch: str, tag: str, named: str) -> NotFound:
    where = str(repository.working_tree_dir or repository.git_dir)
    if named:
        return NotFound(
            f"there is no commit {named}", where=where, hint="" if len(named) == 40 else "give all 40 digits"
        )
    kind, name, known = ("tag", tag, repository.tags) if tag else ("branch", branch, repository.heads)
    names = [reference.name for reference in known]
    if not names and kind == "branch":
        return NotFound("the repository has no commit yet", where=where)
    return NotFound(f"there is no {kind} '{name or 'HEAD'}'", where=where, hint=suggest(name, names))

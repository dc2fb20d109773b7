"""The files of a commit in an empty directory: nothing of the repository's own working tree, index or hooks counts."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import git

from core.errors import InvalidInput
from stages.source.program import Git

# What would make the same commit another set of bytes on another machine, or leave files out.
_SAME_EVERYWHERE = (
    *("-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "core.symlinks=true", "-c", "core.fileMode=true"),
    *("-c", "core.sparseCheckout=false", "-c", "core.untrackedCache=false", "-c", "core.splitIndex=false"),
)


def export(program: Git, repository: git.Repo, commit: git.Commit, directory: str, destination: Path) -> None:
    """Put the commit's tree, or its sub-directory `directory`, into `destination` (made here).

    Raises:
        InvalidInput: there is no such directory in the commit, or there are submodules in it.
        GitFailed: git could not write it.
    """
    inside = _normal(directory)
    _check_directory(commit, inside)
    _refuse_submodules(commit, inside)
    destination.mkdir(parents=True)
    index = destination.with_name(f".{destination.name}.index")
    settings = {
        "GIT_DIR": str(repository.common_dir),
        "GIT_WORK_TREE": str(destination),
        "GIT_INDEX_FILE": str(index),
    }
    tree = f"{commit.hexsha}:{inside}" if inside else commit.hexsha
    try:
        program.run([*_SAME_EVERYWHERE, "read-tree", "-u", "--reset", tree], destination, settings)
    finally:
        index.unlink(missing_ok=True)


def _normal(directory: str) -> str:
    parts = PurePosixPath(directory).parts
    if directory.startswith("/") or ".." in parts:
        raise InvalidInput(f"'{directory}' leaves the repository", where="directory")
    return "/".join(parts)


def _check_directory(commit: git.Commit, inside: str) -> None:
    if not inside:
        return
    try:
        found = commit.tree[inside]
    except KeyError:
        found = None
    if not isinstance(found, git.Tree):
        raise InvalidInput(f"there is no directory '{inside}' in commit {commit.hexsha[:8]}", where="directory")


def _refuse_submodules(commit: git.Commit, inside: str) -> None:
    """Submodules are only links in a commit: an artifact without their files would be a silent hole."""
    try:
        written = commit.tree[".gitmodules"]
    except KeyError:
        return
    text = written.data_stream.read().decode("utf-8", "replace")
    values = (line.partition("=") for line in text.splitlines())
    paths = [value.strip() for key, _, value in values if key.strip() == "path"]
    there = [path for path in paths if not inside or path == inside or path.startswith(f"{inside}/")]
    if there:
        raise InvalidInput(
            f"git submodules are not supported by this version of Penstock: {', '.join(there)}",
            where=f"commit {commit.hexsha[:8]}",
        )

"""Checking a commit out into an artifact, and asking which commit that would be now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import git

from core.clock import Clock
from core.errors import NotFound, Unavailable
from core.outcome import Abandoned, Failed, Outcome, Succeeded
from stages.base import ActionContext, Dependencies
from stages.source.address import LocalPath, Remote, parse
from stages.source.export import export
from stages.source.git import GitConfiguration, check
from stages.source.mirror import Mirror, default_branch
from stages.source.program import Git, GitBrokenOff, GitFailed, remote_settings
from stages.source.revision import Revision, Wanted, find, opened
from stages.wrappers import configuration, mistakes_fail


@dataclass(frozen=True, slots=True)
class Head:
    """The commit a source action would take now. `summary` is "" where only the remote's own answer is known."""

    revision: str
    branch: str = ""
    tag: str = ""
    summary: str = ""


class Checkout:
    """The provider `Git`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    def run(self, context: ActionContext) -> Outcome:
        """Succeeded with the commit's files and what is known about it."""
        return mistakes_fail(lambda: self._run(context))

    def _run(self, context: ActionContext) -> Outcome:
        chosen = configuration(GitConfiguration, context, check)
        place = parse(chosen.repository, context.repository_dir)
        for secret in place.secrets if isinstance(place, Remote) else ():
            context.redactor.add(secret)
        clock = self._dependencies.clock
        base = self._dependencies.base_environment
        program = Git(base, clock, context.deadline, context.stop_requested, context.tag)
        pinned = context.source_revisions.get(context.action, "")
        wanted = Wanted(chosen.branch, chosen.tag, chosen.commit, pinned)
        try:
            if isinstance(place, LocalPath):
                with opened(place.path) as repository:
                    return _checked_out(context, program, repository, find(repository, wanted), chosen, "")
            with self._mirrored(context, program, place, wanted) as (repository, revision):
                return _checked_out(context, program, repository, revision, chosen, place.full_name)
        except NotFound as error:
            return Failed("RevisionUnavailable", str(error))
        except GitFailed as error:
            return Failed("SourceUnavailable", f"git: {error}")
        except GitBrokenOff as error:
            return Failed("TimedOut", str(error)) if error.timed_out else Abandoned(str(error))

    @contextmanager
    def _mirrored(
        self, context: ActionContext, program: Git, remote: Remote, wanted: Wanted
    ) -> Iterator[tuple[git.Repo, Revision]]:
        """The mirror and the wanted commit in it. A commit that is already there needs no network."""
        mirror = Mirror(program, self._dependencies.home / "git", remote)
        with mirror.locked(self._dependencies.clock, context.stop_requested):
            if not _has(mirror.path, wanted):
                context.log(f"Fetching {remote.shown}")
                mirror.update()
                wanted = _with_default_branch(wanted, mirror.default_branch)
                full_id = wanted.pinned or wanted.commit
                if len(full_id) == 40 and not _has(mirror.path, wanted):
                    mirror.bring(full_id)
            with opened(mirror.path) as repository:
                yield repository, find(repository, wanted)


def current_head(
    written: Mapping[str, Any], *, repository_dir: Path, base_environment: Mapping[str, str], clock: Clock
) -> Head:
    """Which commit a Git action with this configuration would take if it ran now. Nothing is fetched.

    Raises:
        InvalidInput, NotFound: as the action would fail.
        Unavailable: the remote does not answer.
    """
    chosen = GitConfiguration.model_validate(dict(written))
    place = parse(chosen.repository, repository_dir)
    if isinstance(place, LocalPath):
        with opened(place.path) as repository:
            found = find(repository, Wanted(chosen.branch, chosen.tag, chosen.commit))
            return Head(found.id, found.branch, found.tag, found.summary)
    if chosen.commit:
        return Head(chosen.commit)
    try:
        return _remote_head(Git(base_environment, clock), place, chosen, repository_dir)
    except GitFailed as error:
        raise Unavailable("the repository does not answer", where=place.shown, why=str(error)) from None


def _remote_head(program: Git, remote: Remote, chosen: GitConfiguration, directory: Path) -> Head:
    branch = chosen.branch or ("" if chosen.tag else default_branch(program, remote, directory))
    names = [f"refs/tags/{chosen.tag}", f"refs/tags/{chosen.tag}^{{}}"] if chosen.tag else [f"refs/heads/{branch}"]
    lines = program.run(["ls-remote", "penstock", *names], directory, remote_settings(remote.url))
    found = {name: revision for revision, _, name in (line.partition("\t") for line in lines)}
    for name in reversed(names):  # a peeled tag says which commit an annotated one means
        if name in found:
            return Head(found[name], branch, chosen.tag)
    what = f"there is no {'tag' if chosen.tag else 'branch'} '{chosen.tag or branch or 'HEAD'}'"
    raise NotFound(what, where=remote.shown)


def _with_default_branch(wanted: Wanted, default: Callable[[], str]) -> Wanted:
    if wanted.branch or wanted.tag or wanted.commit or wanted.pinned:
        return wanted
    return Wanted(branch=default())


def _has(mirror: Path, wanted: Wanted) -> bool:
    """Whether the wanted commit is named by its whole id and already here."""
    named = wanted.pinned or wanted.commit
    if len(named) != 40 or not (mirror / "HEAD").exists():
        return False
    try:
        with opened(mirror) as repository:
            find(repository, wanted)
    except NotFound:
        return False
    return True


def _checked_out(
    context: ActionContext,
    program: Git,
    repository: git.Repo,
    revision: Revision,
    chosen: GitConfiguration,
    full_name: str,
) -> Outcome:
    destination = context.workspace / "source"
    export(program, repository, repository.commit(revision.id), chosen.directory, destination)
    context.log(f"Checked out {revision.summary}")
    name = full_name or _local_name(repository)
    return Succeeded(
        summary=revision.summary,
        variables=_variables(revision, name),
        artifacts=dict.fromkeys(context.output_artifacts, destination),
        external_id=revision.id,
    )


def _local_name(repository: git.Repo) -> str:
    """The directory's name: of the working tree, or of a bare repository."""
    main = Path(repository.common_dir).resolve()
    return (main.parent if main.name == ".git" else main).name.removesuffix(".git")


def _variables(revision: Revision, full_name: str) -> dict[str, str]:
    """Source: CodePipeline variables of CodeCommit and CodeStarSourceConnection."""
    variables = {
        "AuthorDate": revision.authored_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "AuthorDisplayName": revision.author_name,
        "AuthorEmail": revision.author_email,
        "CommitId": revision.id,
        "CommitMessage": revision.message.rstrip("\n"),
        "CommitterDate": revision.committed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "FullRepositoryName": full_name,
        "RepositoryName": full_name.rsplit("/", 1)[-1],
    }
    found_by = {"BranchName": revision.branch, "TagName": revision.tag}
    return variables | {name: value for name, value in found_by.items() if value}

"""Questions to git about real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import NotFound
from pipelines.triggers.event import GitEvent
from pipelines.triggers.observe import (
    GitFailed,
    changed_files,
    commit_of,
    common_directory,
    git,
    head_branch,
    repository_of,
)
from tests.fakes.git import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repo")
    made.commit({"a.txt": "1", "b.txt": "1"})
    return made


def event(repository: Repository, before: str | None, after: str, ref: str = "refs/heads/main") -> GitEvent:
    return GitEvent((repository.directory / ".git").resolve(), ref, before, after)


def test_a_local_commit_is_compared_with_its_first_parent(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit({"side.txt": "1"})
    repository.git("checkout", "--quiet", "main")
    repository.commit({"a.txt": "2"})
    repository.git("merge", "--quiet", "--no-edit", "side")
    assert changed_files(event(repository, None, repository.head())) == ("side.txt",)


def test_a_push_is_compared_with_what_was_there(repository: Repository) -> None:
    before = repository.head()
    repository.commit({"a.txt": "2"})
    repository.commit({'new dir/it\'s "odd".txt': "1", "café": "1"})
    repository.git("rm", "--quiet", "b.txt")
    after = repository.commit()
    assert set(changed_files(event(repository, before, after)) or ()) == {
        "a.txt",
        "b.txt",
        "café",
        'new dir/it\'s "odd".txt',
    }


def test_both_names_of_a_moved_file_changed(repository: Repository) -> None:
    repository.git("mv", "a.txt", "c.txt")
    assert set(changed_files(event(repository, None, repository.commit())) or ()) == {"a.txt", "c.txt"}


def test_a_change_back_changes_nothing(repository: Repository) -> None:
    before = repository.head()
    repository.commit({"a.txt": "2"})
    assert changed_files(event(repository, before, repository.commit({"a.txt": "1"}))) == ()


def test_without_a_before_there_is_nothing_to_compare(repository: Repository) -> None:
    assert changed_files(event(repository, "", repository.head())) is None
    assert changed_files(event(repository, None, repository.head())) is None


def test_a_commit_that_is_gone_is_told(repository: Repository) -> None:
    with pytest.raises(GitFailed):
        changed_files(event(repository, "a" * 40, repository.head()))
    with pytest.raises(GitFailed):
        commit_of(event(repository, "", "a" * 40))


def test_a_tag_is_the_commit_it_stands_for(repository: Repository) -> None:
    repository.git("tag", "--annotate", "--message=x", "v1")
    tag = repository.git("rev-parse", "v1")
    assert tag != repository.head()
    assert commit_of(event(repository, "", tag, "refs/tags/v1")) == repository.head()


def test_all_worktrees_have_one_common_directory(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "--quiet", str(tmp_path / "side"))
    inside = repository.directory / "deep"
    inside.mkdir()
    found = {common_directory(place) for place in (repository.directory, inside, tmp_path / "side")}
    assert found == {(repository.directory / ".git").resolve()}


def test_a_link_to_a_repository_is_that_repository(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository.directory)
    assert repository_of("link", tmp_path) == (repository.directory / ".git").resolve()


@pytest.mark.parametrize(
    "address", ["https://example.com/a.git", "git@example.com:a/b.git", "nowhere", "ext::sh -c id", "svn://x/y"]
)
def test_what_is_not_on_this_machine_is_none(tmp_path: Path, address: str) -> None:
    assert repository_of(address, tmp_path) is None


def test_the_branch_head_stands_on(repository: Repository) -> None:
    assert head_branch(repository.directory / ".git") == "main"
    repository.git("checkout", "--quiet", "--detach")
    assert head_branch(repository.directory / ".git") == ""


def test_the_environment_of_a_hook_does_not_lead_astray(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository(tmp_path / "other")
    commit = other.commit()
    monkeypatch.setenv("GIT_DIR", str(repository.directory / ".git"))
    assert git(other.directory, "rev-parse", "HEAD") == commit


def test_no_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no git repository here: fatal"):
        common_directory(tmp_path)

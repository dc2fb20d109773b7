"""The Git source on real repositories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import InvalidInput, NotFound, Unavailable
from core.outcome import Abandoned, Failed, Outcome, Succeeded
from stages import registry
from stages.source.checkout import Head, current_head
from tests.fakes.actions import Action, dependencies

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+02:00",
    "GIT_COMMITTER_NAME": "Bob",
    "GIT_COMMITTER_EMAIL": "b@example.org",
    "GIT_COMMITTER_DATE": "2026-01-03T00:00:00Z",
}


@dataclass
class Repository:
    """A real repository, driven by the git program."""

    path: Path

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.path, env=ENVIRONMENT, check=True, capture_output=True, text=True, timeout=30
        ).stdout.strip()

    def commit(self, message: str, files: Mapping[str, str]) -> str:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """`app` with one commit on branch main."""
    made = Repository(tmp_path / "app")
    made.path.mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit("First\n\nWith a body.", {"a.txt": "one", "service/app.py": "x = 1\n"})
    return made


def checked_out(root: Path, configuration: dict[str, str], **changes: object) -> tuple[Outcome, Action]:
    action = Action(root)
    workspace = root / f"workspace-{len(list(root.glob('workspace-*')))}"
    workspace.mkdir()
    context = action.context(
        **{"configuration": configuration, "output_artifacts": ("Source",), "workspace": workspace, **changes}
    )
    provider = registry.create("Git", dependencies(root / "home", base_environment=ENVIRONMENT))
    return provider.run(context), action


def files(outcome: Outcome) -> dict[str, str]:
    """Path → text of the artifact's files, links with an arrow."""
    assert isinstance(outcome, Succeeded), outcome
    root = outcome.artifacts["Source"]
    paths = [path for path in sorted(root.rglob("*")) if path.is_symlink() or path.is_file()]
    return {
        path.relative_to(root).as_posix(): f"-> {path.readlink()}" if path.is_symlink() else path.read_bytes().decode()
        for path in paths
    }


def test_the_default_branch_is_exported_as_it_was_committed(tmp_path: Path, repository: Repository) -> None:
    """Nothing of the working tree or the index counts; links and executable bits are kept."""
    (repository.path / "run.sh").write_text("#!/bin/sh\n")
    (repository.path / "run.sh").chmod(0o755)
    (repository.path / "link").symlink_to("a.txt")
    commit = repository.commit("Second", {"b.txt": "two\r\n", ".gitattributes": "a.txt export-ignore\n"})
    (repository.path / "a.txt").write_text("changed")
    (repository.path / "untracked").write_text("new")
    (repository.path / "staged").write_text("new")
    repository.git("add", "staged")
    before = repository.git("status", "--porcelain")
    outcome, action = checked_out(tmp_path, {"repository": "app"})
    assert files(outcome) == {
        ".gitattributes": "a.txt export-ignore\n",
        "a.txt": "one",
        "b.txt": "two\r\n",
        "link": "-> a.txt",
        "run.sh": "#!/bin/sh\n",
        "service/app.py": "x = 1\n",
    }
    assert isinstance(outcome, Succeeded)
    assert (outcome.artifacts["Source"] / "run.sh").stat().st_mode & 0o111
    assert not (outcome.artifacts["Source"] / ".git").exists()
    assert outcome.external_id == commit
    assert action.log == [f"Checked out {commit[:8]} Second"]
    assert repository.git("status", "--porcelain") == before


def test_the_commit_variables_have_awss_names(tmp_path: Path, repository: Repository) -> None:
    outcome, _ = checked_out(tmp_path, {"repository": "app"})
    assert isinstance(outcome, Succeeded)
    assert outcome.variables == {
        "AuthorDate": "2026-01-02T01:04:05Z",
        "AuthorDisplayName": "Ada",
        "AuthorEmail": "ada@example.org",
        "BranchName": "main",
        "CommitId": repository.git("rev-parse", "HEAD"),
        "CommitMessage": "First\n\nWith a body.",
        "CommitterDate": "2026-01-03T00:00:00Z",
        "FullRepositoryName": "app",
        "RepositoryName": "app",
    }
    found = registry.action_type("Git")
    assert found is not None
    assert set(outcome.variables) < set(found.variables or ())


def test_a_branch_a_tag_and_a_commit_can_be_named(tmp_path: Path, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "--annotate", "v1", "--message", "One")
    repository.git("tag", "light")
    repository.git("checkout", "--quiet", "-b", "feature/x")
    second = repository.commit("Second", {"a.txt": "two"})
    repository.git("pack-refs", "--all")
    repository.git("gc", "--quiet")
    cases = [
        ({}, second, ("feature/x", None)),
        ({"branch": "main"}, first, ("main", None)),
        ({"tag": "v1"}, first, (None, "v1")),
        ({"tag": "light"}, first, (None, "light")),
        ({"commit": first}, first, (None, None)),
        ({"commit": second[:9]}, second, (None, None)),
    ]
    for configuration, commit, named in cases:
        outcome, _ = checked_out(tmp_path, {"repository": "app", **configuration})
        assert isinstance(outcome, Succeeded), configuration
        assert outcome.variables["CommitId"] == commit
        assert (outcome.variables.get("BranchName"), outcome.variables.get("TagName")) == named
        head = current_head(
            {"repository": "app", **configuration},
            repository_dir=tmp_path,
            base_environment=ENVIRONMENT,
            clock=SystemClock(),
        )
        assert head.revision == commit


def test_a_pinned_revision_wins_over_the_branchs_newest(tmp_path: Path, repository: Repository) -> None:
    """A retried or triggered execution builds the commit it was started for."""
    first = repository.git("rev-parse", "HEAD")
    repository.commit("Second", {"a.txt": "two"})
    outcome, _ = checked_out(tmp_path, {"repository": "app", "branch": "main"}, source_revisions={"Action": first})
    assert files(outcome)["a.txt"] == "one"
    assert isinstance(outcome, Succeeded)
    assert outcome.variables["BranchName"] == "main"


def test_a_sub_directory_alone_becomes_the_artifact(tmp_path: Path, repository: Repository) -> None:
    assert files(checked_out(tmp_path, {"repository": "app", "directory": "service/"})[0]) == {"app.py": "x = 1\n"}
    inside = checked_out(tmp_path, {"repository": "app/service"})[0]
    assert set(files(inside)) == {"a.txt", "service/app.py"}
    for directory in ("nowhere", "a.txt", "../x", "/etc"):
        outcome, _ = checked_out(tmp_path, {"repository": "app", "directory": directory})
        assert isinstance(outcome, Failed), directory
        assert outcome.code == "ConfigurationError"


def test_a_worktree_and_a_bare_repository_serve_as_well(tmp_path: Path, repository: Repository) -> None:
    repository.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    Repository(tmp_path / "side").commit("Aside", {"a.txt": "aside"})
    assert files(checked_out(tmp_path, {"repository": "side"})[0])["a.txt"] == "aside"
    repository.git("clone", "--quiet", "--bare", ".", str(tmp_path / "copy.git"))
    outcome, _ = checked_out(tmp_path, {"repository": "copy.git"})
    assert files(outcome)["a.txt"] == "one"
    assert isinstance(outcome, Succeeded)
    assert outcome.variables["RepositoryName"] == "copy"


@pytest.mark.parametrize(
    ("configuration", "code", "message"),
    [
        ({"branch": "mian"}, "RevisionUnavailable", "there is no branch 'mian'; did you mean 'main'?"),
        ({"tag": "v9"}, "RevisionUnavailable", "there is no tag 'v9'"),
        ({"commit": "0" * 40}, "RevisionUnavailable", "there is no commit 0000"),
        ({"commit": "main"}, "RevisionUnavailable", "there is no commit main"),
        ({"branch": "a", "tag": "b"}, "ConfigurationError", "branch already says which commit"),
        ({"repository": "nowhere"}, "ConfigurationError", "there is no such directory"),
        ({"repository": "/"}, "ConfigurationError", "this is no git repository"),
        ({"repository": "ext::sh"}, "ConfigurationError", "is no repository"),
        ({"colour": "red"}, "ConfigurationError", "colour"),
    ],
)
def test_what_cannot_be_taken_fails_with_the_reason(
    tmp_path: Path, repository: Repository, configuration: dict[str, str], code: str, message: str
) -> None:
    outcome, _ = checked_out(tmp_path, {"repository": "app", **configuration})
    assert isinstance(outcome, Failed)
    assert outcome.code == code
    assert message in outcome.message


def test_a_repository_without_commits_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    Repository(tmp_path / "empty").git("init", "--quiet")
    outcome, _ = checked_out(tmp_path, {"repository": "empty"})
    assert isinstance(outcome, Failed)
    assert "the repository has no commit yet" in outcome.message


def test_submodules_are_refused_rather_than_left_out(tmp_path: Path, repository: Repository) -> None:
    text = '[submodule "lib"]\n\tpath = vendor/lib\n\turl = ../lib\n'
    repository.commit("With a submodule", {".gitmodules": text})
    outcome, _ = checked_out(tmp_path, {"repository": "app"})
    assert isinstance(outcome, Failed)
    assert "git submodules are not supported by this version of Penstock: vendor/lib" in outcome.message
    assert files(checked_out(tmp_path, {"repository": "app", "directory": "service"})[0]) == {"app.py": "x = 1\n"}


def test_hooks_of_the_repository_and_the_environment_of_a_hook_change_nothing(
    tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the server was started from inside a hook of another repository."""
    for name in ("post-checkout", "post-index-change"):
        hook = repository.path / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert set(files(checked_out(tmp_path, {"repository": "app"})[0])) == {"a.txt", "service/app.py"}
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "index").exists()


def test_a_url_is_mirrored_once_and_fetched_again(tmp_path: Path, repository: Repository) -> None:
    """A branch that is gone there is gone here; what is here already needs no fetch."""
    url = f"file://{repository.path}"
    first = repository.git("rev-parse", "HEAD")
    outcome, action = checked_out(tmp_path, {"repository": url})
    assert files(outcome)["a.txt"] == "one"
    assert isinstance(outcome, Succeeded)
    assert outcome.variables["BranchName"] == "main"
    assert outcome.variables["FullRepositoryName"] == f"{tmp_path.name}/app"
    repository.git("branch", "old")
    repository.commit("Second", {"a.txt": "two"})
    assert files(checked_out(tmp_path, {"repository": url, "branch": "main"})[0])["a.txt"] == "two"
    repository.git("branch", "--delete", "old")
    gone, _ = checked_out(tmp_path, {"repository": url, "branch": "old"})
    assert isinstance(gone, Failed)
    repository.path.rename(tmp_path / "away")
    kept, action = checked_out(tmp_path, {"repository": url}, source_revisions={"Action": first})
    assert files(kept)["a.txt"] == "one"
    assert action.log == [f"Checked out {first[:8]} First"]
    [mirror] = (tmp_path / "home" / "git").glob("*.git")
    assert mirror.name.startswith("app-")


def test_the_secret_of_a_url_stays_out_of_logs_outcomes_and_disk(tmp_path: Path) -> None:
    repository = "http://me:s3cr3t-word@127.0.0.1:9/team/app.git"
    outcome, action = checked_out(tmp_path, {"repository": repository})
    assert isinstance(outcome, Failed)
    assert outcome.code == "SourceUnavailable"
    assert "s3cr3t-word" not in f"{outcome} {action.log}"
    left = [path for path in (tmp_path / "home").rglob("*") if path.is_file() and b"s3cr3t-word" in path.read_bytes()]
    assert left == []
    with pytest.raises(Unavailable) as failure:
        current_head(
            {"repository": repository}, repository_dir=tmp_path, base_environment=ENVIRONMENT, clock=SystemClock()
        )
    assert "s3cr3t-word" not in str(failure.value)


def test_a_stop_and_a_deadline_end_the_fetch(tmp_path: Path, repository: Repository) -> None:
    url = f"file://{repository.path}"
    stopped, _ = checked_out(tmp_path, {"repository": url}, stop_requested=lambda: "somebody said so")
    assert isinstance(stopped, Abandoned)
    past = datetime.now(UTC) - timedelta(seconds=1)
    late, _ = checked_out(tmp_path, {"repository": url}, deadline=past)
    assert isinstance(late, Failed)
    assert late.code == "TimedOut"


def test_the_head_of_a_source_can_be_asked_without_fetching(tmp_path: Path, repository: Repository) -> None:
    def head(**configuration: str) -> Head:
        return current_head(
            {"repository": f"file://{repository.path}", **configuration},
            repository_dir=tmp_path,
            base_environment=ENVIRONMENT,
            clock=SystemClock(),
        )

    commit = repository.git("rev-parse", "HEAD")
    repository.git("tag", "--annotate", "v1", "--message", "One")
    assert head() == Head(commit, "main")
    assert head(branch="main") == Head(commit, "main")
    assert head(tag="v1") == Head(commit, "", "v1")
    with pytest.raises(NotFound, match="there is no branch 'x'"):
        head(branch="x")
    with pytest.raises(InvalidInput):
        current_head(
            {"repository": "nowhere"}, repository_dir=tmp_path, base_environment=ENVIRONMENT, clock=SystemClock()
        )

"""The hooks in real repositories: what they spool, what they leave alone, and that git never notices them."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import pytest

from core.errors import NotAllowed, NotFound
from pipelines.triggers import git_hook
from pipelines.triggers.event import GitEvent
from pipelines.triggers.git_hook import install, status, uninstall
from pipelines.triggers.spool import Spool
from tests.fakes.git import Repository


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "work" / ".penstock"
    made.mkdir(parents=True, mode=0o700)
    return made


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "work" / "repo")
    made.commit({"README.md": "hello"})
    return made


def spooled(home: Path) -> list[GitEvent]:
    """Every event that waits, oldest first."""
    return [event for file in Spool(home).waiting() for event in file.events]


def write_hook(directory: Path, name: str, text: str, mode: int = 0o755) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text)
    path.chmod(mode)
    return path


class TestCommit:
    """post-commit."""

    def test_a_commit_leaves_one_event(self, repository: Repository, home: Path) -> None:
        install(repository.directory, home)
        commit = repository.commit({"a.txt": "1"})
        common = (repository.directory / ".git").resolve()
        assert spooled(home) == [GitEvent(common, "refs/heads/main", None, commit)]
        (file,) = (home / "spool").iterdir()
        assert file.suffix == ".json"
        assert file.stat().st_mode & 0o777 == 0o600
        assert (home / "spool").stat().st_mode & 0o777 == 0o700

    def test_commits_keep_their_order(self, repository: Repository, home: Path) -> None:
        install(repository.directory, home)
        commits = [repository.commit() for _ in range(5)]
        assert [event.after for event in spooled(home)] == commits

    def test_git_prints_nothing_of_ours(self, repository: Repository, home: Path) -> None:
        install(repository.directory, home)
        done = repository.run("commit", "--allow-empty", "--quiet", "--message=x")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_a_commit_in_a_subdirectory_is_of_the_same_repository(self, repository: Repository, home: Path) -> None:
        install(repository.directory, home)
        first = repository.commit({"deep/er/a.txt": "1"})
        inside = Repository(repository.directory / "deep" / "er")
        second = inside.commit()
        assert [(event.repository, event.after) for event in spooled(home)] == [
            ((repository.directory / ".git").resolve(), first),
            ((repository.directory / ".git").resolve(), second),
        ]

    def test_a_commit_on_no_branch_leaves_none(self, repository: Repository, home: Path) -> None:
        install(repository.directory, home)
        repository.git("checkout", "--quiet", "--detach")
        repository.commit()
        assert spooled(home) == []

    def test_a_worktree_is_the_same_repository(self, repository: Repository, home: Path, tmp_path: Path) -> None:
        repository.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
        worktree = Repository(tmp_path / "side")
        report = install(worktree.directory, home)
        assert report.directory == (repository.directory / ".git" / "hooks").resolve()
        commit = worktree.commit()
        assert spooled(home) == [GitEvent((repository.directory / ".git").resolve(), "refs/heads/side", None, commit)]

    def test_a_submodule_is_a_repository_of_its_own(self, repository: Repository, home: Path, tmp_path: Path) -> None:
        part = Repository(tmp_path / "part")
        part.commit()
        repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(part.directory), "part")
        inner = Repository(repository.directory / "part")
        install(inner.directory, home)
        commit = inner.commit()
        repository.commit()
        assert [(event.repository.name, event.after) for event in spooled(home)] == [("part", commit)]

    @pytest.mark.parametrize(
        "branch", ["feature/it's", 'say"hi"', "$HOME", "`id`", "a;b&c|d", "café/日本", "-dash", "%s%n", "#x", "!"]
    )
    def test_odd_branch_names_arrive_as_they_are(self, repository: Repository, home: Path, branch: str) -> None:
        install(repository.directory, home)
        repository.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        commit = repository.commit()
        assert [(event.branch, event.after) for event in spooled(home)] == [(branch, commit)]

    @pytest.mark.parametrize(
        "name",
        [
            "it's",
            'a "quoted" one',
            "back\\slash",
            "\\",
            '"',
            "$HOME `id`",
            "two\nlines",
            "tab\there",
            " spaces ",
            "café",
        ],
    )
    def test_odd_paths_arrive_as_they_are(self, tmp_path: Path, name: str) -> None:
        home = tmp_path / name / "home"
        home.mkdir(parents=True)
        repository = Repository(tmp_path / name / "repo")
        install(repository.directory, home)
        commit = repository.commit()
        assert [(event.repository, event.after) for event in spooled(home)] == [
            ((repository.directory / ".git").resolve(), commit)
        ]

    def test_a_path_that_is_no_unicode_arrives(self, tmp_path: Path) -> None:
        directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
        home = directory / "home"
        home.mkdir(parents=True)
        repository = Repository(directory / "repo")
        install(repository.directory, home)
        repository.commit()
        assert [event.repository for event in spooled(home)] == [(repository.directory / ".git").resolve()]


class TestPush:
    """post-receive."""

    @pytest.fixture
    def origin(self, tmp_path: Path, repository: Repository) -> Repository:
        made = Repository(tmp_path / "work" / "origin.git", bare=True)
        repository.git("remote", "add", "origin", str(made.directory))
        return made

    def test_every_ref_of_a_push_is_an_event(self, repository: Repository, origin: Repository, home: Path) -> None:
        install(origin.directory, home)
        first = repository.head()
        repository.git("push", "--quiet", "origin", "main")
        second = repository.commit()
        repository.git("tag", "v1")
        repository.git("branch", "dev")
        done = repository.run("push", "--quiet", "origin", "main", "dev", "v1")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        here = origin.directory.resolve()
        found = spooled(home)
        assert found[0] == GitEvent(here, "refs/heads/main", "", first)
        assert sorted(found[1:], key=lambda event: event.ref) == [
            GitEvent(here, "refs/heads/dev", "", second),
            GitEvent(here, "refs/heads/main", first, second),
            GitEvent(here, "refs/tags/v1", "", second),
        ]
        assert len(list((home / "spool").iterdir())) == 2

    def test_a_deletion_is_none(self, repository: Repository, origin: Repository, home: Path) -> None:
        repository.git("push", "--quiet", "origin", "main:gone")
        install(origin.directory, home)
        repository.git("push", "--quiet", "origin", ":gone")
        assert spooled(home) == []

    def test_a_push_of_hundreds_of_odd_refs(self, repository: Repository, origin: Repository, home: Path) -> None:
        install(origin.directory, home)
        names = [f'it\'s-"{number}"-$x' for number in range(300)]
        refs = "".join(f"create refs/heads/{name} {repository.head()}\n" for name in names)
        subprocess.run(
            ["git", "update-ref", "--stdin"],
            cwd=repository.directory,
            env=repository.environment,
            input=refs.encode(),
            check=True,
        )
        repository.git("push", "--quiet", "origin", "refs/heads/it's*:refs/heads/it's*")
        assert sorted(event.branch for event in spooled(home)) == sorted(names)

    def test_a_foreign_hook_still_reads_everything(
        self, repository: Repository, origin: Repository, home: Path
    ) -> None:
        hook = write_hook(origin.directory / "hooks", "post-receive", "#!/bin/sh\ncat > seen\n")
        install(origin.directory, home)
        repository.git("push", "--quiet", "origin", "main")
        commit = repository.head()
        assert (origin.directory / "seen").read_text() == f"{'0' * 40} {commit} refs/heads/main\n"
        assert [event.after for event in spooled(home)] == [commit]
        uninstall(origin.directory, home)
        assert hook.read_text() == "#!/bin/sh\ncat > seen\n"


class TestBeside:
    """Hooks that were there before."""

    def test_a_shell_hook_keeps_running_even_when_it_exits_early(self, repository: Repository, home: Path) -> None:
        text = "#!/bin/sh -eu\necho ran >> ran.txt\nexit 0\n"
        hook = write_hook(repository.directory / ".git" / "hooks", "post-commit", text)
        report = install(repository.directory, home)
        assert report.hooks[0].foreign
        repository.commit()
        assert (repository.directory / "ran.txt").read_text() == "ran\n"
        assert len(spooled(home)) == 1
        uninstall(repository.directory, home)
        assert hook.read_text() == text

    @pytest.mark.parametrize("shell", ["bash -eu", "dash -eu", "busybox sh", "bash --posix", "zsh", "ksh"])
    def test_every_shell_reads_the_block(self, repository: Repository, home: Path, tmp_path: Path, shell: str) -> None:
        program, _, options = shell.partition(" ")
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
        origin = Repository(tmp_path / 'it\'s "bare".git', bare=True)
        line = f"#!{shutil.which(program)} {options}".rstrip() + "\ncat > seen\n"
        for place, name in ((repository.directory / ".git", "post-commit"), (origin.directory, "post-receive")):
            write_hook(place / "hooks", name, line)
            install(place, home)
        commit = repository.commit()
        done = repository.run("push", "--quiet", str(origin.directory), 'main:a"b', "main:c")
        assert (done.returncode, done.stderr) == (0, "")
        assert [event.ref for event in spooled(home)] == ["refs/heads/main", 'refs/heads/a"b', "refs/heads/c"]
        zero = "0" * 40
        seen = (origin.directory / "seen").read_text()
        assert seen == f'{zero} {commit} refs/heads/a"b\n{zero} {commit} refs/heads/c\n'

    def test_a_hook_in_another_language_is_kept_beside_and_called(self, repository: Repository, home: Path) -> None:
        text = "#!/usr/bin/env python3\nopen('ran.txt', 'a').write('ran')\n"
        hook = write_hook(repository.directory / ".git" / "hooks", "post-commit", text)
        install(repository.directory, home)
        repository.commit()
        assert (repository.directory / "ran.txt").read_text() == "ran"
        assert len(spooled(home)) == 1
        assert install(repository.directory, home) == status(repository.directory, home)
        uninstall(repository.directory, home)
        assert hook.read_text() == text
        assert [path.name for path in hook.parent.glob("post-commit*") if path.suffix != ".sample"] == ["post-commit"]

    def test_a_hook_that_was_off_stays_off(self, repository: Repository, home: Path) -> None:
        hook = write_hook(repository.directory / ".git" / "hooks", "post-commit", "#!/bin/sh\ntouch ran.txt\n", 0o644)
        install(repository.directory, home)
        repository.commit()
        assert not (repository.directory / "ran.txt").exists()
        assert len(spooled(home)) == 1
        uninstall(repository.directory, home)
        assert hook.read_text() == "#!/bin/sh\ntouch ran.txt\n"
        assert not os.access(hook, os.X_OK)

    def test_a_link_stays_a_link(self, repository: Repository, home: Path) -> None:
        shared = write_hook(repository.directory, "shared-hook", "#!/bin/sh\ntouch ran.txt\n")
        hook = repository.directory / ".git" / "hooks" / "post-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.symlink_to(shared)
        install(repository.directory, home)
        repository.commit()
        assert (repository.directory / "ran.txt").exists()
        assert shared.read_text() == "#!/bin/sh\ntouch ran.txt\n"
        assert len(spooled(home)) == 1
        uninstall(repository.directory, home)
        assert hook.readlink() == shared

    def test_nothing_kept_is_ever_overwritten(self, repository: Repository, home: Path) -> None:
        hooks = repository.directory / ".git" / "hooks"
        write_hook(hooks, "post-commit", "#!/usr/bin/env python3\n")
        write_hook(hooks, "post-commit.penstock-kept", "precious")
        with pytest.raises(NotAllowed, match="is in the way"):
            install(repository.directory, home)
        assert (hooks / "post-commit.penstock-kept").read_text() == "precious"
        assert (hooks / "post-commit").read_text() == "#!/usr/bin/env python3\n"

    def test_two_homes_each_get_the_event(self, repository: Repository, home: Path, tmp_path: Path) -> None:
        second = tmp_path / "second"
        second.mkdir()
        install(repository.directory, home)
        install(repository.directory, second)
        repository.commit()
        assert len(spooled(home)) == len(spooled(second)) == 1
        uninstall(repository.directory, home)
        repository.commit()
        assert (len(spooled(home)), len(spooled(second))) == (1, 2)
        uninstall(repository.directory, second)
        assert not (repository.directory / ".git" / "hooks" / "post-commit").exists()


class TestPlaces:
    """Where hooks live."""

    def test_install_and_uninstall_may_be_repeated(self, repository: Repository, home: Path) -> None:
        assert [hook.state for hook in status(repository.directory, home).hooks] == ["absent", "absent"]
        first = install(repository.directory, home)
        hook = first.hooks[0].path
        before = (hook.stat().st_mtime_ns, hook.stat().st_ino)
        assert install(repository.directory, home) == first
        assert (hook.stat().st_mtime_ns, hook.stat().st_ino) == before
        assert [hook.state for hook in first.hooks] == ["installed", "installed"]
        assert [hook.state for hook in uninstall(repository.directory, home).hooks] == ["absent", "absent"]
        assert uninstall(repository.directory, home) == status(repository.directory, home)

    def test_an_older_hook_is_told_and_renewed(self, repository: Repository, home: Path) -> None:
        hook = install(repository.directory, home).hooks[0].path
        hook.write_text(hook.read_text().replace("umask 077", "umask 022"))
        assert status(repository.directory, home).hooks[0].state == "outdated"
        assert install(repository.directory, home).hooks[0].state == "installed"
        hook.chmod(0o644)
        assert status(repository.directory, home).hooks[0].state == "outdated"
        assert install(repository.directory, home).hooks[0].state == "installed"

    @pytest.mark.parametrize("inside", [".githooks", "tools/hooks"])
    def test_a_hooks_path_of_the_repository_is_used(self, repository: Repository, home: Path, inside: str) -> None:
        repository.git("config", "core.hooksPath", inside)
        report = install(repository.directory, home)
        assert report.directory == (repository.directory / inside).resolve()
        assert not report.shared
        repository.commit({"deep/a": "1"})
        Repository(repository.directory / "deep").commit()
        assert len(spooled(home)) == 2

    def test_a_hooks_path_for_everybody_is_told(self, repository: Repository, home: Path, tmp_path: Path) -> None:
        everybody = tmp_path / "everybody"
        repository.git("config", "core.hooksPath", str(everybody))
        report = install(repository.directory, home)
        assert report.shared
        other = Repository(tmp_path / "other")
        other.git("config", "core.hooksPath", str(everybody))
        other.commit()
        repository.commit()
        assert [event.repository for event in spooled(home)] == [
            (other.directory / ".git").resolve(),
            (repository.directory / ".git").resolve(),
        ]

    def test_no_repository_is_told(self, tmp_path: Path, home: Path) -> None:
        for action in (git_hook.install, git_hook.uninstall, git_hook.status):
            with pytest.raises(NotFound, match="no git repository"):
                action(tmp_path, home)
            with pytest.raises(NotFound, match="no git repository"):
                action(tmp_path / "nowhere", home)


class TestNeverInTheWay:
    """Whatever is wrong on our side, git's command succeeds, quietly and at once."""

    @pytest.mark.parametrize("spoil", ["home gone", "home a file", "spool a file", "read only"])
    def test_a_commit_succeeds(self, repository: Repository, home: Path, spoil: str) -> None:
        install(repository.directory, home)
        if spoil in ("home gone", "home a file"):
            home.rmdir()
        if spoil == "home a file":
            home.write_text("")
        elif spoil == "spool a file":
            (home / "spool").write_text("")
        elif spoil == "read only":
            home.chmod(0o500)
        done = repository.run("commit", "--allow-empty", "--quiet", "--message=x")
        if home.is_dir():
            home.chmod(0o700)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    @pytest.mark.parametrize("hook", [0, 1])
    def test_a_machine_without_tools_is_no_reason_to_fail(self, repository: Repository, home: Path, hook: int) -> None:
        path = install(repository.directory, home).hooks[hook].path
        line = f"{'0' * 40} {repository.head()} refs/heads/main\n".encode()
        done = subprocess.run(
            [path], cwd=repository.directory, env={"PATH": "/nowhere"}, input=line, capture_output=True
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert spooled(home) == []

    def test_nothing_half_written_is_left_behind(self, repository: Repository, home: Path) -> None:
        install(repository.directory, home)
        for _ in range(3):
            repository.commit()
        assert all(path.suffix == ".json" for path in (home / "spool").iterdir())

    def test_a_commit_is_slowed_by_less_than_100_ms(self, tmp_path: Path, home: Path) -> None:
        plain, hooked = Repository(tmp_path / "plain"), Repository(tmp_path / "hooked")
        install(hooked.directory, home)

        def once(repository: Repository) -> float:
            start = time.perf_counter()
            repository.run("commit", "--allow-empty", "--quiet", "--message=x")
            return time.perf_counter() - start

        pairs = [(once(plain), once(hooked)) for _ in range(9)]
        assert statistics.median(with_hook - without for without, with_hook in pairs) < 0.1

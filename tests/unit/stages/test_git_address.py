"""What `repository` means, and that no secret of a URL is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from stages.source import address
from stages.source.address import LocalPath, Remote
from stages.source.git import check


def test_a_path_counts_from_the_pipeline_files_directory(tmp_path: Path) -> None:
    assert address.parse(".", tmp_path) == LocalPath(tmp_path)
    assert address.parse("../other", tmp_path) == LocalPath(tmp_path / "../other")
    assert address.parse("/srv/git/app.git", tmp_path) == LocalPath(Path("/srv/git/app.git"))
    (tmp_path / "a:b").mkdir()
    assert address.parse("a:b", tmp_path) == LocalPath(tmp_path / "a:b")


@pytest.mark.parametrize(
    ("url", "full_name", "name"),
    [
        ("https://github.com/aws/chalice.git", "aws/chalice", "chalice"),
        ("https://github.com/aws/chalice/", "aws/chalice", "chalice"),
        ("git@github.com:aws/chalice.git", "aws/chalice", "chalice"),
        ("ssh://git@host:2222/team/app.git", "team/app", "app"),
        ("file:///srv/git/app.git", "git/app", "app"),
        ("host.example:app.git", "app", "app"),
    ],
)
def test_a_url_names_its_repository(tmp_path: Path, url: str, full_name: str, name: str) -> None:
    remote = address.parse(url, tmp_path)
    assert isinstance(remote, Remote)
    assert (remote.full_name, remote.name) == (full_name, name)


def test_the_secret_of_a_url_is_known_and_never_shown(tmp_path: Path) -> None:
    """A second password is still the same repository, so it has the same mirror."""
    remote = address.parse("https://me:s%3Fcret@host/team/app.git", tmp_path)
    assert isinstance(remote, Remote)
    assert set(remote.secrets) == {"s%3Fcret", "s?cret"}
    assert remote.shown == "https://***@host/team/app.git"
    assert "cret" not in remote.cache_name
    again = address.parse("https://me:other@host/team/app.git", tmp_path)
    assert isinstance(again, Remote)
    assert again.cache_name == remote.cache_name
    token = address.parse("https://ghp_token@host/team/app.git", tmp_path)
    assert isinstance(token, Remote)
    assert token.secrets == ("ghp_token",)
    account = address.parse("ssh://git@host/team/app.git", tmp_path)
    assert isinstance(account, Remote)
    assert account.secrets == ()


def test_credentials_are_taken_out_of_any_text() -> None:
    said = "fatal: 'https://me:secret@host/a' and ssh://x@host/b failed for me@example.org"
    assert address.without_credentials(said) == (
        "fatal: 'https://***@host/a' and ssh://***@host/b failed for me@example.org"
    )


@pytest.mark.parametrize("bad", ["ext::sh -c id", "fd::17", "-u/bin/sh", "ftp://host/x", "--upload-pack=x"])
def test_what_could_run_a_program_is_no_repository(tmp_path: Path, bad: str) -> None:
    with pytest.raises(InvalidInput):
        address.parse(bad, tmp_path)


def test_only_one_of_branch_tag_and_commit_may_be_given() -> None:
    assert check({"repository": ".", "branch": "main"}) == []
    assert check({"branch": "main", "tag": "v1", "commit": ""}) == [
        ("tag", "branch already says which commit", "keep one of the two")
    ]

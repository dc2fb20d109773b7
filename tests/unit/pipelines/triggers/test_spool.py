"""The spool: read in order, never lost, and what nobody can read is set aside with the reason."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.triggers.event import GitEvent
from pipelines.triggers.spool import MAX_BYTES, Spool, parsed

OLD, NEW, ZERO = "a" * 40, "b" * 40, "0" * 40


def content(*updates: str, **changes: Any) -> dict[str, Any]:
    return {"version": 1, "hook": "post-receive", "repository": "/r.git", "updates": list(updates)} | changes


def events(data: Any) -> tuple[GitEvent, ...]:
    return parsed(json.dumps(data).encode())


def test_each_update_of_a_branch_or_tag_is_an_event() -> None:
    found = events(content(f"{OLD} {NEW} refs/heads/main", f"{ZERO} {NEW} refs/tags/v1"))
    assert found == (
        GitEvent(Path("/r.git"), "refs/heads/main", OLD, NEW),
        GitEvent(Path("/r.git"), "refs/tags/v1", "", NEW),
    )


def test_deletions_and_other_refs_are_none() -> None:
    assert events(content(f"{OLD} {ZERO} refs/heads/main", f"{OLD} {NEW} refs/notes/commits")) == ()
    assert events(content()) == ()


def test_a_local_commit_does_not_know_what_was_before() -> None:
    assert events(content(f"- {NEW} refs/heads/main", hook="post-commit"))[0].before is None


def test_longer_hashes_are_taken() -> None:
    assert events(content(f"{'0' * 64} {'c' * 64} refs/heads/main"))[0].after == "c" * 64


def test_odd_names_arrive_as_they_are() -> None:
    raw = json.dumps(content(f'{OLD} {NEW} refs/heads/a"b')).encode()
    raw = raw.replace(b"/r.git", b"/with\nline\tand \xff byte")
    found = parsed(raw)[0]
    assert found.branch == 'a"b'
    assert os.fsencode(found.repository) == b"/with\nline\tand \xff byte"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "not a mapping"),
        ({"version": 1}, "not a mapping with the keys"),
        (content() | {"more": 1}, "not a mapping with the keys"),
        (content(version=2), "another version"),
        (content(version="1"), "another version"),
        (content(hook="pre-push"), "another version"),
        (content(hook=["post-commit"]), "another version"),
        (content(repository="r.git"), "no absolute path"),
        (content(repository=3), "no absolute path"),
        (content(repository="/a\0b"), "no absolute path"),
        (content(updates="x"), "no list"),
        (content("main"), "is not 'before after ref'"),
        (content(f"{OLD} {NEW} main"), "is not 'before after ref'"),
        (content(f"{OLD} {NEW}"), "is not 'before after ref'"),
        (content(7), "is not 'before after ref'"),  # type: ignore[arg-type]
    ],
)
def test_what_no_hook_writes_is_refused_with_the_reason(data: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        events(data)


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="it "):
        parsed(raw)


def test_nesting_without_end_and_giants_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not JSON|not a mapping"):
        parsed(b"[" * 100_000)
    with pytest.raises(ValueError, match="bytes long"):
        parsed(b" " * (MAX_BYTES + 1))


class TestDirectory:
    """Files come and go."""

    def put(self, home: Path, name: str, text: str, at: int) -> Path:
        (home / "spool").mkdir(exist_ok=True)
        file = home / "spool" / name
        file.write_text(text)
        os.utime(file, ns=(at, at))
        return file

    def test_no_spool_is_an_empty_spool(self, tmp_path: Path) -> None:
        assert Spool(tmp_path / "nowhere").waiting() == []

    def test_the_oldest_is_first_whatever_the_names(self, tmp_path: Path) -> None:
        for name, at in (("a.json", 30), ("b.json", 10), ("c.json", 20)):
            self.put(tmp_path, name, json.dumps(content(f"{OLD} {NEW} refs/heads/{name}")), at)
        spool = Spool(tmp_path)
        assert [spooled.events[0].branch for spooled in spool.waiting()] == ["b.json", "c.json", "a.json"]

    def test_a_file_stays_until_it_is_removed(self, tmp_path: Path) -> None:
        self.put(tmp_path, "a.json", json.dumps(content()), 1)
        spool = Spool(tmp_path)
        first = spool.waiting()
        assert spool.waiting() == first
        spool.remove(first[0])
        spool.remove(first[0])
        assert spool.waiting() == []

    def test_a_file_that_is_still_being_written_is_left_alone(self, tmp_path: Path) -> None:
        half = self.put(tmp_path, "a.json.tmp", '{"version": 1, "ho', 1)
        assert Spool(tmp_path).waiting() == []
        assert half.exists()

    def test_a_corrupt_file_is_set_aside_and_the_others_are_read(self, tmp_path: Path) -> None:
        self.put(tmp_path, "a.json", '{"version": 1, "ho', 1)
        self.put(tmp_path, "b.json", json.dumps(content(f"{OLD} {NEW} refs/heads/main")), 2)
        spool = Spool(tmp_path)
        assert [spooled.file.name for spooled in spool.waiting()] == ["b.json"]
        assert (tmp_path / "spool" / "bad" / "a.json").read_text() == '{"version": 1, "ho'
        assert "it is not JSON" in (tmp_path / "spool" / "bad" / "a.json.reason").read_text()
        assert [spooled.file.name for spooled in spool.waiting()] == ["b.json"]

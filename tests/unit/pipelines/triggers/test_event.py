"""Events and their idempotency keys."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from pipelines.triggers.event import GitEvent, ScheduleEvent, is_zero, repository_id

COMMIT = "a" * 40


def test_a_branch_and_a_tag_are_told_apart() -> None:
    branch = GitEvent(Path("/r/.git"), "refs/heads/feature/x", "", COMMIT)
    assert (branch.branch, branch.tag) == ("feature/x", "")
    tag = GitEvent(Path("/r/.git"), "refs/tags/v1", "", COMMIT)
    assert (tag.branch, tag.tag) == ("", "v1")
    assert tag.detail == "tag v1 is at aaaaaaaaaaaa"


def test_the_key_is_the_pipeline_the_repository_the_ref_and_the_commit() -> None:
    event = GitEvent(Path("/r/.git"), "refs/heads/main", "b" * 40, COMMIT)
    assert event.key("orders") == f"git:orders:{repository_id(Path('/r/.git'))}:refs/heads/main:{COMMIT}"
    others = [
        GitEvent(Path("/s/.git"), "refs/heads/main", "b" * 40, COMMIT).key("orders"),
        GitEvent(Path("/r/.git"), "refs/heads/dev", "b" * 40, COMMIT).key("orders"),
        GitEvent(Path("/r/.git"), "refs/heads/main", "b" * 40, "c" * 40).key("orders"),
        event.key("billing"),
    ]
    assert len({event.key("orders"), *others}) == 5


def test_where_the_ref_was_before_does_not_matter_for_the_key() -> None:
    events = [GitEvent(Path("/r"), "refs/heads/main", before, COMMIT) for before in (None, "", "b" * 40)]
    assert len({event.key("p") for event in events}) == 1


def test_names_that_are_no_unicode_can_be_stored() -> None:
    event = GitEvent(Path(os.fsdecode(b"/r\xff")), "refs/heads/" + os.fsdecode(b"caf\xe9"), "", COMMIT)
    assert event.key("p").encode("utf-8").endswith(b"refs/heads/caf\\xe9:" + COMMIT.encode())
    assert event.detail.encode("utf-8").startswith(b"branch caf\\xe9 ")


def test_a_due_time_has_its_own_key() -> None:
    event = ScheduleEvent("orders", "abc", "0 6 * * *", "UTC", datetime(2025, 1, 2, 6, tzinfo=UTC))
    assert event.key == "schedule:orders:abc:2025-01-02T06:00:00.000000Z"
    assert event.detail == "cron 0 6 * * * (UTC), due 2025-01-02T06:00:00.000000Z"


def test_zero_is_recognised_in_both_lengths() -> None:
    assert is_zero("0" * 40)
    assert is_zero("0" * 64)
    assert not is_zero("0" * 39 + "1")

"""Batches, their concurrency, and how far a shard is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invoke.results import MAX_PAYLOAD_BYTES
from runtime.pollers.batching import Batch
from runtime.pollers.envelopes import event
from runtime.pollers.progress import Progress
from runtime.pollers.scaling import Scale
from runtime.pollers.shards import Shard, readable
from runtime.pollers.states import Task, task


@dataclass(frozen=True)
class Rec:
    """A record of that many bytes."""

    size: int = 10

    @property
    def encoded(self) -> bytes:
        """Its JSON."""
        return b"x" * self.size


def test_a_batch_is_complete_by_number() -> None:
    batch: Batch[Rec] = Batch(2, 100)
    assert not batch.complete(0)
    assert batch.add_all([Rec(), Rec(), Rec()], 0) == [Rec()]
    assert batch.complete(0)
    assert batch.room() == 0


def test_a_batch_is_complete_when_its_window_is_over_counted_from_its_first_record() -> None:
    batch: Batch[Rec] = Batch(10, 5)
    assert batch.left_s(0) == 5
    batch.add(Rec(), 100)
    assert (batch.complete(104.9), batch.left_s(104)) == (False, 1)
    assert batch.complete(105)


def test_without_a_window_the_first_record_completes_a_batch_but_those_that_came_with_it_belong_to_it() -> None:
    batch: Batch[Rec] = Batch(10, 0)
    assert not batch.complete(7)
    assert batch.add_all([Rec(), Rec(), Rec()], 7) == []
    assert batch.complete(7)


def test_a_batch_without_records_is_never_complete() -> None:
    assert not Batch[Rec](1, 0).complete(1e9)


def test_six_megabytes_complete_a_batch() -> None:
    batch: Batch[Rec] = Batch(10, 100)
    third = MAX_PAYLOAD_BYTES // 3
    assert batch.add_all([Rec(third), Rec(third), Rec(third), Rec(5)], 0) == [Rec(third), Rec(5)]
    assert batch.complete(0)


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=12), st.integers(1, 12))
def test_batches_never_exceed_size_or_bytes_and_keep_every_record_in_order(sizes: list[int], size: int) -> None:
    rest, batches = [Rec(each) for each in sizes], []
    while rest:
        batch: Batch[Rec] = Batch(size, 0)
        rest = batch.add_all(rest, 0)
        assert batch.records
        assert len(batch.records) <= size
        assert len(event(record.encoded for record in batch.records)) <= MAX_PAYLOAD_BYTES
        batches += batch.records
    assert batches == [Rec(each) for each in sizes]


# scaling ------------------------------------------------------------------------------------------------------------


def test_five_batches_at_first_and_three_hundred_more_per_minute_while_more_is_wanted() -> None:
    scale = Scale()
    assert scale.limit == 5
    scale.wanting(100)
    scale.wanting(160)
    assert scale.limit == 305
    scale.wanting(1000)
    assert scale.limit == 1250


def test_time_without_want_does_not_count_and_an_empty_queue_begins_anew() -> None:
    scale = Scale()
    scale.wanting(100)
    scale.satisfied()
    scale.wanting(200)
    scale.wanting(202)
    assert scale.limit == 15
    scale.idle()
    assert scale.limit == 5


def test_maximum_concurrency_is_kept_from_the_beginning() -> None:
    scale = Scale(2)
    assert scale.limit == 2
    scale.wanting(0.1)
    scale.wanting(1000)
    assert scale.limit == 2


def test_failures_halve_the_limit_down_to_one() -> None:
    scale = Scale()
    for expected in (2, 1, 1):
        scale.failed()
        assert scale.limit == expected


# progress -----------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(), unique=True, max_size=30).flatmap(
        lambda read: st.tuples(st.just(read), st.permutations(read))
    )
)
def test_the_checkpoint_has_everything_done_before_it_and_only_grows(orders: tuple[list[int], list[int]]) -> None:
    read, finished = orders
    progress, done = Progress(), set()
    for number in read:
        progress.read(str(number))
    for number in finished:
        moved = progress.done([str(number)])
        done.add(number)
        before = next((index for index, each in enumerate(read) if each not in done), len(read))
        assert progress.checkpoint == (str(read[before - 1]) if before else "")
        assert moved is (number in read[:before] and progress.left == len(read) - before)
        assert progress.left == len(read) - before
    assert progress.left == 0


# shards and states --------------------------------------------------------------------------------------------------


def test_children_are_read_when_all_their_parents_are_finished() -> None:
    listed = [Shard("a"), Shard("b"), Shard("c", ("a",)), Shard("d", ("a", "b")), Shard("e", ("gone",))]
    assert [shard.id for shard in readable(listed, ())] == ["a", "b", "e"]
    assert [shard.id for shard in readable(listed, {"a"})] == ["b", "c", "e"]
    assert [shard.id for shard in readable(listed, {"a", "b"})] == ["c", "d", "e"]


@pytest.mark.parametrize("polling", [False, True])
@pytest.mark.parametrize("enabled", [False, True])
def test_every_state_settles(enabled: bool, polling: bool) -> None:
    for state in ("Creating", "Enabling", "Disabling", "Updating"):
        expected = (Task.POLL, "Enabled") if enabled else (Task.REST, "Disabled")
        assert task(state, enabled=enabled, polling=polling) == expected
    assert task("Deleting", enabled=enabled, polling=polling)[0] is Task.FORGET
    assert task("Enabled", enabled=enabled, polling=polling) == (Task.NOTHING if polling else Task.POLL, "Enabled")
    assert task("Disabled", enabled=enabled, polling=polling) == (Task.REST if polling else Task.NOTHING, "Disabled")

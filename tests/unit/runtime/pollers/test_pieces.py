"""What follows when a batch of a stream fails."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.pollers.pieces import EXHAUSTED, TOO_OLD, Piece, Rules, Step, after, expired, wait_s
from runtime.pollers.responses import Failed, Partly, Succeeded


@dataclass(frozen=True)
class Rec:
    """A record."""

    sequence: str
    arrived_at: float = 0.0
    encoded: bytes = b"{}"


def piece(count: int, failures: int = 0) -> Piece:
    """A piece with records 0, 1, …"""
    return Piece(tuple(Rec(str(number)) for number in range(count)), failures)


def numbers(found: Piece | None) -> list[str]:
    """The sequence numbers of its records."""
    return [] if found is None else [record.sequence for record in found.records]


def test_a_success_is_done() -> None:
    assert after(piece(3), Succeeded(), Rules()) == Step(done=piece(3).records)


def test_a_failure_is_tried_again_as_a_whole_and_counts() -> None:
    step = after(piece(3), Failed("x"), Rules())
    assert step.again == (Piece(piece(3).records, failures=1, invokes=1),)


@pytest.mark.parametrize(
    ("retries", "failures", "given_up"), [(0, 0, True), (2, 1, False), (2, 2, True), (-1, 99, False)]
)
def test_retries_are_limited_as_the_mapping_says(retries: int, failures: int, given_up: bool) -> None:
    step = after(piece(2, failures), Failed("x"), Rules(retries=retries))
    assert (step.given_up is not None) is given_up
    assert (step.condition == EXHAUSTED) is given_up
    assert bool(step.again) is not given_up


def test_bisecting_halves_without_using_up_retries() -> None:
    step = after(piece(5, failures=1), Failed("x"), Rules(retries=1, bisect=True))
    assert [numbers(each) for each in step.again] == [["0", "1", "2"], ["3", "4"]]
    assert [each.failures for each in step.again] == [1, 1]


def test_a_single_record_cannot_be_halved_and_uses_up_retries() -> None:
    assert after(piece(1), Failed("x"), Rules(retries=0, bisect=True)).condition == EXHAUSTED


def test_a_partial_failure_goes_on_from_the_lowest_number_reported() -> None:
    step = after(piece(5), Partly(frozenset({"4", "2"})), Rules())
    assert [record.sequence for record in step.done] == ["0", "1"]
    assert [numbers(each) for each in step.again] == [["2", "3", "4"]]
    assert step.again[0].failures == 1


def test_with_bisecting_a_partial_failure_is_cut_where_it_failed() -> None:
    step = after(piece(5), Partly(frozenset({"3"})), Rules(retries=0, bisect=True))
    assert [numbers(each) for each in step.again] == [["3", "4"]]
    assert step.again[0].failures == 0


def test_records_that_are_too_old_are_given_up_from_the_head() -> None:
    old = Piece((Rec("0", 10), Rec("1", 20), Rec("2", 90)))
    step = expired(old, 100, Rules(max_age_s=60))
    assert (numbers(step.given_up), step.condition) == (["0", "1"], TOO_OLD)
    assert [numbers(each) for each in step.again] == [["2"]]
    assert expired(old, 1e9, Rules()) == Step(again=(old,))


def test_waits_double_up_to_a_minute() -> None:
    assert [wait_s(misses) for misses in (1, 2, 3, 50)] == [0.5, 1.0, 2.0, 60.0]


spurious = st.booleans()


@given(
    st.integers(1, 30), st.sets(st.integers(0, 29)), st.integers(0, 3), st.booleans(), st.booleans(), st.data()
)  # fmt: skip
def test_every_record_is_done_or_given_up_once_and_in_order(
    count: int, poison: set[int], retries: int, bisect: bool, partial: bool, data: Any
) -> None:
    """A function that always fails on the poisonous records; some failures are spurious."""
    rules = Rules(retries=retries, bisect=bisect)
    work, ended, lost, rounds = deque([piece(count)]), [], [], 0
    while work:
        rounds += 1
        assert rounds < 2000, "it must come to an end"
        now = work.popleft()
        bad = frozenset(record.sequence for record in now.records if int(record.sequence) in poison)
        if bad and partial:
            step = after(now, Partly(bad), rules)
        elif bad or (data.draw(spurious) and now.failures < retries):
            step = after(now, Failed("x"), rules)
        else:
            step = after(now, Succeeded(), rules)
        work.extendleft(reversed(step.again))
        ended += [record.sequence for record in step.done]
        if step.given_up is not None:
            lost += numbers(step.given_up)
            ended += numbers(step.given_up)
    assert ended == [str(number) for number in range(count)]
    if bisect:
        assert {int(number) for number in lost} >= poison & set(range(count))
    if bisect and not partial:
        assert {int(number) for number in lost} == poison & set(range(count))

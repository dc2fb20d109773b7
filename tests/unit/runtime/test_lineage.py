"""Loops are counted in the trace header."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invoke import lineage

TRACE = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=0"
functions = st.text(alphabet="abcdefgh-", min_size=1, max_size=6)


def test_the_first_run_is_counted_as_real_headers_show_it() -> None:
    seen = lineage.entered(TRACE, "orders")
    assert re.fullmatch(re.escape(TRACE) + r";Lineage=1:[0-9a-f]{8}:0", seen)


def test_a_function_runs_sixteen_times_in_one_chain_and_the_next_is_too_many() -> None:
    trace, runs = TRACE, 0
    while lineage.runs_before(trace, "orders") < lineage.LIMIT:
        trace, runs = lineage.entered(trace, "orders"), runs + 1
    assert runs == 16


def test_an_event_that_is_tried_again_is_counted_once() -> None:
    once = lineage.entered(TRACE, "orders")
    assert lineage.entered(TRACE, "orders") == once
    assert lineage.runs_before(TRACE, "orders") == 0


def test_a_header_with_several_functions_and_without_the_leading_number_is_understood() -> None:
    own = lineage.identity("orders")
    trace = f"Root=1-a-b;Sampled=1;Lineage=a87bd80c:1|{own}:5|c512fbe3:2"
    assert lineage.runs_before(trace, "orders") == 6
    assert f"{own}:6" in lineage.entered(trace, "orders")
    assert "a87bd80c:1" in lineage.entered(trace, "orders")


@pytest.mark.parametrize("field", ["Lineage=", "Lineage=nonsense", "Lineage=1:zz:0", "Lineage=1:deadbeef:-1"])
def test_a_header_that_cannot_be_read_counts_as_a_new_chain(field: str) -> None:
    assert lineage.runs_before(f"{TRACE};{field}", "orders") == 0
    assert lineage.runs_before(lineage.entered(f"{TRACE};{field}", "orders"), "orders") == 1


def test_no_header_stays_none() -> None:
    assert lineage.entered("", "orders") == ""
    assert lineage.merged([]) == lineage.merged(["", ""]) == ""


def test_several_causes_count_as_the_longest_chain() -> None:
    long, short = TRACE, "Root=1-0-0"
    for _ in range(5):
        long = lineage.entered(long, "orders")
    short = lineage.entered(lineage.entered(short, "orders"), "stock")
    both = lineage.merged([short, long])
    assert both.startswith("Root=1-0-0")
    assert (lineage.runs_before(both, "orders"), lineage.runs_before(both, "stock")) == (5, 1)


@given(st.lists(functions, max_size=40))
def test_counts_are_those_of_the_chain(chain: list[str]) -> None:
    trace = TRACE
    for name in chain:
        trace = lineage.entered(trace, name)
    for name in set(chain[-20:]):
        if len(set(chain)) <= 32:
            assert lineage.runs_before(trace, name) == chain.count(name)
    assert trace.startswith(TRACE)

"""References are found and replaced in every text of nested data, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PenstockError
from pipelines.definition.expand import UnresolvedVariable, holds_reference, references, resolve

SCOPE = {"variables": {"level": "canary"}, "Build": {"VERSION": "1.2", "odd": "#{variables.level}"}}


def test_references_come_in_order_with_repeats() -> None:
    assert references("#{a.b}-#{c.d} #{a.b}") == [("a", "b"), ("c", "d"), ("a", "b")]


@pytest.mark.parametrize("text", ["${a.b}", "#{a}", "# {a.b}", "#{a.b", "#{a b.c}", "#{.b}", "#{a.}", "a.b", ""])
def test_other_texts_hold_none(text: str) -> None:
    assert references(text) == []
    assert not holds_reference(text)
    assert resolve(text, SCOPE) == text


def test_every_text_inside_is_replaced_and_the_rest_kept() -> None:
    value = {
        "a": "v#{Build.VERSION}",
        "b": [1, None, True, {"c": "#{variables.level}/#{Build.VERSION}"}],
        "#{k.k}": "${x}",
    }
    assert resolve(value, SCOPE) == {
        "a": "v1.2",
        "b": [1, None, True, {"c": "canary/1.2"}],
        "#{k.k}": "${x}",
    }


def test_what_was_put_in_is_not_read_again() -> None:
    assert resolve("#{Build.odd}", SCOPE) == "#{variables.level}"


def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(UnresolvedVariable) as caught:
        resolve({"x": ["#{Build.GONE}", "#{No.thing} #{Build.GONE}"]}, SCOPE)
    assert caught.value.missing == (("Build", "GONE"), ("No", "thing"))
    assert "#{Build.GONE}, #{No.thing}" in str(caught.value)
    assert caught.value.where == "x[0]"
    assert isinstance(caught.value, PenstockError)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_data_without_references_is_given_back_equal(value: Any) -> None:
    if not holds_reference(value):
        assert resolve(value, {}) == value


@given(st.text(), st.text(), st.text())
def test_the_value_stands_exactly_where_the_reference_stood(before: str, value: str, after: str) -> None:
    text = f"{before}#{{ns.key}}{after}"
    if references(text) == [("ns", "key")]:
        assert resolve(text, {"ns": {"key": value}}) == before + value + after

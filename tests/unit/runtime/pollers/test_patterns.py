"""Event patterns: EventBridge's grammar."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.pollers.patterns import BadPattern, compiled, parse

scalars = st.none() | st.booleans() | st.integers(-10, 10) | st.text(alphabet="abAB", max_size=3)
keys = st.text(alphabet="xyz", min_size=1, max_size=2)
events = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))


def matches(pattern: Any, event: Any) -> bool:
    """Whether the event matches."""
    return compiled(pattern).matches(event)


@pytest.mark.parametrize(
    ("conditions", "yes", "no"),
    [
        (["x"], ["x", ["a", "x"]], ["y", "X", 1, None, [], {}, {"x": "x"}]),
        ([1], [1, 1.0, [2, 1]], ["1", True, 2]),
        ([True], [True], [1, "true", False]),
        ([None], [None], ["", 0, False]),
        ([""], [""], [None, " "]),
        (["a", "b"], ["a", "b"], ["c"]),
        ([{"equals-ignore-case": "Abc"}], ["abc", "ABC"], ["ab", 1]),
        ([{"prefix": "ab"}], ["ab", "abc"], ["xab", "AB", 1]),
        ([{"prefix": {"equals-ignore-case": "ab"}}], ["ABc"], ["xab"]),
        ([{"suffix": "ab"}], ["ab", "xab"], ["abx", None]),
        ([{"anything-but": ["a", 1]}], ["b", 2, True, None, ["a", "b"]], ["a", 1, ["a"], []]),
        ([{"anything-but": "a"}], ["b"], ["a"]),
        ([{"anything-but": {"prefix": "a"}}], ["ba", 1], ["ab"]),
        ([{"anything-but": {"suffix": ["a", "b"]}}], ["c"], ["xa", "xb"]),
        ([{"anything-but": {"equals-ignore-case": "a"}}], ["b"], ["A"]),
        ([{"numeric": ["=", 5]}], [5, 5.0], [6, "5", True]),
        ([{"numeric": [">", 0, "<=", 5]}], [1, 5, 0.1], [0, 5.1, "1", None]),
        ([{"wildcard": "a*b"}], ["ab", "a/b", "axxb"], ["abx", "b"]),
        ([{"wildcard": "a\\*b"}], ["a*b"], ["axb"]),
        ([{"cidr": "10.0.0.0/24"}], ["10.0.0.7"], ["10.0.1.7", "no address", 10]),
        ([{"cidr": "2001:db8::/32"}], ["2001:db8::1"], ["2001:db9::1"]),
        ([{"exists": True}], ["x", None, 0, [1]], [[], {}, {"y": 1}]),
        ([{"exists": False}, "a"], ["a", {"y": 1}, []], ["b"]),
    ],
)
def test_a_condition_is_satisfied_by_these_values_only(conditions: list[Any], yes: list[Any], no: list[Any]) -> None:
    for value in yes:
        assert matches({"k": conditions}, {"k": value}), value
    for value in no:
        assert not matches({"k": conditions}, {"k": value}), value


def test_a_key_that_is_not_there_satisfies_nothing_but_its_absence() -> None:
    assert matches({"k": [{"exists": False}]}, {})
    assert matches({"a": {"k": [{"exists": False}]}}, {"a": {}})
    assert matches({"a": {"k": [{"exists": False}]}}, {})
    for conditions in (["x"], [None], [{"anything-but": "x"}], [{"exists": True}]):
        assert not matches({"k": conditions}, {})


def test_keys_are_joined_by_and_and_the_operator_or_by_or() -> None:
    pattern = {"a": ["1"], "$or": [{"b": [{"numeric": [">", 5]}]}, {"c": ["x"], "d": ["y"]}]}
    assert matches(pattern, {"a": "1", "b": 6})
    assert matches(pattern, {"a": "1", "b": 1, "c": "x", "d": "y"})
    assert not matches(pattern, {"a": "1", "c": "x"})
    assert not matches(pattern, {"a": "2", "b": 6})


def test_a_key_called_or_that_is_no_operator_is_a_key() -> None:
    assert matches({"$or": ["x", "y"]}, {"$or": "x"})


def test_an_array_of_objects_matches_when_one_of_them_does_on_its_own() -> None:
    pattern = {"items": {"kind": ["book"], "price": [{"numeric": ["<", 10]}]}}
    assert matches(pattern, {"items": [{"kind": "pen", "price": 1}, {"kind": "book", "price": 5}]})
    assert not matches(pattern, {"items": [{"kind": "pen", "price": 1}, {"kind": "book", "price": 50}]})


@pytest.mark.parametrize(
    "pattern",
    [
        {}, [], "x", 1, None, {"k": "x"}, {"k": 1}, {"k": []}, {"k": {}}, {"k": [["x"]]}, {"k": [{}]},
        {"k": [{"prefix": 1}]}, {"k": [{"prefix": "a", "suffix": "b"}]}, {"k": [{"unknown": 1}]},
        {"k": [{"exists": "true"}]}, {"k": [{"numeric": []}]}, {"k": [{"numeric": [">"]}]},
        {"k": [{"numeric": ["~", 1]}]}, {"k": [{"numeric": [">", "1"]}]}, {"k": [{"numeric": [">", 5, "<", 5]}]},
        {"k": [{"numeric": ["<", 1, ">", 5]}]}, {"k": [{"numeric": [">", 6e9]}]}, {"k": [{"numeric": "> 1"}]},
        {"k": [{"anything-but": []}]}, {"k": [{"anything-but": [{"prefix": "a"}]}]},
        {"k": [{"anything-but": {"numeric": [">", 1]}}]}, {"k": [{"wildcard": "a**b"}]}, {"k": [{"cidr": "10.0"}]},
        {"k": [{"prefix": {"suffix": "x"}}]},
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_with_a_reason(pattern: Any) -> None:
    with pytest.raises(BadPattern, match=r"\w"):
        compiled(pattern)


def test_text_that_is_no_json_or_too_long_is_refused() -> None:
    with pytest.raises(BadPattern, match="not valid JSON"):
        parse("{")
    with pytest.raises(BadPattern, match="4096"):
        parse(json.dumps({"k": ["x" * 4096]}))


@given(events)
def test_any_event_can_be_asked_and_none_is_changed(event: Any) -> None:
    before = json.dumps(event)
    pattern = compiled({"x": [{"exists": True}], "$or": [{"y": {"z": ["a"]}}, {"z": [{"anything-but": "a"}]}]})
    assert pattern.matches(event) in {True, False}
    assert json.dumps(event) == before


@given(st.dictionaries(keys, scalars, min_size=1, max_size=4))
def test_an_event_matches_the_pattern_that_lists_its_values_and_not_one_that_excludes_one(
    event: dict[str, Any],
) -> None:
    assert matches({key: [value] for key, value in event.items()}, event)
    key, value = next(iter(event.items()))
    assert not matches({key: [{"anything-but": [value]}]}, event)


@given(scalars, st.lists(scalars, min_size=1, max_size=4))
def test_a_list_of_conditions_matches_when_one_of_them_would(value: Any, conditions: list[Any]) -> None:
    alone = [matches({"k": [each]}, {"k": value}) for each in conditions]
    assert matches({"k": conditions}, {"k": value}) == any(alone)


@given(scalars)
def test_exists_true_and_false_exclude_each_other(value: Any) -> None:
    assert matches({"k": [{"exists": True}]}, {"k": value}) != matches({"k": [{"exists": False}]}, {"k": value})

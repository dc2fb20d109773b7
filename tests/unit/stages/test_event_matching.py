"""Comparing an answer with what was expected, and telling it as sentences and as JUnit XML."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from stages.local_test.cases import Case, Expectation
from stages.local_test.match import Answer, differences
from stages.local_test.report import Result, sentence, write_junit

ANSWER = {"total": 2250, "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}], "ok": True}


def lacking(expected: Any, found: Any = ANSWER, *, exact: bool = False) -> list[str]:
    expect = Expectation(has_payload=True, payload=expected, exact=exact)
    return differences(expect, Answer(found, "", 1.0))


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ({}, []),
        ({"total": 2250}, []),
        ({"items": [{"sku": "a"}, {}]}, []),
        ({"total": 2500}, ["payload.total: expected 2500, got 2250"]),
        ({"sum": 1}, ["payload.sum: is missing"]),
        ({"items": [{}]}, ["payload.items: expected 1 items, got 2"]),
        (
            {"items": [{"sku": "x"}, {"n": 3}]},
            [
                'payload.items[0].sku: expected "x", got "a"',
                "payload.items[1].n: expected 3, got 2",
            ],
        ),
        ({"ok": 1}, ["payload.ok: expected 1, got true"]),
        ({"total": 2250.0}, []),
        (
            [],
            [f"payload: expected [], got {json.dumps(ANSWER)}"],
        ),
    ],
)
def test_an_answer_must_contain_the_expected_payload(expected: Any, told: list[str]) -> None:
    assert lacking(expected) == told


def test_exact_leaves_no_room() -> None:
    assert lacking(copy.deepcopy(ANSWER), exact=True) == []
    assert lacking({"total": 2250}, exact=True) == [
        *("payload.items: was not expected", "payload.ok: was not expected"),
    ]
    assert lacking([{}], [{"a": 1}], exact=True) == ["payload[0].a: was not expected"]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("ab", max_size=1), inner, max_size=2)),
    max_leaves=8,
)


@given(JSON)
def test_everything_contains_and_equals_itself(value: Any) -> None:
    assert lacking(value, copy.deepcopy(value)) == []
    assert lacking(value, copy.deepcopy(value), exact=True) == []


@given(JSON, JSON)
def test_what_is_exactly_equal_is_equal_for_json(one: Any, other: Any) -> None:
    """Exact means the same JSON; and what is exactly equal is contained, too."""
    same = _tagged(one) == _tagged(other)
    assert (lacking(one, other, exact=True) == []) is same
    if same:
        assert lacking(one, other) == []


def _tagged(value: Any) -> Any:
    """`value` such that == tells true from 1."""
    if isinstance(value, dict):
        return {key: _tagged(item) for key, item in value.items()}
    return [_tagged(item) for item in value] if isinstance(value, list) else (isinstance(value, bool), value)


ERROR = Answer({"errorType": "KeyError", "errorMessage": "'items' is not there"}, "Unhandled", 1.0)


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        (Expectation(error="any"), []),
        (Expectation(error="Unhandled", error_type="KeyError", error_message="items"), []),
        (Expectation(), ["function error Unhandled: KeyError: 'items' is not there"]),
        (Expectation(error="Handled"), ["function error: expected Handled, got Unhandled"]),
        (Expectation(error="any", error_type="E"), ["errorType: expected E, got KeyError ('items' is not there)"]),
        (
            Expectation(error="any", error_message="x"),
            ['errorMessage: expected to contain "x", got "\'items\' is not there"'],
        ),
        (Expectation(has_payload=True, payload={"a": 1}), ["function error Unhandled: KeyError: 'items' is not there"]),
    ],
)
def test_errors_are_expected_or_told(expect: Expectation, told: list[str]) -> None:
    assert differences(expect, ERROR) == told


def test_a_success_where_a_failure_was_expected_and_a_slow_answer_are_told() -> None:
    assert differences(Expectation(error="any"), Answer(5, "", 1.0)) == [
        "the function was expected to fail, but it returned 5"
    ]
    assert differences(Expectation(max_duration_ms=10), Answer(5, "", 10.5)) == [
        "took 10.5 ms, at most 10 ms were expected"
    ]


GOOD = Result(Case("good", "good.json", {}), "Orders", (), 1.5, ("START",))
BAD = Result(Case("b\x00d <&>", "bad.json", {}), "Orders", ("payload.a: is missing", "took 5 ms"), 5.0, ("\x1b[1m",))


def test_the_sentence_names_what_failed() -> None:
    assert sentence([GOOD]) == "1 event test passed"
    assert sentence([GOOD, GOOD]) == "2 event tests passed"
    assert sentence([GOOD, BAD]).startswith(
        "1 of 2 event tests failed: b\x00d <&> (Orders): payload.a: is missing, took"
    )


def test_the_report_is_junit_that_others_can_read(tmp_path: Path) -> None:
    write_junit([GOOD, BAD], "orders.Test.Events", tmp_path / "report" / "junit.xml")
    [suite] = JUnitXml.fromfile(str(tmp_path / "report" / "junit.xml"))
    assert (suite.name, suite.tests, suite.failures) == ("orders.Test.Events", 2, 1)
    good, bad = list(suite)
    assert (good.name, good.classname, good.time, good.system_out, good.result) == (
        "good",
        "Orders",
        0.0015,
        "START",
        [],
    )
    assert (bad.name, bad.result[0].message, bad.system_out) == ("b?d <&>", "payload.a: is missing", "?[1m")
    assert bad.result[0].text == "payload.a: is missing\ntook 5 ms"

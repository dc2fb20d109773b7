"""Event files: bare events, tests with expectations, and their mistakes with places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from stages.local_test.cases import Case, Expectation, parse
from stages.local_test.discover import find_cases


def test_a_bare_event_must_only_not_fail() -> None:
    assert parse('{"items": []}', "events/order.json") == Case("order", "events/order.json", {"items": []})
    assert parse("[1]", "x.json").event == [1]
    assert parse("null", "x.json").event is None


def test_a_file_beside_it_says_which_payload_is_expected() -> None:
    case = parse('{"items": []}', "order.json", '{"total": 0}')
    assert case.expect == Expectation(has_payload=True, payload={"total": 0})
    nothing = parse('{"items": []}', "order.json", "null")
    assert nothing.expect == Expectation(has_payload=True, payload=None)


def test_a_test_names_everything_it_expects() -> None:
    text = json.dumps(
        {
            "name": "a broken order",
            "function": "Orders",
            "event": {"event": 1},
            "expect": {"functionError": "Unhandled", "errorType": "KeyError", "errorMessage": "x", "maxDurationMs": 20},
        }
    )
    expect = Expectation(error="Unhandled", error_type="KeyError", error_message="x", max_duration_ms=20)
    assert parse(text, "order.json") == Case("a broken order", "order.json", {"event": 1}, "Orders", expect)


def test_naming_an_error_expects_one_and_null_expects_none() -> None:
    def expected(expect: object) -> Expectation:
        return parse(json.dumps({"event": 1, "expect": expect}), "x.json").expect

    assert expected({"errorType": "KeyError"}).error == "any"
    assert expected({"functionError": None}).error == ""
    assert expected({"payload": None, "exact": True}) == Expectation(has_payload=True, exact=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"event": 1, "expct": {}}', "x.json:1:14: error: expct: unknown key 'expct'; did you mean 'expect'?"),
        ('{"event": 1,\n "expect": {"payloda": 1}}', "x.json:2:13: error: expect.payloda: unknown key"),
        ('{"event": 1, "expect": []}', "x.json:1:24: error: expect: this must be an object"),
        ('{"event": 1, "name": 2}', "x.json:1:22: error: name: this must be text"),
        ('{"event": 1, "expect": {"functionError": "Bad"}}', "there is no function error 'Bad'"),
        ('{"event": 1, "expect": {"functionError": null, "errorType": "E"}}', "contradicts functionError: null"),
        ('{"event": 1, "expect": {"exact": true}}', "there is no payload to be exact about"),
        ('{"event": 1, "expect": {"maxDurationMs": true}}', "expect.maxDurationMs: this must be a number"),
        ('{"event": 1, "expect": {"maxDurationMs": "5"}}', "expect.maxDurationMs: this must be a number"),
        ('{"event": ', "x.json:1:"),
        ("", "x.json:1:1"),
    ],
)
def test_a_mistake_has_its_place_instead_of_passing_silently(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as failure:
        parse(text, "x.json")
    assert message in str(failure.value)


def test_a_test_with_a_file_beside_it_is_a_contradiction() -> None:
    with pytest.raises(InvalidInput, match=r"takes no x\.expected\.json"):
        parse('{"event": 1}', "x.json", "{}")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["event", "expect", "name", "payload", "exact", "x"]), inner, max_size=4),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(JSON)
def test_any_json_is_a_case_or_has_mistakes_with_places(value: object) -> None:
    refused = None
    try:
        case = parse(json.dumps(value), "x.json")
        assert case.event == (value["event"] if isinstance(value, dict) and "event" in value else value)
    except InvalidInput as error:
        refused = error
    assert refused is None or refused.diagnostics


def test_events_are_found_in_a_directory_or_by_a_pattern(tmp_path: Path) -> None:
    for name in ("events/b.json", "events/a.json", "events/deep/c.json", "events/a.expected.json", "events/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert [case.file for case in find_cases(tmp_path, "events")] == [
        *("events/a.json", "events/b.json", "events/deep/c.json"),
    ]
    assert find_cases(tmp_path, "events/")[0].expect.has_payload
    assert [case.file for case in find_cases(tmp_path, "events/*.json")] == ["events/a.json", "events/b.json"]
    assert [case.file for case in find_cases(tmp_path, "**/c.json")] == ["events/deep/c.json"]


@pytest.mark.parametrize("events", ["nowhere", "events/*.yaml", "/etc", "../x"])
def test_no_event_at_all_is_a_mistake(tmp_path: Path, events: str) -> None:
    with pytest.raises(InvalidInput):
        find_cases(tmp_path, events)


def test_the_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text('{"event": 1, "x": 1}')
    with pytest.raises(InvalidInput) as failure:
        find_cases(tmp_path, "*.json")
    assert [mistake.location.file for mistake in failure.value.diagnostics] == ["a.json", "b.json"]

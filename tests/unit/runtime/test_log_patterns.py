"""Filter patterns: the examples of CloudWatch Logs' documentation, and what cannot be read."""

from __future__ import annotations

import contextlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.api.errors import ApiError
from runtime.log_groups.patterns.delimited import fields
from runtime.log_groups.patterns.pattern import compile_pattern


def matches(pattern: str, message: str) -> bool:
    """Whether the event matches."""
    return compile_pattern(pattern)(message) is not None


# terms -------------------------------------------------------------------------------------------------------------

THREE = ("ERROR WARN message", "ERROR message", "WARN message")


@pytest.mark.parametrize(
    ("pattern", "events"),
    [
        ("", {1, 2, 3}),
        ("ERROR", {1, 2}),
        ("?ERROR ?WARN", {1, 2, 3}),
        ("ERROR WARN", {1}),
        ("ERROR -WARN", {2}),
        ("-ERROR", {3}),
        ('"ERROR message"', {2}),
        ('-"WARN message"', {2}),
        ('?"ERROR WARN" ?absent', {1}),
        ("?ERROR ?WARN absent", set()),
        ("?absent message", {1, 2, 3}),
        ("error", set()),
        ("%^ERROR [A-Z]+%", {1}),
        (r"-%ERROR\s[a-z]%", {1, 3}),
        ("essag", {1, 2, 3}),
    ],
)
def test_terms(pattern: str, events: set[int]) -> None:
    assert {number for number, event in enumerate(THREE, 1) if matches(pattern, event)} == events


def test_a_quoted_quote_is_a_quote() -> None:
    assert matches(r'"say \"no\""', 'they say "no"')


# JSON --------------------------------------------------------------------------------------------------------------

TRAIL = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "latency": 500.5,
        "code": 400,
        "numbers": [0.5, 20],
        "wait-time_ms": "12",
    }
)
USERS = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ('{ $.eventType = "UpdateTrail" }', TRAIL, True),
        ("{$.eventType=UpdateTrail}", TRAIL, True),
        ("{ $.eventType = *Trail }", TRAIL, True),
        ("{ $.eventType = Update* }", TRAIL, True),
        ("{ $.eventType = *date* }", TRAIL, True),
        ("{ $.eventType = Up*il }", TRAIL, False),
        ("{ $.eventType = %^Up.*il$% }", TRAIL, True),
        ("{ $.eventType != Other }", TRAIL, True),
        ("{ $.sourceIPAddress != 123.123.* }", TRAIL, True),
        ("{ $.sourceIPAddress = 111.111.* }", TRAIL, True),
        ('{ $.arrayKey[0] = "value" }', TRAIL, True),
        ("{ $.arrayKey[5] = * }", TRAIL, False),
        ("{ $.objectList[1].id = 2 }", TRAIL, True),
        ("{ $.SomeObject IS NULL }", TRAIL, True),
        ("{ $.ThisFlag IS NULL }", TRAIL, False),
        ("{ $.SomeOtherObject NOT EXISTS }", TRAIL, True),
        ("{ $.SomeObject NOT EXISTS }", TRAIL, False),
        ("{ $.ThisFlag IS TRUE }", TRAIL, True),
        ("{ $.ThisFlag is false }", TRAIL, False),
        ("{ $.latency >= 500 }", TRAIL, True),
        ("{ $.latency = 500.5 }", TRAIL, True),
        ("{ $.latency > +1000 }", TRAIL, False),
        ("{ $.latency < 1e3 }", TRAIL, True),
        ("{ $.latency = * }", TRAIL, True),
        ("{ $.absent != 5 }", TRAIL, False),
        ("{ $.code = 400 }", TRAIL, True),
        ('{ $.code = "4*" }', TRAIL, True),
        ("{ $.code != 500 }", TRAIL, True),
        ("{ $.numbers[0] < 10e-1 }", TRAIL, True),
        ("{ $.numbers = 1 }", TRAIL, False),
        ("{ $.numbers != 1 }", TRAIL, False),
        ("{ $.eventType > 5 }", TRAIL, False),
        ("{ $.wait-time_ms > 5 }", TRAIL, True),
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', USERS, True),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', USERS, False),
        (
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }',
            USERS,
            True,
        ),
        (
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = no) && $.actions[2] = nomatch }',
            USERS,
            False,
        ),
        ("{ $.coordinates[0][1] = 1 }", USERS, True),
        ("{ $[1] = 2 }", "[1, 2]", True),
        ("{ $.a = 1 }", "plain text", False),
        ("{ $.a = 1 }", '{"a": 1', False),
        ("{ $.a = * }", '{"a": true}', False),
    ],
)
def test_json_patterns(pattern: str, message: str, expected: bool) -> None:
    assert matches(pattern, message) is expected


def test_json_patterns_extract_what_they_looked_at() -> None:
    assert compile_pattern('{ $.code > 1 && $.eventType = "Up*" }')(TRAIL) == {
        "$.code": "400", "$.eventType": "UpdateTrail",
    }  # fmt: skip


# space-delimited ---------------------------------------------------------------------------------------------------

LINE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code]", False),
        ("[..., status_code, bytes]", True),
        ("[ip, user, ..., status_code, bytes]", True),
        ("[ip, user, ...]", True),
        ("[...]", True),
        ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", True),
        ("[ip, user, username, timestamp, request, status_code, bytes > 2000]", False),
        ("[ip, user, username, timestamp, request, status_code = 404, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code = 4*, bytes]", True),
        ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", True),
        ("[..., status_code = 4* && status_code != 403, bytes]", True),
        ("[..., status_code = 403 || status_code = 404, bytes]", True),
        ("[..., status_code = 403 || status_code = 405, bytes]", False),
        ("[..., (status_code = 403 || status_code = 404) && status_code > 403, bytes]", True),
        ("[..., request=*.html*, status_code=4*,]", False),
        ('[..., request="GET *", status_code, bytes]', True),
        ("[ip=%^127[.]%, ...]", True),
        ("[ip, , username = frank, ...]", True),
    ],
)
def test_space_delimited_patterns(pattern: str, expected: bool) -> None:
    assert matches(pattern, LINE.replace(".html", ".txt") if "=*.html*" in pattern else LINE) is expected


def test_space_delimited_patterns_extract_the_fields() -> None:
    assert compile_pattern("[..., request=*.html*, status_code=4*,]")(LINE) == {
        "$1": "127.0.0.1",
        "$2": "-",
        "$3": "frank",
        "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0",
        "$status_code": "404",
        "$7": "1534",
    }


def test_words_of_a_line_are_fields() -> None:
    pattern = "[w1=ERROR || w1=WARN, w2]"
    assert [matches(pattern, event) for event in THREE] == [False, True, True]


# what cannot be read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        "9c1e6b6e-aaaa", "a:b", '"open', "?", "-", "%(a)%", "%[%", "{ $.a = 1", "{ $.a }", "{ a = 1 }", "{ $.a ~ 1 }",
        "{ $.a = }", "{ $.a = 1 && }", "{ ($.a = 1 }", "{ $.a = 1 ) }", "{ $.a IS 5 }", "{ $.a NOT 5 }", "{ }",
        "{ $.a..b = 1 }", "{ $.a[x] = 1 }", "[a, ..., b, ...]", "[a", "[a = ]", "[a = 1 && b = 2]", "[1a]", "[a b]",
        "{ " + "(" * 60 + "$.a = 1" + ")" * 60 + " }",
    ],
)  # fmt: skip
def test_wrong_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(ApiError) as error:
        compile_pattern(pattern)
    assert error.value.code == "InvalidParameterException"


@given(st.text(alphabet='ab1 $.[]{}()=!<>&|?-%"*,\\ISNOT', max_size=30), st.sampled_from([TRAIL, LINE, "", "a b"]))
def test_any_text_is_a_pattern_or_refused(pattern: str, message: str) -> None:
    with contextlib.suppress(ApiError):
        compile_pattern(pattern)(message)


@given(st.lists(st.from_regex(r"[a-z]{1,4}", fullmatch=True), min_size=1, max_size=4), st.text(max_size=30))
def test_terms_mean_what_in_means(words: list[str], message: str) -> None:
    assert matches(" ".join(words), message) is all(word in message for word in words)
    assert matches(" ".join(f"-{word}" for word in words), message) is not any(word in message for word in words)
    assert matches(" ".join(f"?{word}" for word in words), message) is any(word in message for word in words)


@given(st.lists(st.from_regex(r"[a-z0-9/:.-]{1,5}", fullmatch=True), min_size=1, max_size=6))
def test_a_pattern_with_a_name_for_each_word_matches(words: list[str]) -> None:
    message = " ".join(words)
    assert fields(message) == words
    names = [f"w{number}" for number in range(len(words))]
    found = compile_pattern(f"[{', '.join(names)}]")(message)
    assert found == {f"${name}": word for name, word in zip(names, words, strict=True)}
    assert not re.search(r"\s", "".join(words))

"""Secrets never reach what is written, in whatever form they appear."""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.secrets import Redactor

SECRET = 'p@ss "w/ord"\\ é~'

_values = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=4, max_size=40)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        re.sub("%..", lambda escape: escape.group().lower(), urllib.parse.quote(SECRET, safe="")),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
    ],
)
def test_each_form_of_a_value_is_masked(form: str) -> None:
    assert Redactor([SECRET]).redact(f"before {form} after") == "before *** after"


@given(_values, st.text(st.characters(codec="utf-8"), max_size=12))
def test_basic_authentication_does_not_give_the_password_away(value: str, user: str) -> None:
    before, inside = f"{user}:".encode(), value.encode()
    sent = base64.b64encode(before + inside).decode()
    only_value = sent[-(-len(before) * 8 // 6) : (len(before) + len(inside)) * 8 // 6]
    if len(only_value) >= 8:
        assert only_value not in Redactor([value]).redact(sent)


def test_short_values_are_left_alone() -> None:
    assert Redactor(["abc", ""]).redact("abcabc") == "abcabc"


def test_overlapping_values_are_masked_as_one() -> None:
    assert Redactor(["abcdef", "defghi"]).redact("xabcdefghiy") == "x***y"
    assert Redactor(["aaaa"]).redact("aaaaaa-") == "***-"


def test_every_line_of_a_key_is_masked_by_itself() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n"
    redactor = Redactor([key])
    assert [redactor.redact(line) for line in ("MIIEvQIBADANBgkq", "other")] == ["***", "other"]


@given(st.lists(_values, max_size=5), st.lists(st.text(max_size=8), max_size=6))
@example(["0000"], ["0", "00"])
def test_no_value_is_left_in_any_text(values: list[str], between: list[str]) -> None:
    text = "".join(part for pair in zip(between, [*values, *between], strict=False) for part in pair)
    redacted = Redactor(values).redact(text)
    assert not [value for value in values if value in redacted]


def test_text_without_secrets_is_not_touched() -> None:
    redactor = Redactor([SECRET, "hunter2hunter2", "line one\nok\nline three"])
    for line in ("", "hunter2", "ok", "p@ss", "one line", "aGVsbG8gd29ybGQ=", "https://host/p%40ss?x=***"):
        assert redactor.redact(line) == line


def test_values_may_be_added_while_others_redact() -> None:
    redactor = Redactor()
    values = [f"secret-{n:03d}-{w}" for n in range(20) for w in "ab"]

    def add(mine: list[str]) -> None:
        for value in mine:
            redactor.add(value)
            assert redactor.redact(value) == "***"

    threads = [threading.Thread(target=add, args=(values[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redactor.redact(" ".join(values)) == " ".join(["***"] * len(values))

"""Glob patterns match what CodePipeline documents, and nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.definition.patterns import compiled, matches


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("main", "main", True),
        ("main", "maintenance", False),
        ("main", "Main", False),
        ("release/*", "release/1.0", True),
        ("release/*", "release/1/0", False),
        ("release/*", "release/", True),
        ("*", "feature/a", False),
        ("**", "feature/a", True),
        ("**", "", True),
        ("src/**", "src/a/b.py", True),
        ("src/**", "src", False),
        ("src/**", "lib/src/a", False),
        ("**/*.md", "docs/a.md", True),
        ("**/*.md", "a/b/c.md", True),
        ("**/*.md", "README.md", False),
        ("**.md", "README.md", True),
        ("***", "a/b", True),
        ("v?", "v1", True),
        ("v?", "v10", False),
        ("a?b", "a/b", False),
        ("v[0-9]", "v7", True),
        ("v[0-9]", "vx", False),
        ("[!a]b", "cb", True),
        ("[!a]b", "ab", False),
        ("[!a]b", "/b", False),
        ("[-a]", "-", True),
        ("[!-a]", "-", False),
        ("[a-]", "-", True),
        ("[^a]", "^", True),
        ("[^a]", "b", False),
        ("[*?\\]", "\\", True),
        ("[*?\\]", "*", True),
        ("{main,dev}", "dev", True),
        ("{main,dev}", "mainx", False),
        ("{a*,b/**}", "b/c/d", True),
        ("x{,y}", "x", True),
        ("a,b}", "a,b}", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("\\{a,b\\}", "{a,b}", True),
        ("a.b", "axb", False),
        ("(a|b)+$", "(a|b)+$", True),
        ("*", ".hidden", True),
        ("a*", "a\nb", True),
    ],
)
def test_a_pattern_matches_the_whole_value(pattern: str, value: str, expected: bool) -> None:
    assert matches(pattern, value) is expected


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("[a", "not closed"),
        ("{a,b", "not closed"),
        ("{a,{b,c}}", "nested"),
        ("a\\", "backslash"),
        ("[]", "empty"),
        ("[z-a]", "backwards"),
    ],
)
def test_what_cannot_be_read_says_why(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compiled(pattern)


@given(st.text())
def test_any_text_is_a_pattern_or_refused(pattern: str) -> None:
    with contextlib.suppress(ValueError):  # a pattern that re cannot take would be re.error, which is none
        compiled(pattern)


@given(st.text(st.characters(exclude_characters="*?[]{}\\")))
def test_plain_text_matches_itself_alone(text: str) -> None:
    assert matches(text, text)
    assert not matches(text, text + "x")

"""Artifact patterns against a model that knows nothing of regular expressions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.build import globs


def model(pattern: list[str], path: list[str]) -> bool:
    """Whether the segments of `path` fit those of `pattern`, by trying every way; `**` is a segment of its own here."""
    if not pattern:
        return not path
    head, *rest = pattern
    if head == "**":
        if not rest:
            return bool(path)
        return any(model(rest, path[skipped:]) for skipped in range(len(path) + 1))
    return bool(path) and segment(head, path[0]) and model(rest, path[1:])


def segment(pattern: str, name: str) -> bool:
    """Whether one segment fits, `*` being any run of characters (but a whole name is never empty)."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return segment(pattern[1:], name) or (bool(name) and segment(pattern, name[1:]))
    return bool(name) and pattern[0] == name[0] and segment(pattern[1:], name[1:])


NAMES = st.text("ab.*-", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES.map(lambda name: name.replace("*", "c")), min_size=1, max_size=4)
PATTERNS = st.lists(st.one_of(st.just("**"), NAMES.filter(lambda name: "**" not in name)), min_size=1, max_size=4)


@settings(max_examples=1500)
@given(PATTERNS, PATHS)
def test_patterns_select_what_the_model_selects(pattern: list[str], path: list[str]) -> None:
    assert globs.matches("/".join(pattern), "/".join(path)) == model(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("my-file.jar", ["my-file.jar"], ["dir/my-file.jar", "my-file.jar.txt"]),
        ("dir/my-file.jar", ["dir/my-file.jar"], ["my-file.jar", "x/dir/my-file.jar"]),
        ("**/*", ["a", ".hidden", "a/b", "a/.b/c"], []),
        ("dir/*", ["dir/a", "dir/.a"], ["dir/a/b", "dir", "a"]),
        ("dir/**/*", ["dir/a", "dir/a/b/c"], ["a", "dir"]),
        ("dir/**", ["dir/a", "dir/a/b/c"], ["a", "dir"]),
        ("**/.*", [".a", "x/.a"], ["a", ".git/config"]),
        ("**/*.py", ["a.py", "x/y/a.py"], ["a.pyc"]),
        ("a**b", ["ab", "axb", "a/x/b"], ["a/x/c"]),
        ("./src//x/", ["src/x"], []),
        ("pages/[id].js", ["pages/[id].js"], ["pages/i.js"]),
        ("a?.txt", ["a?.txt"], ["ab.txt"]),
    ],
)
def test_the_forms_of_the_reference(pattern: str, fitting: list[str], other: list[str]) -> None:
    assert [path for path in fitting if not globs.matches(pattern, path)] == []
    assert [path for path in other if globs.matches(pattern, path)] == []


@pytest.mark.parametrize(
    ("pattern", "start"), [("*", ""), ("a/b/*.py", "a/b"), ("a/*/c", "a"), ("a/b", "a"), ("**/x", ""), ("a/b*/c", "a")]
)
def test_a_search_begins_where_the_pattern_is_fixed(pattern: str, start: str) -> None:
    assert globs.fixed_part(pattern) == start

"""Documents: plain data, and the place of every value and key."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.document import Path, dotted, parse_bytes, parse_json, parse_yaml, suggest
from core.errors import InvalidInput
from core.source import Location

PIPELINE = """\
version: 0.2
stages:
  - name: Source
    actions:
      - {name: Checkout, provider: Git}
  - name: Build   # two keys
    run: |
      make
empty:
"""


def mistakes(text: str | bytes, *, cloudformation: bool = False) -> list[str]:
    """The messages for a YAML text that must be refused, each starting with line:column."""
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(text, "f.yaml", cloudformation=cloudformation)
    assert caught.value.diagnostics
    return [str(diagnostic).removeprefix("f.yaml:") for diagnostic in caught.value.diagnostics]


def json_mistake(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_json(text, "f.json")
    return "\n".join(str(diagnostic).removeprefix("f.json:") for diagnostic in caught.value.diagnostics)


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (1, 1), (1, 1)),
        (("version",), (1, 10), (1, 1)),
        (("stages",), (3, 3), (2, 1)),
        (("stages", 0), (3, 5), (3, 5)),
        (("stages", 0, "actions", 0, "provider"), (5, 36), (5, 26)),
        (("stages", 1, "name"), (6, 11), (6, 5)),
        (("stages", 1, "run"), (7, 10), (7, 5)),
    ],
)
def test_every_value_and_key_has_its_place(path: Path, value: tuple[int, int], key: tuple[int, int]) -> None:
    document = parse_yaml(PIPELINE, "p.yaml")
    assert document.location(path) == Location("p.yaml", *value)
    assert document.key_location(path) == Location("p.yaml", *key)


def test_a_path_that_is_not_there_has_the_place_of_its_nearest_ancestor() -> None:
    document = parse_yaml(PIPELINE, "p.yaml")
    assert document.location(("stages", 1, "onFailure", "result")) == document.location(("stages", 1))
    assert document.location(("stages", 7)) == document.location(("stages",))
    assert document.key_location(("stages", 7)) == document.key_location(("stages",))
    assert document.location(("version", "x")) == document.location(("version",))


def test_scalars_are_read_as_aws_reads_them() -> None:
    text = (
        "a: 0.2\nb: yes\nc: 0600\nd: 2012-10-17\ne: '1'\nf: ~\ng: 1e3\nh: 1.5e+3\ni: Off\nj: !!str 5\nk: 12:30:00Z\nl:"
    )
    assert parse_yaml(text, "f").data == {
        "a": 0.2,
        "b": True,
        "c": 0o600,
        "d": "2012-10-17",
        "e": "1",
        "f": None,
        "g": "1e3",
        "h": 1500.0,
        "i": False,
        "j": "5",
        "k": "12:30:00Z",
        "l": None,
    }


def test_an_empty_text_is_none() -> None:
    assert parse_yaml("", "f").data is None
    assert parse_yaml("# only a comment\n", "f").data is None
    assert parse_yaml("", "f").location(("x",)) == Location("f", 1, 1)


def test_a_byte_order_mark_is_not_part_of_the_text() -> None:
    assert parse_yaml("\ufeffa: 1", "f").data == {"a": 1}
    assert parse_bytes(b"\xef\xbb\xbf{}", "f.json").data == {}


def test_aliases_and_merge_keys_give_values_of_their_own() -> None:
    document = parse_yaml("base: &b {x: [1], y: 2}\nuse:\n  <<: *b\n  y: 3\nsame: *b\n", "f")
    assert document.data["use"] == {"x": [1], "y": 3}
    document.data["same"]["x"].append(9)
    assert document.data["base"]["x"] == [1]
    assert document.data["use"]["x"] == [1]
    assert document.location(("use", "x", 0)) == Location("f", 1, 15)
    assert document.location(("use", "y")) == Location("f", 4, 6)


def test_every_duplicate_key_is_reported_at_once() -> None:
    assert mistakes("a: 1\na: 2\nb: {c: 1, c: 2}\n") == [
        "2:1: error: the key 'a' is here twice; the first is at line 1",
        "3:11: error: the key 'c' is here twice; the first is at line 3",
    ]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1, 2", "2:1", ""),
        ("a: b: c", "1:5", "check the indentation"),
        ("a:\n\tb: 1", "2:1", "spaces, not tabs"),
        ("1: x", "1:1", 'write it as "1"'),
        ("on: x", "1:1", 'write it as "on"'),
        ("? [a, b]\n: x", "1:3", "a key must be text"),
        ("a\n---\nb", "2:1", "second document"),
        ("a: *nobody", "1:4", "no anchor"),
        ("a: &a [*a]", "1:8", "inside the value"),
        ("a: !!python/object:os.system x", "1:4", "tag !!python/object:os.system is not known"),
        ("a: !Ref x", "1:4", "CloudFormation templates"),
        ("a: .inf", "1:4", "write it in quotes"),
        ("a: !!int many", "1:4", "no int"),
        ("a: " + "9" * 5000, "1:4", "no int"),
        ("a: x\0y", "1:5", "U+0000"),
        ("a: \x07", "1:4", "U+0007"),
        ('a: "\\0"', "1:4", "NUL"),
        ("<<: 5\na: 1", "1:1", "merges a mapping"),
        ("[" * 200 + "]" * 200, "1:101", "deeper than 100"),
    ],
)
def test_a_mistake_is_shown_at_its_place(text: str, place: str, words: str) -> None:
    (message,) = mistakes(text)
    assert message.startswith(f"{place}: error: ")
    assert words in message


def test_text_that_is_not_utf8_is_shown_where_it_stops_being_so() -> None:
    assert mistakes(b"a: 1\nb: \xe9t\xe9\n") == ["2:4: error: the file is not UTF-8 text; save it as UTF-8"]


def test_a_bomb_of_aliases_is_refused_without_being_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    (message,) = mistakes("\n".join(lines))
    assert "stand for more than" in message


def test_cloudformation_short_tags_are_the_long_functions() -> None:
    text = """\
Resources:
  F:
    Name: !Sub "${Stack}-f"
    Role: !GetAtt Role.Arn.x
    Also: !GetAtt [Role, Arn]
    Code: !If [Small, !Ref A, {Ref: B}]
    200: !Base64 5
"""
    document = parse_yaml(text, "t", cloudformation=True)
    assert document.data["Resources"]["F"] == {
        "Name": {"Fn::Sub": "${Stack}-f"},
        "Role": {"Fn::GetAtt": ["Role", "Arn.x"]},
        "Also": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"Fn::If": ["Small", {"Ref": "A"}, {"Ref": "B"}]},
        "200": {"Fn::Base64": "5"},
    }
    assert document.location(("Resources", "F", "Code", "Fn::If", 1, "Ref")) == Location("t", 6, 23)
    assert mistakes("a: !Nope x", cloudformation=True) == ["1:4: error: the tag !Nope is not known here"]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('{"a": 1, "a": 2}', "1:10", "here twice"),
        ('{"a": 1,}', "1:9", "key in double quotes"),
        ('{"a" 1}', "1:6", "':' is expected"),
        ("[1 2]", "1:4", "',' is expected"),
        ("", "1:1", "ends before"),
        ("[1,\n 2", "2:3", "',' is expected"),
        ("{} x", "1:4", "after the end"),
        ("[01]", "1:3", "',' is expected"),
        ("[NaN]", "1:2", "a value is expected"),
        ("[1e999]", "1:2", "too large"),
        ('["\\x"]', "1:3", "escape"),
        ('["abc', "1:2", "unterminated"),
        ('["\\ud800"]', "1:2", "no character"),
        ("[" * 101, "1:101", "deeper than 100"),
        ("[" + "9" * 2000 + "]", "1:2", "too long"),
        ("// no", "1:1", "a value is expected"),
    ],
)
def test_json_is_strict(text: str, place: str, words: str) -> None:
    message = json_mistake(text)
    assert message.startswith(f"{place}: error: ")
    assert words in message


def test_the_name_says_which_format_it_is() -> None:
    assert parse_bytes(b"a: 1", "x.yml").data == {"a": 1}
    with pytest.raises(InvalidInput):
        parse_bytes(b"a: 1", "x.json")


def test_a_path_is_written_with_dots_and_brackets() -> None:
    assert dotted(("stages", 2, "actions", 0, "provider")) == "stages[2].actions[0].provider"
    assert dotted(("a", "b.c", "d")) == 'a["b.c"].d'
    assert dotted(()) == ""


def test_a_near_word_is_suggested_and_a_far_one_is_not() -> None:
    assert suggest("provder", ["name", "provider"]) == "did you mean 'provider'?"
    assert suggest("CODEBUILD", ["CodeBuild", "CodeDeploy"]) == "did you mean 'CodeBuild'?"
    assert suggest("xyz", ["name", "provider"]) == ""


# What text editors and both formats can hold; keys are words so that YAML reads them as text.
_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="\ufeff"))
_keys = st.text(string.ascii_letters, min_size=1, max_size=6).map(lambda word: "k" + word)
_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=15,
)


def paths(data: Any, here: Path = ()) -> list[Path]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [here, *(path for step, value in inner for path in paths(value, (*here, step)))]


def at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


@given(_data, st.sampled_from([None, 1, 3]))
def test_json_reads_what_was_written_and_every_place_holds_its_value(data: Any, indent: int | None) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    document = parse_json(text, "f")
    assert document.data == data
    lines = text.split("\n")
    for path in paths(data):
        place = document.location(path)
        rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
        assert json.JSONDecoder().raw_decode(rest)[0] == at(data, path)


@given(_data, st.booleans())
def test_yaml_reads_what_was_written_and_every_key_is_where_it_says(data: Any, flow: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)
    document = parse_yaml(text, "f")
    assert document.data == data
    lines = text.split("\n")
    for path in paths(data):
        place = document.key_location(path)
        if path and isinstance(path[-1], str):
            assert lines[place.line - 1][place.column - 1 :].startswith(path[-1])


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    for parse in (parse_yaml, parse_json):
        try:
            document = parse(text, "f")
        except InvalidInput as error:
            assert error.diagnostics  # noqa: PT017
            assert all(min(m.location.line, m.location.column) >= 1 for m in error.diagnostics)  # noqa: PT017
        else:
            json.dumps(document.data, allow_nan=False)


@given(st.text(alphabet="ab:-&*!<>[]{}'\"\n #?|1.,%@`~\t", max_size=40))
def test_yaml_full_of_signs_is_read_or_refused_with_a_place(text: str) -> None:
    for cloudformation in (False, True):
        try:
            json.dumps(parse_yaml(text, "f", cloudformation=cloudformation).data, allow_nan=False)
        except InvalidInput as error:
            assert error.diagnostics  # noqa: PT017

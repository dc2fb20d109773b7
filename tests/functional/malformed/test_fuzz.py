"""Whatever stands in a pipeline file, it is either good or refused as invalid input; nothing else ever happens."""

from __future__ import annotations

import json
import random
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from pipelines.definition import load
from tests.fakes.catalog import NAMES, catalog
from tests.functional.malformed.mutations import GOOD

TEXT = GOOD.read_text(encoding="utf-8")
DATA = yaml.safe_load(TEXT)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["#{variables.level}", "#{Build.X}", "#{", "Git", "Commands", "QUEUED", "Source", "local", "0 0 * * *"]
    ),
)
KEYS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["version", "name", "stages", "actions", "provider", "configuration", "commands", "variables", "targets",
         "target", "triggers", "push", "schedule", "cron", "timezone", "branches", "includes", "inputArtifacts",
         "runOrder", "[key]", "outputArtifacts", "namespace", "onFailure", "result", "executionMode",
         "timeoutInMinutes"]
    ),
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=25,
)
DOCUMENTS = st.dictionaries(KEYS, TREES, max_size=8)


def judged(text: str) -> bool:
    """Whether `text` is good. Fails the test unless a bad one is refused in printable words with places."""
    error = refusal(text)
    if error is None:
        return True
    assert error.exit_code == 2
    assert error.diagnostics
    for diagnostic in error.diagnostics:
        assert 1 <= diagnostic.location.line <= len(text.splitlines()) + 1
        str(diagnostic).encode("utf-8")
    return False


def refusal(text: str) -> InvalidInput | None:
    """The refusal of `text`, None when it is good; anything else that is raised fails the test."""
    try:
        load(text, "p.yaml", catalog=catalog, provider_names=NAMES)
    except InvalidInput as error:
        return error
    return None


def places(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of everything inside `data`."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for step, item in items for found in ((*path, step), *places(item, (*path, step)))]


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text(text: str) -> None:
    judged(text)


@given(DOCUMENTS)
@settings(max_examples=150, deadline=None)
def test_any_data_as_json(data: dict[str, Any]) -> None:
    judged(json.dumps(data))


@given(DOCUMENTS)
@settings(max_examples=100, deadline=None)
def test_any_data_as_yaml(data: dict[str, Any]) -> None:
    judged(yaml.safe_dump(data, allow_unicode=True))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_good_file_with_something_else_in_one_place(data: st.DataObject) -> None:
    spoilt = json.loads(json.dumps(DATA))
    path = data.draw(st.sampled_from(places(spoilt)))
    holder = spoilt
    for step in path[:-1]:
        holder = holder[step]
    if data.draw(st.booleans()):
        holder[path[-1]] = data.draw(TREES)
    else:
        del holder[path[-1]]
    judged(json.dumps(spoilt))


@given(st.integers(min_value=0, max_value=2**32))
@settings(max_examples=200, deadline=None)
def test_a_good_file_with_random_edits_of_its_text(seed: int) -> None:
    rng = random.Random(seed)
    text = TEXT
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text))
        end = min(len(text), start + rng.choice((0, 1, 1, 3, 20)))
        other = rng.randrange(len(text))
        piece = rng.choice(
            (
                "",
                " ",
                "\n",
                ":",
                "- ",
                "'",
                '"',
                "[",
                "}",
                "#{",
                "&a",
                "*a",
                "0x" + "f" * 5000,
                text[other : other + 12],
            )
        )
        text = text[:start] + piece + text[end:]
    judged(text)


def test_numbers_too_long_to_print_are_refused_in_words() -> None:
    assert not judged(TEXT.replace("bakeSeconds: 5", f"bakeSeconds: 0x{'f' * 5000}"))
    assert not judged(TEXT.replace("version: 1", f"version: 0x{'f' * 5000}"))
    assert not judged(TEXT.replace("version: 1", f"version: {'9' * 5000}"))


def test_the_fuzz_starts_from_a_good_file() -> None:
    assert judged(TEXT)
    assert judged(json.dumps(DATA))

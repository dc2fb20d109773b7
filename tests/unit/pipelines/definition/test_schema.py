"""The JSON Schema agrees with the parser about everything a schema can say."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from pipelines.definition import schema
from pipelines.definition.shape import adapter
from tests.functional.malformed.mutations import MUTATIONS

GOOD = yaml.safe_load((Path(__file__).parents[3] / "data" / "pipelines" / "good.yaml").read_text(encoding="utf-8"))
ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, 1.0, 10**6, "", "has blank", "x" * 3000, [], {}, [1], ["x"], {"x": "y"},
)  # fmt: skip
# Two stages show every kind of key.
SMALL = GOOD | {"stages": GOOD["stages"][:2]}
VALIDATOR = Draft202012Validator(schema())

# What the schema says of a trigger's number of keys and their combination, the checks say in words.
CHECKED = ("minProperties", "maxProperties", "oneOf")


def shape_accepts(data: Any) -> bool:
    try:
        adapter().validate_python(data)
    except ValidationError:
        return False
    return True


def schema_accepts(data: Any) -> bool:
    return all(
        error.validator in CHECKED and error.absolute_path[0] == "triggers" for error in VALIDATOR.iter_errors(data)
    )


def variants(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    """Every small change of `data`: one value replaced, one key or item removed, one key added."""
    items = list(data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ())
    if isinstance(data, dict):
        yield path, "added", "surprise"
    for step, item in items:
        yield (*path, step), "removed", None
        for odd in ODD_VALUES:
            yield (*path, step), "replaced", odd
        yield from variants(item, (*path, step))


def applied(path: tuple[Any, ...], how: str, value: Any) -> Any:
    data = copy.deepcopy(SMALL)
    holder = data
    for step in path if how == "added" else path[:-1]:
        holder = holder[step]
    if how == "added":
        holder[value] = 1
    elif how == "removed":
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return data


def test_it_is_a_schema_of_the_latest_draft() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_accepts_good_files() -> None:
    VALIDATOR.validate(GOOD)
    root = yaml.safe_load((Path(__file__).parents[4] / "pipeline.yaml").read_text(encoding="utf-8"))
    VALIDATOR.validate(root)


def test_it_and_the_parser_agree_on_every_small_change_of_a_good_file() -> None:
    disagreements = []
    count = 0
    for path, how, value in variants(SMALL):
        if "configuration" in path[:-1]:
            continue  # what is inside is the provider's matter
        count += 1
        data = applied(path, how, value)
        if shape_accepts(data) != schema_accepts(data):
            disagreements.append((path, how, value))
    assert disagreements == []
    assert count > 900


@pytest.mark.parametrize(
    "name",
    [
        "unknown top key", "unknown stage key", "no name", "no provider", "empty stages", "other version",
        "name with a blank", "unknown execution mode", "variables as a list", "variable name", "region", "endpoint",
        "pattern as number", "run order zero", "timeout negative", "failure result", "artifact in long form",
        "environment as a list", "empty filter", "tags beside branches", "files alone", "two keys in a trigger",
        "webhook", "entry condition",
    ],
)  # fmt: skip
def test_it_refuses_malformed_files(name: str) -> None:
    mutation = next(mutation for mutation in MUTATIONS if mutation.name == name)
    text = (Path(__file__).parents[3] / "data" / "pipelines" / "good.yaml").read_text(encoding="utf-8")
    assert not VALIDATOR.is_valid(yaml.safe_load(mutation.apply(text)))

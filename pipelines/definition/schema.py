"""The JSON Schema of a pipeline.yaml, for editors. Accepts what the parser accepts as far as a schema can tell."""

from __future__ import annotations

from typing import Any

from pipelines.definition.shape import adapter

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of the whole file."""
    generated = _tidied(adapter().json_schema())
    return {"$schema": _DIALECT, **generated, "title": "Penstock pipeline"}


def _tidied(value: Any) -> Any:
    """`value` without generated titles, and with mappings closed to keys that match no pattern."""
    if isinstance(value, list):
        return [_tidied(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = ("properties", "patternProperties", "$defs")
    tidied = {
        key: {name: _tidied(inner) for name, inner in item.items()} if key in named else _tidied(item)
        for key, item in value.items()
        if key != "title"
    }
    if "patternProperties" in tidied:
        tidied["additionalProperties"] = False
    return tidied

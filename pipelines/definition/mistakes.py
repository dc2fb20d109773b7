"""A mistake in a document, and pydantic's findings put in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.document import Document, Path, dotted, suggest
from core.source import Diagnostic
from pipelines.definition.shape import PATTERN_WORDS

KnownKeys = Callable[[Path], Iterable[str]]

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "none_required": "null",
}

_BOUNDS = {
    "string_too_short": "must not be empty",
    "string_too_long": "is {size} characters long, the most is {max_length}",
    "too_short": "needs at least {min_length}, has {actual_length}",
    "too_long": "has {size}, the most is {max_length}",
    "greater_than": "must be greater than {gt}, not {shown}",
    "greater_than_equal": "must be at least {ge}, not {shown}",
    "less_than": "must be less than {lt}, not {shown}",
    "less_than_equal": "must be at most {le}, not {shown}",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with the value at `path`, or with its key itself (`at_key`)."""

    path: Path
    what: str
    hint: str = ""
    at_key: bool = False

    def diagnostic(self, document: Document) -> Diagnostic:
        """This mistake with its place in the file."""
        location = document.key_location(self.path) if self.at_key else document.location(self.path)
        return Diagnostic(location, self.what, dotted(self.path), self.hint)


def from_pydantic(errors: Sequence[Mapping[str, Any]], data: Any, known_keys: KnownKeys) -> list[Mistake]:
    """`ValidationError.errors()` about `data` as mistakes; `known_keys(path)` are the keys a mapping may have.

    Where a value may have one of several types, only what concerns the type it has is kept.
    """
    found: list[Mistake] = []
    wanted: dict[Path, list[str]] = {}
    deeper = {place(error, data)[0] for error in errors if error["type"] not in _TYPES}
    for error in errors:
        path, at_key = place(error, data)
        if error["type"] in _TYPES and not at_key:
            if not any(other[: len(path)] == path for other in deeper):
                wanted.setdefault(path, []).append(_TYPES[error["type"]])
            continue
        found.append(_mistake(error, path, at_key, known_keys))
    for path, types in wanted.items():
        if not any(path != other and other[: len(path)] == path for other in wanted):
            value = value_at(data, path)
            kinds = " or ".join(dict.fromkeys(types))
            found.append(Mistake(path, f"must be {kinds}, not {shown(value)}", _type_hint(types, value)))
    return found


def place(error: Mapping[str, Any], data: Any) -> tuple[Path, bool]:
    """Where in `data` one of pydantic's errors belongs, and whether it is about the key there.

    An unknown or impossible key is the key itself; a missing one is the mapping that misses it. Names of union
    members and validators, which pydantic adds, are left out.
    """
    loc = error["loc"]
    if loc and loc[-1] == "[key]":
        path = _present(loc[:-1], data)
        holder = value_at(data, path)
        if not (isinstance(holder, dict) and "[key]" in holder):  # a key may really be called so
            return path, True
    return _present(loc, data), error["type"] == "extra_forbidden"


def value_at(data: Any, path: Path) -> Any:
    """What stands at the existing `path` of `data`."""
    for step in path:
        data = data[step]
    return data


def shown(value: Any) -> str:
    """`value` for a message: short, on one line."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a very large number"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}…{text[-1]}"


def _present(loc: Iterable[str | int], data: Any) -> Path:
    path: Path = ()
    for step in loc:
        known = step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))
        if known:
            data, path = data[step], (*path, step)
    return path


def _mistake(error: Mapping[str, Any], path: Path, at_key: bool, known_keys: KnownKeys) -> Mistake:
    kind, facts = error["type"], error.get("ctx", {})
    value = path[-1] if at_key else error["input"]
    if kind == "missing":
        key = error["loc"][-1]
        return Mistake(path, f"the key '{key}' is missing", f"add '{key}'")
    if kind == "extra_forbidden":
        known = tuple(known_keys(path[:-1]))
        hint = suggest(str(value), known) or (f"known here: {', '.join(known)}" if known else "")
        return Mistake(path, f"unknown key {shown(value)}", hint, at_key)
    if kind in ("literal_error", "enum"):
        options = [part.strip().strip("'") for part in str(facts["expected"]).replace(" or ", ", ").split(",")]
        near = suggest(value, options) if isinstance(value, str) else ""
        return Mistake(path, f"must be one of {', '.join(options)}, not {shown(value)}", near, at_key)
    if kind == "string_pattern_mismatch":
        pattern = facts["pattern"]
        return Mistake(path, f"{shown(value)} {PATTERN_WORDS.get(pattern, f'must match {pattern}')}", "", at_key)
    if kind in _BOUNDS:
        size = len(value) if isinstance(value, (str, list, dict)) else 0
        return Mistake(path, _BOUNDS[kind].format(shown=shown(value), size=size, **facts), "", at_key)
    if kind in _TYPES:
        return Mistake(path, f"a key must be {_TYPES[kind]}, not {shown(value)}", "", at_key)
    what, _, hint = str(error["msg"]).removeprefix("Value error, ").partition("; ")
    return Mistake(path, what, hint, at_key)


def _type_hint(types: Sequence[str], value: Any) -> str:
    if "text" in types and isinstance(value, (int, float)):
        return "put it in quotes"
    if value is None:
        return "give it a value, or leave the key out"
    return ""

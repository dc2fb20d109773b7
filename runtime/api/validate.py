"""The constraints a service model states (required, length, range, pattern, enum), checked with AWS's messages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

from runtime.api.errors import ApiError

_SENSITIVE = "***"
"""What a message shows instead of a value the model marks as sensitive."""


def check(shape: Any, parameters: Mapping[str, Any], *, skip: Collection[str] = ()) -> None:
    """Nothing when `parameters` keep every constraint; members named in `skip` are checked elsewhere.

    Raises:
        ApiError: ValidationException listing all violations. Source: "N validation errors detected: Value 'x' at
            'memberName' failed to satisfy constraint: Member must …" as Lambda's front end words them.
    """
    if shape is None:
        return
    found = list(_structure(shape, parameters, "", skip))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise ApiError("ValidationException", count + "; ".join(found))


def _structure(shape: Any, value: Mapping[str, Any], where: str, skip: Collection[str] = ()) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None and name not in skip:
            yield _message(None, _join(where, name), "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None and name not in skip:
            yield from _member(member, value[name], _join(where, name))


def _member(shape: Any, value: Any, where: str) -> Iterator[str]:
    if shape.type_name == "structure":
        yield from _structure(shape, value, where)
    elif shape.type_name == "list":
        yield from _length(shape, len(value), value, where)
        for index, item in enumerate(value):
            yield from _member(shape.member, item, f"{where}.{index + 1}.member")
    elif shape.type_name == "map":
        yield from _length(shape, len(value), _SENSITIVE if shape.metadata.get("sensitive") else value, where)
        for key, item in value.items():
            yield from _member(shape.key, key, where)
            yield from _member(shape.value, item, f"{where}.{key}.member")
    elif shape.type_name == "string":
        yield from _string(shape, value, where)
    elif shape.type_name == "blob":
        yield from _length(shape, len(value), "java.nio.HeapByteBuffer", where)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        yield from _range(shape, value, where)


def _string(shape: Any, value: str, where: str) -> Iterator[str]:
    shown = _SENSITIVE if shape.metadata.get("sensitive") else value
    yield from _length(shape, len(value), shown, where)
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and compiled.fullmatch(value) is None:
        yield _message(shown, where, f"Member must satisfy regular expression pattern: {pattern}")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _message(shown, where, f"Member must satisfy enum value set: [{', '.join(allowed)}]")


def _length(shape: Any, length: int, value: Any, where: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and length < low:
        yield _message(value, where, f"Member must have length greater than or equal to {low}")
    if high is not None and length > high:
        yield _message(value, where, f"Member must have length less than or equal to {high}")


def _range(shape: Any, value: float, where: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield _message(value, where, f"Member must have value greater than or equal to {low}")
    if high is not None and value > high:
        yield _message(value, where, f"Member must have value less than or equal to {high}")


def _message(value: Any, where: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{where}' failed to satisfy constraint: {constraint}"


def _join(where: str, name: str) -> str:
    camel = name[0].lower() + name[1:]
    return f"{where}.{camel}" if where else camel


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """`pattern` for Python; None for the few that use Java's own classes (`\\p{L}` in tags), which are not checked."""
    try:
        return re.compile(pattern)
    except re.error:
        return None

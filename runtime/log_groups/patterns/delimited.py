"""Patterns for space-delimited events: `[ip, ..., status = 4* && status != 404, bytes > 1000]`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runtime.log_groups.patterns.reader import Reader, tokens
from runtime.log_groups.patterns.values import compare, invalid

_FIELD = re.compile(r"\[([^\]]*)\]|\"([^\"]*)\"|(\S+)")
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_ELLIPSIS = "..."

Condition = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the pattern; `name` is empty for an unnamed one."""

    name: str
    holds: Condition


def delimited(text: str) -> Callable[[str], Mapping[str, str] | None]:
    """What tells whether an event fulfils the pattern `text` (with its brackets), with the event's fields.

    Raises:
        ApiError: the pattern cannot be read.
    """
    if not text.endswith("]"):
        raise invalid("The filter pattern's bracket is not closed")
    parts = [part.strip() for part in _split(text[1:-1])]
    dots = [index for index, part in enumerate(parts) if part == _ELLIPSIS]
    if len(dots) > 1:
        raise invalid("A filter pattern has one ellipsis at most")
    before = [_column(part) for part in parts[: dots[0]]] if dots else [_column(part) for part in parts]
    after = [_column(part) for part in parts[dots[0] + 1 :]] if dots else []

    def match(message: str) -> Mapping[str, str] | None:
        found = fields(message)
        between = len(found) - len(before) - len(after)
        if between < 0 or (between and not dots):
            return None
        columns = [*before, *[Column("", lambda _: True)] * between, *after]
        if not all(column.holds(value) for column, value in zip(columns, found, strict=True)):
            return None
        return {
            f"${column.name or number}": value
            for number, (column, value) in enumerate(zip(columns, found, strict=True), 1)
        }

    return match


def fields(message: str) -> list[str]:
    """The fields of an event; what stands in brackets or double quotes is one."""
    return [bracketed or quoted or word for bracketed, quoted, word in _FIELD.findall(message)]


def _split(text: str) -> list[str]:
    """`text` at its commas, but for those in quotes."""
    return re.findall(r"(?:^|,)((?:[^,\"%]|\"[^\"]*\"|%[^%]*%)*)", text) if text.strip() else []


def _column(text: str) -> Column:
    pieces = tokens(text)
    if not pieces:
        return Column("", lambda _: True)
    if len(pieces) == 1 and pieces[0].kind == "word":
        return Column(_name(pieces[0].text), lambda _: True)
    names: set[str] = set()

    def leaf(reader: Reader[Condition]) -> Condition:
        names.add(_name(reader.next().text))
        sign, value = reader.sign(), reader.value()
        return lambda found: (value.is_any() and sign == "=") or compare(found, sign, value)

    condition = Reader(pieces, leaf, _join).whole()
    if len(names) != 1:
        raise invalid(f"The conditions of a field are on that field: '{text}'")
    return Column(names.pop(), condition)


def _join(sign: str, left: Condition, right: Condition) -> Condition:
    if sign == "&&":
        return lambda found: left(found) and right(found)
    return lambda found: left(found) or right(found)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise invalid(f"Invalid field name '{text}' in the filter pattern")
    return text.removeprefix("$")

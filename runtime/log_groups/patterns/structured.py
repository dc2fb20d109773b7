"""Patterns for JSON events: `{ ($.user.id = 1 || $.a[0] > 5) && $.b IS NULL }`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from runtime.log_groups.patterns.reader import Reader, tokens
from runtime.log_groups.patterns.values import Value, compare, invalid, shown
from runtime.reading import json_of

_SELECTOR = re.compile(r"\$(\.[\w-]+(\[\d+\])*|\[\d+\])+")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
_ABSENT = object()

Condition = Callable[[Any], "Mapping[str, str] | None"]
"""What a document gives: the values that were looked at when it fulfils the condition, else None."""


def structured(text: str) -> Callable[[str], Mapping[str, str] | None]:
    """What tells whether an event fulfils the pattern `text` (with its braces), with the values looked at.

    Raises:
        ApiError: the pattern cannot be read.
    """
    if not text.endswith("}"):
        raise invalid("The filter pattern's brace is not closed")
    condition = Reader(tokens(text[1:-1]), _leaf, _join).whole()

    def match(message: str) -> Mapping[str, str] | None:
        if not message.lstrip().startswith(("{", "[")):
            return None
        try:
            document = json_of(message)
        except ValueError:
            return None
        return condition(document)

    return match


def _leaf(reader: Reader[Condition]) -> Condition:
    piece = reader.next()
    selector = piece.text
    if piece.kind != "word" or not _SELECTOR.fullmatch(selector):
        raise invalid(f"Invalid property selector '{selector}' in the filter pattern")
    if reader.sees("NOT"):
        reader.next()
        if reader.next().text.upper() != "EXISTS":
            raise invalid("NOT is followed by EXISTS in a filter pattern")
        return lambda document: {} if at(document, selector) is _ABSENT else None
    if reader.sees("IS"):
        reader.next()
        return _is(selector, reader.next().text.upper())
    return _comparison(selector, reader.sign(), reader.value())


def _is(selector: str, word: str) -> Condition:
    constants = {"NULL": None, "TRUE": True, "FALSE": False}
    if word not in constants:
        raise invalid("IS is followed by NULL, TRUE or FALSE in a filter pattern")
    wanted = constants[word]
    return lambda document: {selector: word.lower()} if at(document, selector) is wanted else None


def _comparison(selector: str, sign: str, value: Value) -> Condition:
    def holds(document: Any) -> Mapping[str, str] | None:
        found = at(document, selector)
        if isinstance(found, bool) or not isinstance(found, (str, int, float)):
            return None
        known = found if isinstance(found, str) else float(found)
        if (value.is_any() and sign == "=") or compare(known, sign, value):
            return {selector: known if isinstance(known, str) else shown(known)}
        return None

    return holds


def _join(sign: str, left: Condition, right: Condition) -> Condition:
    def both(document: Any) -> Mapping[str, str] | None:
        first = left(document)
        second = right(document) if first is not None else None
        return {**first, **second} if first is not None and second is not None else None

    def either(document: Any) -> Mapping[str, str] | None:
        found = left(document)
        return right(document) if found is None else found

    return both if sign == "&&" else either


def at(document: Any, selector: str) -> Any:
    """What a selector (`$.users[0].id`) points to; a mark of its own when there is nothing."""
    found = document
    for name, index in _STEP.findall(selector):
        if name:
            if not isinstance(found, dict) or name not in found:
                return _ABSENT
            found = found[name]
        elif not isinstance(found, list) or int(index) >= len(found):
            return _ABSENT
        else:
            found = found[int(index)]
    return found

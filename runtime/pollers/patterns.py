"""Event patterns: EventBridge's grammar, of which Lambda's filters use a part. Pure.

A pattern is a tree of keys whose leaves are lists of conditions: all keys must match, and one condition of each list.
Source: reference §12, "Filter patterns", and EventBridge's "comparison operators".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.reading import json_of

MAX_CHARS = 4096
_NUMERIC_LIMIT = 5_000_000_000
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda value, limit: value == limit,
    "<": lambda value, limit: value < limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    ">=": lambda value, limit: value >= limit,
}
_MAX_NUMERIC_PARTS = 4

Test = Callable[[Any], bool]
"""Whether one scalar of the event satisfies a condition."""


class BadPattern(ValueError):
    """The pattern cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The conditions on one value: `tests` on its scalars, `absent` and `present` on whether it is there at all."""

    tests: tuple[Test, ...]
    absent: bool = False
    present: bool = False

    def matches(self, value: Any, *, there: bool) -> bool:
        """Whether the event's `value` satisfies one of them; `there` says whether the key exists."""
        scalars = list(_scalars(value)) if there else []
        if not scalars:
            return self.absent
        return self.present or any(test(scalar) for scalar in scalars for test in self.tests)


@dataclass(frozen=True, slots=True)
class Node:
    """A level of keys, all of which must match, and `alternatives` ("$or") of which one must."""

    keys: tuple[tuple[str, Node | Leaf], ...]
    alternatives: tuple[tuple[Node, ...], ...] = ()

    def matches(self, event: Any) -> bool:
        """Whether `event` (parsed JSON) matches; an array matches when one of its elements does."""
        if isinstance(event, list):
            return any(self.matches(element) for element in event)
        fields: Mapping[str, Any] = event if isinstance(event, dict) else {}
        return all(_key_matches(child, fields, key) for key, child in self.keys) and all(
            any(node.matches(event) for node in choices) for choices in self.alternatives
        )


def _key_matches(child: Node | Leaf, fields: Mapping[str, Any], key: str) -> bool:
    if isinstance(child, Leaf):
        return child.matches(fields.get(key), there=key in fields)
    return child.matches(fields.get(key))


def _scalars(value: Any) -> list[Any]:
    """The scalars `value` is made of: itself, or an array's; an object has none ("exists" is about leaves only)."""
    if isinstance(value, list):
        return [scalar for element in value for scalar in _scalars(element)]
    return [] if isinstance(value, dict) else [value]


# reading a pattern --------------------------------------------------------------------------------------------------


def parse(text: str) -> Node:
    """The pattern in `text`.

    Raises:
        BadPattern: too long, not JSON, or not a pattern.
    """
    if len(text) > MAX_CHARS:
        raise BadPattern(f"Pattern is longer than {MAX_CHARS} characters")
    try:
        data = json_of(text)
    except ValueError as error:
        raise BadPattern(f"Pattern is not valid JSON: {error}") from None
    return compiled(data)


def compiled(data: Any) -> Node:
    """The pattern that `data` (parsed JSON) states.

    Raises:
        BadPattern: not a pattern.
    """
    if not isinstance(data, dict):
        raise BadPattern("Filter is not an object")
    if not data:
        raise BadPattern("Empty event patterns are not allowed")
    keys: list[tuple[str, Node | Leaf]] = []
    alternatives: list[tuple[Node, ...]] = []
    for key, value in data.items():
        if key == "$or" and _are_alternatives(value):
            alternatives.append(tuple(compiled(each) for each in value))
        elif isinstance(value, dict):
            keys.append((key, compiled(value)))
        elif isinstance(value, list):
            keys.append((key, _leaf(key, value)))
        else:
            raise BadPattern(f'"{key}" must be an object or an array')
    return Node(tuple(keys), tuple(alternatives))


def _are_alternatives(value: Any) -> bool:
    """Whether `$or` is meant as the operator: a list of at least two objects that are no conditions themselves."""
    return isinstance(value, list) and len(value) > 1 and all(isinstance(each, dict) and each for each in value)


def _leaf(key: str, conditions: Sequence[Any]) -> Leaf:
    if not conditions:
        raise BadPattern(f"Empty arrays are not allowed: {key}")
    tests: list[Test] = []
    absent = present = False
    for condition in conditions:
        if isinstance(condition, dict) and "exists" in condition:
            wanted = _only(condition)[1]
            if not isinstance(wanted, bool):
                raise BadPattern("exists match pattern must be either true or false.")
            present, absent = present or wanted, absent or not wanted
        else:
            tests.append(_test(condition))
    return Leaf(tuple(tests), absent, present)


def _only(condition: Mapping[str, Any]) -> tuple[str, Any]:
    if len(condition) != 1:
        raise BadPattern("Only one key allowed in match expression")
    return next(iter(condition.items()))


def _test(condition: Any) -> Test:
    if isinstance(condition, list):
        raise BadPattern("Match value must be String, number, true, false, or null")
    if not isinstance(condition, dict):
        return _equals(condition)
    operator, argument = _only(condition)
    make = _OPERATORS.get(operator)
    if make is None:
        raise BadPattern(f"Unrecognized match type {operator}")
    return make(argument)


def _equals(wanted: Any) -> Test:
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    if isinstance(wanted, (int, float)):
        return lambda value: _is_number(value) and value == wanted
    return lambda value: isinstance(value, str) and value == wanted


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(argument: Any, operator: str) -> str:
    if not isinstance(argument, str):
        raise BadPattern(f"{operator} match pattern must be a string")
    return argument


def _ignore_case(argument: Any) -> Test:
    wanted = _text(argument, "equals-ignore-case").casefold()
    return lambda value: isinstance(value, str) and value.casefold() == wanted


def _affix(operator: str, ends: Callable[[str, str], bool]) -> Callable[[Any], Test]:
    """The test of `prefix` or `suffix`, whose argument may ask to ignore case."""

    def make(argument: Any) -> Test:
        if isinstance(argument, dict):
            name, inner = _only(argument)
            if name != "equals-ignore-case":
                raise BadPattern(f"Unsupported {operator} pattern: {name}")
            folded = _text(inner, operator).casefold()
            return lambda value: isinstance(value, str) and ends(value.casefold(), folded)
        wanted = _text(argument, operator)
        return lambda value: isinstance(value, str) and ends(value, wanted)

    return make


def _wildcard(argument: Any) -> Test:
    text = _text(argument, "wildcard")
    if "**" in text:
        raise BadPattern("Consecutive wildcard characters are not allowed")
    pieces = (re.escape(piece.replace("\0", "*")) for piece in text.replace("\\*", "\0").split("*"))
    compiled_text = re.compile(".*".join(pieces), re.DOTALL)
    return lambda value: isinstance(value, str) and compiled_text.fullmatch(value) is not None


def _cidr(argument: Any) -> Test:
    try:
        network = ipaddress.ip_network(_text(argument, "cidr"), strict=False)
    except ValueError:
        raise BadPattern(f"Malformed CIDR: {argument}") from None

    def inside(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return inside


def _numeric(argument: Any) -> Test:
    parts = argument if isinstance(argument, list) else []
    if len(parts) not in {2, _MAX_NUMERIC_PARTS}:
        raise BadPattern("Value of numeric must be an array of one or two comparisons")
    checks: list[tuple[Callable[[float, float], bool], float]] = []
    for operator, limit in zip(parts[::2], parts[1::2], strict=True):
        if not isinstance(operator, str) or operator not in _COMPARISONS:
            raise BadPattern(f"Unrecognized numeric range operator: {operator}")
        if not _is_number(limit) or not -_NUMERIC_LIMIT <= limit <= _NUMERIC_LIMIT:
            raise BadPattern(f"Value of {operator} must be numeric, between -5.0e9 and +5.0e9")
        checks.append((_COMPARISONS[operator], limit))
    _check_range([str(operator) for operator in parts[::2]], [limit for _, limit in checks])
    return lambda value: _is_number(value) and all(holds(value, limit) for holds, limit in checks)


def _check_range(operators: Sequence[str], limits: Sequence[float]) -> None:
    """Two comparisons are a lower and an upper bound, in this order, with something between them."""
    if len(operators) == 1:
        return
    low, high = operators
    if not low.startswith(">") or not high.startswith("<"):
        raise BadPattern(f"Bad numeric range operators: {low} {high}")
    if limits[0] >= limits[1]:
        raise BadPattern("Bottom must be less than top")


def _anything_but(argument: Any) -> Test:
    if isinstance(argument, dict):
        operator, inner = _only(argument)
        make = _OPERATORS.get(operator)
        if operator not in _NEGATABLE or make is None:
            raise BadPattern(f"Unsupported anything-but pattern: {operator}")
        unwanted = [make(each) for each in (inner if isinstance(inner, list) else [inner])]
    else:
        values = argument if isinstance(argument, list) else [argument]
        if not values or any(isinstance(each, (dict, list)) for each in values):
            raise BadPattern("Value of anything-but must be an array or single string/number value.")
        unwanted = [_equals(each) for each in values]
    if not unwanted:
        raise BadPattern("Value of anything-but must not be empty")
    return lambda value: not any(test(value) for test in unwanted)


_NEGATABLE = frozenset({"prefix", "suffix", "equals-ignore-case", "wildcard"})
_OPERATORS: Mapping[str, Callable[[Any], Test]] = {
    "equals-ignore-case": _ignore_case,
    "prefix": _affix("prefix", str.startswith),
    "suffix": _affix("suffix", str.endswith),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "wildcard": _wildcard,
    "cidr": _cidr,
}

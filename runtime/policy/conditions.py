"""Condition elements: read from a policy, and held against what a request says of itself. Pure.

Source: IAM user guide, "Condition operators" and "Multivalued context keys".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runtime.policy.mistakes import BadPolicy
from runtime.policy.patterns import Context, arn_like, like, substituted

Test = Callable[[str, str, Context | None], bool]
"""(what the policy says, what the request says, values of variables): whether they agree."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator."""

    operator: str
    """Without its qualifiers and without `Not`: `StringEquals`, `ArnLike`, `Null` …"""
    key: str
    """In lower case."""
    values: tuple[str, ...]
    negated: bool = False
    if_exists: bool = False
    quantifier: str = ""
    """`ForAllValues`, `ForAnyValue` or empty."""


def read_conditions(written: Any) -> tuple[Condition, ...]:
    """The conditions of a statement's Condition element.

    Raises:
        BadPolicy: an unknown operator, or something that is not an object of objects.
    """
    if not isinstance(written, Mapping):
        raise BadPolicy("Condition is not an object")
    found = []
    for operator, keys in written.items():
        if not isinstance(keys, Mapping):
            raise BadPolicy(f"Condition.{operator} is not an object")
        found += [_condition(operator, key, value) for key, value in keys.items()]
    return tuple(found)


def _condition(written: str, key: str, value: Any) -> Condition:
    quantifier, _, rest = written.rpartition(":")
    if quantifier not in {"", "ForAllValues", "ForAnyValue"}:
        raise BadPolicy(f"unknown condition operator {written}")
    if_exists = rest.endswith("IfExists") and rest != "NullIfExists"
    rest = rest.removesuffix("IfExists") if if_exists else rest
    operator, negated = _NEGATED.get(rest, rest), rest in _NEGATED
    if operator not in _TESTS and operator != "Null":
        raise BadPolicy(f"unknown condition operator {written}")
    values = value if isinstance(value, list) else [value]
    return Condition(operator, key.lower(), tuple(_text(each) for each in values), negated, if_exists, quantifier)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise BadPolicy("a condition's value is a text, a number or a boolean")


def holds(condition: Condition, context: Context, variables: Context | None) -> bool:
    """Whether the request fulfils the condition. `variables` None: `${…}` is no variable in this policy."""
    given = context.get(condition.key)
    if condition.operator == "Null":
        return any((given is None) == (value.lower() == "true") for value in condition.values)
    if given is None:
        return (
            condition.if_exists
            or condition.quantifier == "ForAllValues"
            or (condition.negated and not condition.quantifier)
        )
    values = (given,) if isinstance(given, str) else tuple(given)
    agreed = [_agrees(condition, value, variables) for value in values]
    if condition.quantifier == "ForAllValues" or (condition.negated and not condition.quantifier):
        return all(agreed)
    return any(agreed)


def _agrees(condition: Condition, value: str, variables: Context | None) -> bool:
    """Whether one value of the request agrees with the condition: with any of its values, or, negated, with none."""
    test = _TESTS[condition.operator]
    return any(test(expected, value, variables) for expected in condition.values) != condition.negated


def _string_equals(expected: str, value: str, variables: Context | None) -> bool:
    return substituted(expected, variables) == value


def _string_equals_ignoring_case(expected: str, value: str, variables: Context | None) -> bool:
    replaced = substituted(expected, variables)
    return replaced is not None and replaced.casefold() == value.casefold()


def _boolean(expected: str, value: str, variables: Context | None) -> bool:
    replaced = substituted(expected, variables)
    return replaced is not None and replaced.lower() == value.lower()


def _exactly(expected: str, value: str, _: Context | None) -> bool:
    return expected == value


def _ip_address(expected: str, value: str, _: Context | None) -> bool:
    try:
        address, network = ipaddress.ip_address(value), ipaddress.ip_network(expected, strict=False)
    except ValueError:
        return False
    return address in network


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 date or of a number of seconds. Source: IAM, "Date condition operators"."""
    seconds = _number(text)
    if seconds is not None:
        return seconds
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def _compared(read: Callable[[str], float | None], agrees: Callable[[float, float], bool]) -> Test:
    def test(expected: str, value: str, variables: Context | None) -> bool:
        limit, given = read(substituted(expected, variables) or ""), read(value)
        return limit is not None and given is not None and agrees(given, limit)

    return test


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": lambda given, limit: given == limit,
    "LessThan": lambda given, limit: given < limit,
    "LessThanEquals": lambda given, limit: given <= limit,
    "GreaterThan": lambda given, limit: given > limit,
    "GreaterThanEquals": lambda given, limit: given >= limit,
}
_TESTS: Mapping[str, Test] = {
    "StringEquals": _string_equals,
    "StringEqualsIgnoreCase": _string_equals_ignoring_case,
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": _boolean,
    "BinaryEquals": _exactly,
    "IpAddress": _ip_address,
    **{f"Numeric{name}": _compared(_number, agrees) for name, agrees in _COMPARISONS.items()},
    **{f"Date{name}": _compared(_moment, agrees) for name, agrees in _COMPARISONS.items()},
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}

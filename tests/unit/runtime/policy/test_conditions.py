"""Condition operators, one by one, after the tables of the IAM user guide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from runtime.policy.conditions import holds, read_conditions
from runtime.policy.mistakes import BadPolicy

ARN = "arn:aws:s3:::uploads"


def held(operator: str, expected: Any, given: str | Sequence[str] | None, **context: str) -> bool:
    """Whether `{operator: {"Test:Key": expected}}` holds when the request says `given` of the key."""
    (condition,) = read_conditions({operator: {"Test:Key": expected}})
    seen: dict[str, str | Sequence[str]] = {name.replace("_", ":"): value for name, value in context.items()}
    if given is not None:
        seen["test:key"] = given
    return holds(condition, seen, seen)


@pytest.mark.parametrize(
    ("operator", "expected", "given", "result"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEqualsIgnoreCase", "ABC", "abc", True),
        ("StringNotEqualsIgnoreCase", "ABC", "abc", False),
        ("StringLike", "a*c?", "abbcd", True),
        ("StringLike", "a*c?", "abbc", False),
        ("StringLike", "A*", "abc", False),
        ("StringLike", "*", "", True),
        ("StringNotLike", "a*", "abc", False),
        ("StringNotLike", ["a*", "b*"], "c", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", 10, "9.5", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "11", True),
        ("NumericGreaterThanEquals", "10", "9", False),
        ("NumericEquals", "10", "ten", False),
        ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", True),
        ("DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", True),
        ("DateLessThan", "2026-01-02", "2026-01-01T23:59:59Z", True),
        ("DateLessThanEquals", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", True),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "1767225601", True),
        ("DateGreaterThanEquals", "1767225600", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "someday", "2026-01-01T00:00:00Z", False),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
        ("IpAddress", ["10.0.0.0/8", "203.0.113.7"], "203.0.113.7", True),
        ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
        ("IpAddress", "2001:db8::/32", "2001:db8::7", True),
        ("IpAddress", "203.0.113.0/24", "nonsense", False),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.7", True),
        ("ArnEquals", ARN, ARN, True),
        ("ArnEquals", "arn:aws:s3:::up*", ARN, True),
        ("ArnLike", "arn:aws:s3:::up*", ARN, True),
        ("ArnLike", "arn:*:s3:*:*:uploads", ARN, True),
        ("ArnLike", "arn:aws:sqs:*:111:q", "arn:aws:sqs:us-east-1:111:q", True),
        ("ArnLike", "arn:aws:*:q", "arn:aws:sqs:us-east-1:111:q", False),
        ("ArnLike", "arn:aws:events:*:*:rule/*", "arn:aws:events:us-east-1:111:rule/bus/nightly", True),
        ("ArnNotEquals", ARN, "arn:aws:s3:::downloads", True),
        ("ArnNotLike", "arn:aws:s3:::*", ARN, False),
    ],
)
def test_one_value(operator: str, expected: Any, given: str, result: bool) -> None:
    assert held(operator, expected, given) is result
    assert held(f"{operator}IfExists", expected, given) is result
    assert held(f"ForAnyValue:{operator}", expected, [given]) is result
    assert held(f"ForAllValues:{operator}", expected, [given]) is result


@pytest.mark.parametrize(
    ("operator", "result"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("ArnLike", False),
        ("Bool", False),
        ("IpAddress", False),
        ("NumericLessThan", False),
        ("DateLessThan", False),
        ("StringNotEquals", True),
        ("StringNotLike", True),
        ("ArnNotLike", True),
        ("NotIpAddress", True),
        ("NumericNotEquals", True),
        ("StringEqualsIfExists", True),
        ("BoolIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAllValues:StringNotEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", True),
    ],
)
def test_a_key_that_the_request_does_not_have(operator: str, result: bool) -> None:
    assert held(operator, "1", None) is result


@pytest.mark.parametrize(
    ("operator", "expected", "given", "result"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", ["a"], [], True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a"], ["c"], False),
        ("ForAnyValue:StringEquals", ["a"], [], False),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
        ("ForAllValues:StringNotEquals", ["a"], ["a", "c"], False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a"], ["a"], False),
        ("StringEquals", ["a"], ["b", "a"], True),
        ("StringNotEquals", ["a"], ["b", "a"], False),
    ],
)
def test_several_values(operator: str, expected: list[str], given: list[str], result: bool) -> None:
    assert held(operator, expected, given) is result


@pytest.mark.parametrize(
    ("expected", "given", "result"),
    [("true", None, True), ("true", "x", False), ("false", None, False), ("false", "x", True), (True, None, True)],
)
def test_null_asks_whether_the_key_is_there(expected: Any, given: str | None, result: bool) -> None:
    assert held("Null", expected, given) is result


@pytest.mark.parametrize(
    ("expected", "given", "result"),
    [
        ("${aws:username}", "bob", True),
        ("${AWS:UserName}", "bob", True),
        ("home-${aws:username}-1", "home-bob-1", True),
        ("${aws:nothing}", "bob", False),
        ("${aws:nothing, 'spare'}", "spare", True),
        ("${aws:username, 'spare'}", "spare", False),
        ("${*}", "*", True),
        ("${?}", "?", True),
        ("${$}", "$", True),
        ("${*}", "anything", False),
    ],
)
def test_variables(expected: str, given: str, result: bool) -> None:
    assert held("StringEquals", expected, given, aws_username="bob") is result
    assert held("StringLike", expected, given, aws_username="bob") is result


def test_what_takes_the_place_of_a_variable_is_literal() -> None:
    assert not held("StringLike", "${aws:username}", "anything", aws_username="*")
    assert held("StringLike", "${aws:username}", "*", aws_username="*")
    assert held("ArnLike", "${aws:sourcearn}", ARN, aws_sourcearn=ARN)


def test_without_the_modern_version_there_are_no_variables() -> None:
    (condition,) = read_conditions({"StringEquals": {"k": "${aws:username}"}})

    assert holds(condition, {"k": "${aws:username}"}, None)
    assert not holds(condition, {"k": "bob", "aws:username": "bob"}, None)


@pytest.mark.parametrize(
    "written",
    [
        {"StringsEqual": {"k": "v"}},
        {"ForSomeValues:StringEquals": {"k": "v"}},
        {"StringEquals": "v"},
        {"StringEquals": {"k": {"deeper": "v"}}},
        {"StringEquals": {"k": [None]}},
        {"NullIfExists": {"k": "true"}},
        ["StringEquals"],
    ],
)
def test_what_is_no_condition_is_said(written: Any) -> None:
    with pytest.raises(BadPolicy):
        read_conditions(written)

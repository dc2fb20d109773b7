"""FilterCriteria on records of queues and streams."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from runtime.pollers.filters import filters


def passes(record: dict[str, Any], *patterns: Any) -> bool:
    """Whether the record passes filters with these patterns."""
    return filters({"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]}).passes(record)


def message(body: str, **attributes: str) -> dict[str, Any]:
    """A record of a queue."""
    return {"body": body, "attributes": attributes, "messageAttributes": {}, "eventSource": "aws:sqs"}


def kinesis(data: bytes) -> dict[str, Any]:
    """A record of a Kinesis stream."""
    inner = {"partitionKey": "pk", "sequenceNumber": "1", "data": base64.b64encode(data).decode()}
    return {"kinesis": inner, "eventSource": "aws:kinesis", "eventName": "aws:kinesis:record"}


def test_no_filters_let_everything_through() -> None:
    assert passes(message("x"))
    assert filters({}).passes(message("x"))


@pytest.mark.parametrize(
    ("body", "pattern", "expected"),
    [
        ('{"temperature": 7}', {"body": {"temperature": [{"numeric": [">", 5]}]}}, True),
        ('{"temperature": 3}', {"body": {"temperature": [{"numeric": [">", 5]}]}}, False),
        ("plain", {"body": ["plain"]}, True),
        ("plain", {"body": [{"prefix": "pl"}]}, True),
        ("other", {"body": ["plain"]}, False),
        ("plain", {"body": {"temperature": [{"exists": True}]}}, False),
        ('{"a": 1}', {"body": ['{"a": 1}']}, False),
        ('[{"a": 1}]', {"body": {"a": [1]}}, True),
    ],
)
def test_a_body_is_json_to_a_pattern_that_looks_inside_and_text_to_one_that_does_not(
    body: str, pattern: Any, expected: bool
) -> None:
    assert passes(message(body), pattern) is expected


def test_a_pattern_that_says_nothing_about_the_body_takes_any() -> None:
    pattern = {"attributes": {"MessageGroupId": ["g1"]}}
    assert passes(message("anything {", MessageGroupId="g1"), pattern)
    assert not passes(message("anything {", MessageGroupId="g2"), pattern)


def test_one_of_several_filters_is_enough() -> None:
    assert passes(message('{"a": 2}'), {"body": {"a": [1]}}, {"body": {"a": [2]}})
    assert not passes(message('{"a": 3}'), {"body": {"a": [1]}}, {"body": {"a": [2]}})


def test_the_body_inside_an_or_is_json_too() -> None:
    pattern = {"$or": [{"body": {"a": [1]}}, {"body": {"b": [1]}}]}
    assert passes(message('{"b": 1}'), pattern)
    assert not passes(message('{"c": 1}'), pattern)


def test_data_of_kinesis_is_decoded_and_metadata_is_found() -> None:
    assert passes(kinesis(b'{"city": "Paris"}'), {"data": {"city": ["Paris"]}})
    assert not passes(kinesis(b'{"city": "Rome"}'), {"data": {"city": ["Paris"]}})
    assert not passes(kinesis(b"\xff\xfe"), {"data": {"city": ["Paris"]}})
    assert passes(kinesis(b"\xff\xfe"), {"partitionKey": ["pk"]})
    assert passes(kinesis(b"x"), {"kinesis": {"partitionKey": ["pk"]}})


def test_a_change_of_a_table_is_matched_as_it_is() -> None:
    record = {"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": {"NewImage": {"age": {"N": "7"}}}}
    assert passes(record, {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"age": {"N": [{"prefix": "7"}]}}}})
    assert not passes(record, {"eventName": ["REMOVE"]})

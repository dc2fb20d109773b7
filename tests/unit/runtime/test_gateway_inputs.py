"""What a rule's target is given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.gateway.events.inputs import payload_of, render

EVENT = {
    "version": "0", "detail-type": "Order", "time": "2026-01-01T00:00:00Z",
    "detail": {"name": 'An "n"', "count": 3, "items": [{"sku": "a"}, {"sku": "b"}], "dotted.key": True},
}  # fmt: skip
RULE = "arn:aws:events:us-east-1:123456789012:rule/orders"


def given(target: dict[str, Any]) -> Any:
    """What the target gets for the event, parsed."""
    return json.loads(payload_of({"Arn": "arn", **target}, EVENT, RULE, "2026-01-01T00:00:01Z"))


def test_the_event_itself_a_constant_or_a_part() -> None:
    assert given({}) == EVENT
    assert given({"Input": '{"a": [1]}'}) == {"a": [1]}
    assert given({"InputPath": "$.detail.count"}) == 3
    assert given({"InputPath": "$.detail.items[1].sku"}) == "b"
    assert given({"InputPath": "$.detail['dotted.key']"}) is True
    assert given({"InputPath": "$.detail-type"}) == "Order"
    assert given({"InputPath": "$.detail.none"}) is None
    assert given({"InputPath": "$"}) == EVENT


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"name": "<name>", "count": <count>}', {"name": 'An "n"', "count": 3}),
        ('{"name": <name>}', {"name": 'An "n"'}),
        ('"<name> ordered <count> of <items>"', 'An "n" ordered 3 of [{"sku":"a"},{"sku":"b"}]'),
        ('{"items": <items>, "first": "<first>"}', {"items": EVENT["detail"]["items"], "first": "a"}),  # type: ignore[index]
        ('{"none": <none>, "text": "<none>"}', {"none": None, "text": ""}),
        ('{"unknown": "<unknown>"}', {"unknown": "<unknown>"}),
        ('{"rule": "<aws.events.rule-arn>", "name": "<aws.events.rule-name>"}', {"rule": RULE, "name": "orders"}),
        ('{"at": "<aws.events.event.ingestion-time>"}', {"at": "2026-01-01T00:00:01Z"}),
        ("<aws.events.event.json>", EVENT),
        ("<aws.events.event>", {name: value for name, value in EVENT.items() if name != "detail"}),
        ('{"escaped": "a \\"<count>\\" b"}', {"escaped": 'a "3" b'}),
    ],
)
def test_a_text_made_of_the_event(template: str, expected: Any) -> None:
    paths = {
        "name": "$.detail.name", "count": "$.detail.count", "items": "$.detail.items",
        "first": "$.detail.items[0].sku", "none": "$.detail.none",
    }  # fmt: skip
    assert given({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}) == expected


def test_text_outside_of_strings_is_json_without_blanks() -> None:
    assert render("<a>", {"a": {"b": [1, "ü"]}}) == '{"b":[1,"ü"]}'

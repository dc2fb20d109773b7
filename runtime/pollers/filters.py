"""Which records of a queue or stream a mapping's FilterCriteria let through. Pure. Source: reference §12."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.pollers.patterns import Leaf, Node, parse
from runtime.reading import json_of

Record = Mapping[str, Any]
_DATA_KEYS = {"aws:sqs": "body", "aws:kinesis": "data"}


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of one mapping, of which one must match; none lets everything through."""

    nodes: tuple[Node, ...]

    def passes(self, record: Record) -> bool:
        """Whether the function is to get `record` (as the event has it)."""
        return not self.nodes or any(_matches(node, record) for node in self.nodes)


def filters(criteria: Mapping[str, Any]) -> Filters:
    """The filters that FilterCriteria (`{"Filters": [{"Pattern": "…"}]}`) state.

    Raises:
        BadPattern: one of them is not a pattern.
    """
    listed: Sequence[Mapping[str, str]] = criteria.get("Filters") or ()
    return Filters(tuple(parse(each["Pattern"]) for each in listed if each.get("Pattern")))


def _matches(node: Node, record: Record) -> bool:
    return node.matches(_view(node, record))


def _view(node: Node, record: Record) -> Record:
    """`record` as this filter sees it.

    What the sender wrote is JSON to a pattern that looks inside it, text to one that does not; when it is not what the
    pattern expects, it is not there, so that the record is dropped.
    """
    source = record.get("eventSource", "")
    key = _DATA_KEYS.get(source)
    if key is None:
        return record
    view = {**record, **_kinesis_fields(record)} if source == "aws:kinesis" else dict(record)
    expects = _expected(node, key)
    text = view.pop(key, None)
    if expects is None or not isinstance(text, str):
        return view
    data = _json(text)
    if expects == "json" and isinstance(data, (dict, list)):
        view[key] = data
    elif expects == "text" and not isinstance(data, (dict, list)):
        view[key] = text
    return view


def _expected(node: Node, key: str) -> str | None:
    """Whether the pattern looks into the data as JSON or as text; None when it says nothing about it."""
    for name, child in node.keys:
        if name == key:
            return "text" if isinstance(child, Leaf) else "json"
    for choices in node.alternatives:
        for choice in choices:
            found = _expected(choice, key)
            if found is not None:
                return found
    return None


def _kinesis_fields(record: Record) -> Record:
    """The fields of a Kinesis record at the top, where filters name them, the data decoded."""
    fields = dict(record.get("kinesis", {}))
    try:
        fields["data"] = base64.b64decode(fields.get("data", "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        fields.pop("data", None)
    return fields


def _json(text: str) -> Any:
    try:
        return json_of(text)
    except ValueError:
        return None

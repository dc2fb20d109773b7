"""YAML text to nodes with places, built from libyaml's events so that nothing is expanded before it is counted."""

from __future__ import annotations

import math
from typing import Any

import yaml

from core.document_node import MAX_DEPTH, Node, Place, mapping, mistake, sequence
from core.errors import InvalidInput
from core.source import Diagnostic

_STANDARD = "tag:yaml.org,2002:"
_SCALARS = frozenset(_STANDARD + name for name in ("str", "int", "float", "bool", "null"))
_ALIASED_VALUES = 20_000  # how many values all aliases together may stand for

# Source: CloudFormation intrinsic function reference, the short forms.
_SHORT_TAGS = {f"!{name}": name for name in ("Ref", "Condition")} | {
    f"!{name}": f"Fn::{name}"
    for name in (
        *("And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "GetAZs"),
        *("GetAtt", "If", "ImportValue", "Join", "Length", "Not", "Or", "RefAll", "Select", "Split", "Sub"),
        *("ToJsonString", "Transform", "ValueOf", "ValueOfAll"),
    )
}


class _Loader(yaml.CSafeLoader):
    """YAML 1.1's own scalars without dates: AWS reads `2012-10-17` as text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _STANDARD + "timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str, file: str, *, cloudformation: bool) -> Node:
    """The one document in `text`.

    Raises:
        InvalidInput: see `core.document.parse_yaml`.
    """
    reader = _Reader(text, file, cloudformation=cloudformation)
    try:
        node = reader.document()
    except yaml.MarkedYAMLError as error:
        reader.mistakes.append(_syntax(error, text, file))
        raise InvalidInput.of(reader.mistakes) from None
    finally:
        reader.close()
    if reader.mistakes:
        raise InvalidInput.of(reader.mistakes)
    return node


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    what = error.problem or "this is not YAML"
    lines = text.split("\n")
    hint = ""
    if place[0] <= len(lines) and "\t" in lines[place[0] - 1]:
        hint = "indent with spaces, not tabs"
    elif what.startswith("mapping values are not allowed"):
        hint = "check the indentation, or quote a text that holds ': '"
    return mistake(file, place, what, hint)


class _Reader:
    """Events to nodes, depth first; mistakes that do not hinder the reading are collected."""

    def __init__(self, text: str, file: str, *, cloudformation: bool) -> None:
        self._loader = _Loader(text)
        self._file = file
        self._cloudformation = cloudformation
        self._anchors: dict[str, Node | None] = {}  # None while the anchored value is being read
        self._aliased = 0
        self.mistakes: list[Diagnostic] = []

    def close(self) -> None:
        self._loader.dispose()

    def document(self) -> Node:
        self._next()  # the stream's start
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, (1, 1))
        node = self._value(self._next(), 1)
        self._next()  # the document's end
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._fail(event, "a second document begins here", "keep one document per file")
        return node

    def _value(self, event: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._fail(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise self._fail(event, f"there is no anchor '&{event.anchor}' before this")
        node = self._anchors[event.anchor]
        if node is None:
            raise self._fail(event, f"'*{event.anchor}' stands inside the value it names")
        self._aliased += node.count
        if self._aliased > _ALIASED_VALUES:
            raise self._fail(event, f"the aliases stand for more than {_ALIASED_VALUES} values")
        return node.copied()

    def _sequence(self, event: Any, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(item := self._next(), yaml.SequenceEndEvent):
            items.append(self._value(item, depth + 1))
        return self._tagged(event, sequence(_place(event), items), "seq")

    def _mapping(self, event: Any, depth: int) -> Node:
        children: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: list[Node] = []
        while not isinstance(key_event := self._next(), yaml.MappingEndEvent):
            key = self._key(key_event, depth)
            value = self._value(self._next(), depth + 1)
            if key is None:
                merged.extend(self._merged(key_event, value))
                continue
            if key in keys:
                self._mistake(key_event, f"the key '{key}' is here twice", f"the first is at line {keys[key][0]}")
                continue
            children[key] = value
            keys[key] = _place(key_event)
        for node in merged:
            for step, child in node.children.items():
                if isinstance(step, str) and step not in children:
                    children[step] = child
                    keys[step] = node.keys[step]
        return self._tagged(event, mapping(_place(event), children, keys), "map")

    def _key(self, event: Any, depth: int) -> str | None:
        """The key's text, or None for the merge key `<<`."""
        if isinstance(event, yaml.ScalarEvent) and event.tag in (None, "!"):
            tag = self._resolve(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = Node(event.value, _place(event))
            if tag == _STANDARD + "merge":
                return None
            if tag != _STANDARD + "str" and not self._cloudformation:
                self._mistake(event, f"the key {event.value or 'null'} is not text", f'write it as "{event.value}"')
            return self._text(event)
        node = self._value(event, depth + 1)
        if not isinstance(node.data, str):
            self._mistake(event, "a key must be text")
            return f"({event.start_mark.line}:{event.start_mark.column})"
        return node.data

    def _merged(self, event: Any, value: Node) -> list[Node]:
        candidates = [value] if isinstance(value.data, dict) else list(value.children.values())
        if not isinstance(value.data, dict | list) or not all(isinstance(node.data, dict) for node in candidates):
            self._mistake(event, "'<<' merges a mapping, or a list of mappings")
            return []
        return candidates

    def _scalar(self, event: Any) -> Node:
        place = _place(event)
        if event.tag not in (None, "!") and event.tag not in _SCALARS:
            return self._tagged(event, Node(self._text(event), place), "")
        tag = event.tag if event.tag not in (None, "!") else None
        tag = tag or self._resolve(event)
        if tag not in _SCALARS or tag == _STANDARD + "str":
            return Node(self._text(event), place)
        try:
            data = self._loader.construct_object(yaml.ScalarNode(tag, event.value))
        except (ValueError, KeyError, IndexError):
            self._mistake(event, f"'{event.value[:40]}' is no {tag.removeprefix(_STANDARD)}", "write it in quotes")
            return Node(None, place)
        if isinstance(data, float) and not math.isfinite(data):
            self._mistake(event, f"'{event.value}' is no number that can be kept", "write it in quotes")
        return Node(data, place)

    def _tagged(self, event: Any, node: Node, standard: str) -> Node:
        """`node`, or the long form of the CloudFormation function its tag stands for."""
        tag = event.tag
        if tag is None or tag == "!" or tag == _STANDARD + standard:
            return node
        name = _SHORT_TAGS.get(tag) if self._cloudformation else None
        if name is None:
            shown = tag.replace(_STANDARD, "!!")
            hint = "short tags are for CloudFormation templates" if tag in _SHORT_TAGS else ""
            self._mistake(event, f"the tag {shown} is not known here", hint)
            return node
        if tag == "!GetAtt" and isinstance(node.data, str):
            node = sequence(node.place, [Node(part, node.place) for part in node.data.split(".", 1)])
        return mapping(node.place, {name: node}, {name: node.place})

    def _text(self, event: Any) -> str:
        if "\0" in event.value:
            self._mistake(event, "this text holds a NUL character")
        return str(event.value)

    def _resolve(self, event: Any) -> str:
        return str(self._loader.resolve(yaml.ScalarNode, event.value, event.implicit))  # type: ignore[no-untyped-call]

    def _next(self) -> Any:
        return self._loader.get_event()

    def _fail(self, event: Any, what: str, hint: str = "") -> InvalidInput:
        last = mistake(self._file, _place(event), what, hint)
        return InvalidInput.of([*self.mistakes, last])

    def _mistake(self, event: Any, what: str, hint: str = "") -> None:
        self.mistakes.append(mistake(self._file, _place(event), what, hint))


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1

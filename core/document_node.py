"""One value of a document together with its place and its children's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import InvalidInput
from core.source import Diagnostic, Location

Place = tuple[int, int]  # line and column, from 1

MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Node:
    """`data` as plain Python; `children` by key or index, `keys` the places of the keys; `count` of values within."""

    data: Any
    place: Place
    children: Mapping[str | int, Node] = field(default_factory=dict)
    keys: Mapping[str, Place] = field(default_factory=dict)
    count: int = 1

    def child(self, step: str | int) -> Node | None:
        """The value under a key or index (counting from 0), None when there is none."""
        return self.children.get(step)

    def copied(self) -> Node:
        """The same places with data of its own."""
        return mapping_or_list(copy.deepcopy(self.data), self.place, self.children, self.keys, self.count)


def mapping(place: Place, children: dict[str, Node], keys: Mapping[str, Place]) -> Node:
    """A dict of `children` in their order."""
    data = {key: child.data for key, child in children.items()}
    by_step: dict[str | int, Node] = dict(children.items())
    return Node(data, place, by_step, keys, 1 + sum(child.count for child in children.values()))


def sequence(place: Place, items: list[Node]) -> Node:
    """A list of `items`."""
    return Node([item.data for item in items], place, dict(enumerate(items)), {}, 1 + sum(i.count for i in items))


def mapping_or_list(
    data: Any, place: Place, children: Mapping[str | int, Node], keys: Mapping[str, Place], count: int
) -> Node:
    """A node around `data` whose children point into that same data."""
    own = {
        step: mapping_or_list(data[step], child.place, child.children, child.keys, child.count)
        for step, child in children.items()
    }
    return Node(data, place, own, keys, count)


def fail(file: str, place: Place, what: str, hint: str = "") -> InvalidInput:
    """The error for one mistake that ends the reading."""
    return InvalidInput.of([mistake(file, place, what, hint)])


def mistake(file: str, place: Place, what: str, hint: str = "", where: str = "") -> Diagnostic:
    """One mistake at a place of `file`."""
    return Diagnostic(Location(file, place[0], place[1]), what, where, hint)

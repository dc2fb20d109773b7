"""A YAML or JSON text as plain data that remembers the line and column of every value and key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.document_json import read_json
from core.document_node import Node, Place, fail
from core.document_yaml import read_yaml
from core.source import Location

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[^\s.\[\]\"]+")
# What both formats refuse anywhere: control characters, lone surrogates, non-characters.
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Document:
    """`data` is dict (text keys) / list / str / int / float / bool / None, a copy of which nobody else holds."""

    file: str
    root: Node

    @property
    def data(self) -> Any:
        return self.root.data

    def location(self, path: Path) -> Location:
        """Where the value at `path` begins, or its nearest existing ancestor when there is no such value."""
        node = self.root
        for step in path:
            child = node.child(step)
            if child is None:
                break
            node = child
        return self._location(node.place)

    def key_location(self, path: Path) -> Location:
        """Where the key of `path` is (an item's own beginning in a list), or its nearest existing ancestor's."""
        node, place = self.root, self.root.place
        for step in path:
            child = node.child(step)
            if child is None:
                break
            place = node.keys[step] if isinstance(step, str) else child.place
            node = child
        return self._location(place)

    def _location(self, place: Place) -> Location:
        return Location(self.file, place[0], place[1])


def parse_yaml(text: str | bytes, file: str, *, cloudformation: bool = False) -> Document:
    """The document in `text`; an empty text is None. `cloudformation` reads the short tags (`!Ref x` → {"Ref": x}).

    Scalars follow YAML 1.1 except that dates and times stay text; not-a-number and infinity are refused. Merge keys
    and aliases are expanded, so that no two places of the data share a value.

    Raises:
        InvalidInput: syntax, duplicate or non-text keys, several documents, unknown tags, alias bombs, nesting deeper
            than 100, characters no text file should hold; every duplicate and every tag at once.
    """
    return Document(file, read_yaml(_readable(text, file), file, cloudformation=cloudformation))


def parse_json(text: str | bytes, file: str) -> Document:
    """The document in `text`, strict JSON (no comments, no trailing commas, no NaN).

    Raises:
        InvalidInput: as for YAML.
    """
    return Document(file, read_json(_readable(text, file), file))


def parse_bytes(raw: bytes, file: str, *, cloudformation: bool = False) -> Document:
    """The document in the bytes of `file`: JSON when its name ends with `.json`, else YAML.

    Raises:
        InvalidInput: not UTF-8, or as for the format.
    """
    if file.endswith(".json"):
        return parse_json(raw, file)
    return parse_yaml(raw, file, cloudformation=cloudformation)


def dotted(path: Sequence[str | int]) -> str:
    """`path` for people: `stages[2].actions[0].provider`; keys with dots, brackets or blanks are quoted in brackets."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` with the nearest of `known`, or "" when none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f"did you mean '{by_folded[near[0]]}'?" if near else ""


def _readable(text: str | bytes, file: str) -> str:
    """`text` decoded, without a byte order mark, and without characters that neither format allows."""
    if isinstance(text, bytes):
        text = _decoded(text, file)
    text = text.removeprefix("\ufeff")
    bad = _UNREADABLE.search(text)
    if bad is not None:
        code = f"U+{ord(bad.group()):04X}"
        raise fail(file, _place(text, bad.start()), f"the character {code} is not allowed here", "remove it")
    return text


def _decoded(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        raise fail(file, _place(before, len(before)), "the file is not UTF-8 text", "save it as UTF-8") from None


def _place(text: str, index: int) -> Place:
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1

"""Strict JSON text to nodes with places."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right

from core.document_node import MAX_DEPTH, Node, Place, fail, mapping, mistake, sequence
from core.errors import InvalidInput
from core.source import Diagnostic

_BLANK = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_WORD = re.compile(r"\w+")
_STRICT = json.JSONDecoder()
_WORDS = {"true": True, "false": False, "null": None}


def read_json(text: str, file: str) -> Node:
    """The value in `text`.

    Raises:
        InvalidInput: not JSON, or with duplicate keys (all of them at once).
    """
    return _Reader(text, file).document()


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._at = 0
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self._mistakes: list[Diagnostic] = []

    def document(self) -> Node:
        self._blank()
        node = self._value(1)
        self._blank()
        if self._at < len(self._text):
            raise self._fail("there is something after the end of the value")
        if self._mistakes:
            raise InvalidInput.of(self._mistakes)
        return node

    def _value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._fail(f"nested deeper than {MAX_DEPTH} levels")
        start = self._place(self._at)
        character = self._text[self._at : self._at + 1]
        if character == "{":
            return self._object(start, depth)
        if character == "[":
            return self._array(start, depth)
        if character == '"':
            return Node(self._string(), start)
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            return Node(self._number(number), start)
        word = _WORD.match(self._text, self._at)
        if word is not None and word.group() in _WORDS:
            self._at = word.end()
            return Node(_WORDS[word.group()], start)
        raise self._fail("a value is expected here" if character else "the text ends before the value does")

    def _object(self, start: Place, depth: int) -> Node:
        children: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        self._at += 1
        self._blank()
        while not self._take("}"):
            if children:
                self._expect(",")
            here = self._place(self._at)
            if self._text[self._at : self._at + 1] != '"':
                raise self._fail("a key in double quotes is expected here")
            key = self._string()
            if key in keys:
                first = keys[key]
                self._mistakes.append(
                    mistake(self._file, here, f"the key '{key}' is here twice", f"the first is at line {first[0]}")
                )
            self._blank()
            self._expect(":")
            children[key] = self._value(depth + 1)
            keys.setdefault(key, here)
            self._blank()
        return mapping(start, children, keys)

    def _array(self, start: Place, depth: int) -> Node:
        items: list[Node] = []
        self._at += 1
        self._blank()
        while not self._take("]"):
            if items:
                self._expect(",")
            items.append(self._value(depth + 1))
            self._blank()
        return sequence(start, items)

    def _string(self) -> str:
        start = self._at
        try:
            found, self._at = _STRICT.raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            raise fail(self._file, self._place(error.pos), error.msg.lower().removesuffix(" at")) from None
        value = str(found)
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise fail(self._file, self._place(start), "this text holds an escape that stands for no character")
        return value

    def _number(self, match: re.Match[str]) -> int | float:
        text = match.group()
        if match.group(1) is None and match.group(2) is None:
            if len(text) > 1000:
                raise self._fail("this number is too long")
            value: int | float = int(text)
        else:
            value = float(text)
            if math.isinf(value):
                raise self._fail("this number is too large")
        self._at = match.end()
        return value

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _take(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _expect(self, character: str) -> None:
        if not self._take(character):
            raise self._fail(f"'{character}' is expected here")
        self._blank()

    def _place(self, index: int) -> Place:
        line = bisect_right(self._lines, index)
        return line, index - self._lines[line - 1] + 1

    def _fail(self, what: str) -> InvalidInput:
        return fail(self._file, self._place(self._at), what)

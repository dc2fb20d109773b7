"""Reads conditions joined by && and ||, which JSON and space-delimited patterns have alike. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from runtime.log_groups.patterns.values import OPERATORS, Value, invalid, plain, quoted, regex

T = TypeVar("T")
_DEEPEST = 50
_TOKEN = re.compile(
    r"\s*(?:(?P<sign>&&|\|\||!=|<=|>=|=|<|>|\(|\))"
    r"|\"(?P<text>(?:[^\"\\]|\\.)*)\""
    r"|%(?P<regex>[^%]*)%"
    r"|(?P<word>[^\s()=<>!&|\"%,]+))"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One piece: its kind (`sign`, `text`, `regex`, `word`) and its text."""

    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    """The pieces of a condition.

    Raises:
        ApiError: something is no piece.
    """
    found: list[Token] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise invalid(f"Invalid character(s) in term '{text[at:].strip()[:40]}'")
        kind = str(match.lastgroup)
        value = match[kind]
        found.append(Token(kind, re.sub(r"\\(.)", r"\1", value) if kind == "text" else value))
        at = match.end()
    return found


class Reader(Generic[T]):
    """`leaf(reader)` reads one condition; `join(sign, left, right)` puts two together. && binds tighter than ||."""

    def __init__(self, pieces: list[Token], leaf: Callable[[Reader[T]], T], join: Callable[[str, T, T], T]) -> None:
        self._pieces = pieces
        self._leaf = leaf
        self._join = join
        self._at = 0
        self._depth = 0

    def whole(self) -> T:
        """Everything.

        Raises:
            ApiError: it is not conditions.
        """
        found = self._level(("||", "&&"))
        if self._at < len(self._pieces):
            raise invalid(f"Invalid token '{self._pieces[self._at].text}' in the filter pattern")
        return found

    def next(self) -> Token:
        """The next piece."""
        if self._at >= len(self._pieces):
            raise invalid("The filter pattern ends too early")
        self._at += 1
        return self._pieces[self._at - 1]

    def sees(self, text: str) -> bool:
        """Whether the next piece is this sign or (in any case) this word."""
        if self._at >= len(self._pieces):
            return False
        piece = self._pieces[self._at]
        return piece.text == text if piece.kind == "sign" else piece.kind == "word" and piece.text.upper() == text

    def value(self) -> Value:
        """The next piece as the right side of a condition."""
        piece = self.next()
        if piece.kind == "sign":
            raise invalid(f"Invalid token '{piece.text}' in the filter pattern")
        return {"text": quoted, "regex": regex, "word": plain}[piece.kind](piece.text)

    def sign(self) -> str:
        """The next piece as a comparison."""
        piece = self.next()
        if piece.kind != "sign" or piece.text not in OPERATORS:
            raise invalid(f"Invalid operator '{piece.text}' in the filter pattern")
        return piece.text

    def _level(self, signs: tuple[str, ...]) -> T:
        if not signs:
            return self._one()
        left = self._level(signs[1:])
        while self.sees(signs[0]):
            self.next()
            left = self._join(signs[0], left, self._level(signs[1:]))
        return left

    def _one(self) -> T:
        if not self.sees("("):
            return self._leaf(self)
        self.next()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise invalid("The filter pattern is nested too deeply")
        found = self._level(("||", "&&"))
        if self.next().text != ")":
            raise invalid("A parenthesis is not closed in the filter pattern")
        self._depth -= 1
        return found

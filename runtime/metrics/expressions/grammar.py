"""The grammar of metric math: text to a tree. Pure. Source: CloudWatch, "Metric math syntax and functions"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<mark>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))"
)
_WORDS = {"AND": "&&", "OR": "||"}
_LEVELS = (("||",), ("&&",), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))
"""Binary operators, the loosest first; `^` binds tighter than a sign."""
_DEEPEST = 50


class ExpressionError(Exception):
    """The expression cannot be read, or its parts do not fit together."""


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string, as METRICS("…") takes."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The Id of a query, or a bare word of a function (REPEAT, DESC, AVG)."""

    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; operators are calls, too (`+`, `&&`; the sign is `negative`)."""

    function: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """`[m1, m2]`."""

    items: tuple[Tree, ...]


Tree = Number | Text | Name | Call | Many


def parse(text: str) -> Tree:
    """The tree of an expression.

    Raises:
        ExpressionError: it cannot be read.
    """
    reader = _Reader(_tokens(text))
    tree = reader.binary(0)
    if reader.ahead is not None:
        raise ExpressionError(f"'{reader.ahead}' is not expected there")
    return tree


def names(tree: Tree) -> set[str]:
    """Every Id and bare word in the tree."""
    if isinstance(tree, Name):
        return {tree.value}
    parts = tree.arguments if isinstance(tree, Call) else tree.items if isinstance(tree, Many) else ()
    return set().union(*(names(part) for part in parts))


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"'{text[at:].strip()[:20]}' is not understood")
        kind = str(match.lastgroup)
        value = match[kind]
        found.append(("mark", _WORDS[value]) if value in _WORDS else (kind, value))
        at = match.end()
    return found


class _Reader:
    """Reads tokens from the front."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def ahead(self) -> str | None:
        """The next token's text; None at the end."""
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ExpressionError("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _is_mark(self, *marks: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at][0] == "mark" and self.ahead in marks

    def _expect(self, mark: str) -> None:
        kind, value = self._next()
        if (kind, value) != ("mark", mark):
            raise ExpressionError(f"'{mark}' is expected where '{value}' is")

    def binary(self, level: int) -> Tree:
        """One level of binary operators; each groups to the left."""
        if level == len(_LEVELS):
            return self._signed()
        left = self.binary(level + 1)
        while self._is_mark(*_LEVELS[level]):
            operator = self._next()[1]
            left = Call(operator, (left, self.binary(level + 1)))
        return left

    def _signed(self) -> Tree:
        if self._is_mark("-"):
            self._next()
            return Call("negative", (self._deeper(self._signed),))
        base = self._primary()
        if self._is_mark("^"):
            self._next()
            return Call("^", (base, self._deeper(self._signed)))
        return base

    def _primary(self) -> Tree:
        kind, value = self._next()
        if kind == "number":
            return Number(float(value))
        if kind == "text":
            return Text(value[1:-1])
        if kind == "name":
            return Call(value, self._list(")")) if self._is_mark("(") and self._next() else Name(value)
        if value == "[":
            return Many(self._list("]"))
        if value == "(":
            inner = self._deeper(lambda: self.binary(0))
            self._expect(")")
            return inner
        raise ExpressionError(f"'{value}' is not expected there")

    def _list(self, end: str) -> tuple[Tree, ...]:
        items: list[Tree] = []
        while not self._is_mark(end):
            if items:
                self._expect(",")
            items.append(self._deeper(lambda: self.binary(0)))
        self._next()
        return tuple(items)

    def _deeper(self, read: Callable[[], Tree]) -> Tree:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError("it is nested too deeply")
        tree = read()
        self._depth -= 1
        return tree

"""What conditions compare with: numbers, texts with wildcards, regular expressions. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runtime.api.errors import ApiError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_REGEX = re.compile(r"(?:[A-Za-z0-9:_#=@/;,\- \"'!&<>~]|[\^$?\[\]{}|*+.]|\\.)*")
"""Source: CloudWatch Logs, "Supported regular expressions (regex) syntax": no groups, so no runaway matching."""

_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
OPERATORS = ("=", "!=", *_ORDER)


@dataclass(frozen=True, slots=True)
class Value:
    """The right side of a condition; `number` when it is one, `regex` when it was written as %…%."""

    text: str
    number: float | None = None
    regex: re.Pattern[str] | None = None

    def is_any(self) -> bool:
        """Whether it is `*` alone."""
        return self.regex is None and self.number is None and self.text == "*"

    def equals(self, text: str) -> bool:
        """Whether `text` is the same; `*` stands for anything at the beginning and at the end."""
        if self.regex is not None:
            return self.regex.search(text) is not None
        wanted = self.text
        starts, ends = wanted.startswith("*"), wanted.endswith("*") and len(wanted) > 1
        core = wanted[starts : len(wanted) - ends]
        if starts and ends:
            return core in text
        if starts:
            return text.endswith(core)
        return text.startswith(core) if ends else text == wanted


def quoted(text: str) -> Value:
    """The value of a text in double quotes, which are gone."""
    return Value(text)


def plain(text: str) -> Value:
    """The value of an unquoted word: a number, or a text."""
    return Value(text, float(text)) if _NUMBER.fullmatch(text) else Value(text)


def regex(text: str) -> Value:
    """The value of `%text%`.

    Raises:
        ApiError: it is no regular expression of the supported kind.
    """
    return Value(text, regex=compiled(text))


def compiled(text: str) -> re.Pattern[str]:
    """`text` as a regular expression.

    Raises:
        ApiError: it is none of the supported kind.
    """
    if not text or not _REGEX.fullmatch(text):
        raise invalid(f"Invalid regular expression '{text}'")
    try:
        return re.compile(text)
    except re.error as error:
        raise invalid(f"Invalid regular expression '{text}': {error}") from None


def compare(found: str | float, sign: str, value: Value) -> bool:
    """Whether `found sign value` is true; an order exists between numbers only."""
    number = found if isinstance(found, float) else _number(found)
    if sign in _ORDER:
        return number is not None and value.number is not None and _ORDER[sign](number, value.number)
    if value.number is not None and number is not None:
        same = number == value.number
    else:
        same = value.equals(found if isinstance(found, str) else shown(found))
    return same is (sign == "=")


def shown(number: float) -> str:
    """A number as JSON writes it."""
    return str(int(number)) if number.is_integer() else repr(number)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def invalid(message: str) -> ApiError:
    """A pattern that cannot be read."""
    return ApiError("InvalidParameterException", message)

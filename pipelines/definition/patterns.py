r"""Glob patterns of git triggers, as regular expressions.

    *        any run inside one path segment           [abc] [a-z] [!a]   one character of (not of) a class, never /
    **       any run, crosses /                        {a,b}              alternatives, not nested
    ?        one character, not /                      \x                 x itself

Nothing else is special: `**/*.md` needs a directory (a file at the root matches `*.md` or `**.md`), a leading dot is a
character like any other, and inside a class `*`, `?` and `\` are themselves.

Source: CodePipeline, working with glob patterns in syntax.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ANY_RUN, _SEGMENT_RUN, _ONE = ".*", "[^/]*", "[^/]"


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """`pattern` ready for `fullmatch`.

    Raises:
        ValueError: an unclosed or impossible class, unclosed or nested alternatives, or a trailing backslash.
    """
    return re.compile("".join(_pieces(pattern)), re.DOTALL)


def matches(pattern: str, value: str) -> bool:
    """Whether the whole of `value` matches `pattern`. Raises: ValueError, as `compiled`."""
    return compiled(pattern).fullmatch(value) is not None


def _pieces(pattern: str) -> list[str]:
    """The regular expression of each token of `pattern`."""
    out: list[str] = []
    in_alternatives = False
    index = 0
    while index < len(pattern):
        char = pattern[index]
        length = 1
        if char == "*":
            length = len(pattern) - index - len(pattern[index:].lstrip("*"))
            out.append(_ANY_RUN if length > 1 else _SEGMENT_RUN)
        elif char == "?":
            out.append(_ONE)
        elif char == "[":
            piece, length = _class(pattern, index)
            out.append(piece)
        elif char == "\\":
            if index + 1 == len(pattern):
                raise ValueError(f"the pattern {pattern!r} ends with a backslash")
            out.append(re.escape(pattern[index + 1]))
            length = 2
        elif char in "{},":
            piece, in_alternatives = _brace(char, in_alternatives, pattern)
            out.append(piece)
        else:
            out.append(re.escape(char))
        index += length
    if in_alternatives:
        raise ValueError(f"the alternatives in the pattern {pattern!r} are not closed with }}")
    return out


def _brace(char: str, inside: bool, pattern: str) -> tuple[str, bool]:
    """What `{`, `}` or `,` means, and whether alternatives are open afterwards."""
    if char == "{":
        if inside:
            raise ValueError(f"the alternatives in the pattern {pattern!r} are nested")
        return "(?:", True
    if not inside:
        return re.escape(char), False
    return ("|", True) if char == "," else (")", False)


def _class(pattern: str, start: int) -> tuple[str, int]:
    """The class that begins at `start`, and how many characters it takes."""
    negated = pattern[start + 1 : start + 2] == "!"
    first = start + 1 + negated
    end = pattern.find("]", first)
    if end == -1:
        raise ValueError(f"the class in the pattern {pattern!r} is not closed with ]")
    inside = pattern[first:end]
    if not inside:
        raise ValueError(f"the class in the pattern {pattern!r} is empty")
    parts: list[str] = []
    index = 0
    while index < len(inside):
        if 0 < index + 1 < len(inside) - 1 and inside[index + 1] == "-":
            low, high = inside[index], inside[index + 2]
            if low > high:
                raise ValueError(f"the range {low}-{high} in the pattern {pattern!r} is backwards")
            parts.append(f"{re.escape(low)}-{re.escape(high)}")
            index += 3
        else:
            parts.append(re.escape(inside[index]))
            index += 1
    return f"(?!/)[{'^' if negated else ''}{''.join(parts)}]", end + 1 - start

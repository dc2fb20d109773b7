"""Wildcards and policy variables: `*`, `?` and `${key}` in actions, resources, ARNs and condition values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

Context = Mapping[str, str | Sequence[str]]
"""Condition keys in lower case to what the request says of them: one text, or several."""

_TOKEN = re.compile(r"\$\{([^}]*)\}|([*?])")
_WILD = re.compile(r"([*?])")
_VARIABLE = re.compile(r"\s*([^,\s]+)\s*(?:,\s*'([^']*)'\s*)?")
_LITERAL = frozenset("*?$")
_PARTS = 6
"""Of an ARN."""


def like(pattern: str, text: str, context: Context | None = None) -> bool:
    """Whether `text` is what `pattern` describes; letter case counts.

    `context` None leaves `${…}` as it is (Source: IAM, "Policy variables" need Version 2012-10-17). A value that takes
    the place of a variable is taken literally, whatever it contains; a pattern with a variable that has no value
    describes nothing.
    """
    compiled = _expression(pattern, context, arn=False)
    return compiled is not None and compiled.fullmatch(text) is not None


def arn_like(pattern: str, arn: str, context: Context | None = None) -> bool:
    """Whether `arn` is what `pattern` describes: as `like`, but wildcards stay within one of the six parts.

    Source: IAM, ArnLike: "Each of the six colon-delimited components of the ARN is checked separately".
    """
    if pattern == "*":
        return True
    compiled = _expression(pattern, context, arn=True)
    return compiled is not None and compiled.fullmatch(arn) is not None


def action_like(pattern: str, action: str) -> bool:
    """Whether `pattern` (`lambda:Get*`) covers `action`; letter case does not count, variables do not exist."""
    return like(pattern.lower(), action.lower())


def substituted(text: str, context: Context | None) -> str | None:
    """`text` with its variables replaced and everything else as it is; None when one has no value."""
    if context is None or "${" not in text:
        return text
    parts, at = [], 0
    for token in _TOKEN.finditer(text):
        if token[1] is None:
            continue
        value = _value(token[1], context)
        if value is None:
            return None
        parts += [text[at : token.start()], value]
        at = token.end()
    return "".join([*parts, text[at:]])


def _expression(pattern: str, context: Context | None, *, arn: bool) -> re.Pattern[str] | None:
    if context is None or "${" not in pattern:
        return _plain(pattern, arn)
    parts: list[tuple[str, bool]] = []
    at = 0
    for token in _TOKEN.finditer(pattern):
        parts.append((pattern[at : token.start()], False))
        at = token.end()
        value = token[2] if token[1] is None else _value(token[1], context)
        if value is None:
            return None
        parts.append((value, token[1] is None))
    return _compiled([*parts, (pattern[at:], False)], arn)


@lru_cache(maxsize=4096)
def _plain(pattern: str, arn: bool) -> re.Pattern[str]:
    return _compiled([(part, part in {"*", "?"}) for part in _WILD.split(pattern)], arn)


def _compiled(parts: Sequence[tuple[str, bool]], arn: bool) -> re.Pattern[str]:
    """From texts and, for each, whether it is a wildcard."""
    expression, colons = [], 0
    for text, wild in parts:
        if not wild:
            colons += text.count(":")
            expression.append(re.escape(text))
            continue
        one = "[^:]" if arn and colons < _PARTS - 1 else "."
        expression.append(f"{one}*" if text == "*" else one)
    return re.compile("".join(expression), re.DOTALL)


def _value(written: str, context: Context) -> str | None:
    if written in _LITERAL:
        return written
    match = _VARIABLE.fullmatch(written)
    if match is None:
        return None
    value = context.get(match[1].lower(), match[2])
    return value if isinstance(value, str) else None

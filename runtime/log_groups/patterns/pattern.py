"""Filter patterns of every kind, compiled. Pure. Source: CloudWatch Logs, "Filter pattern syntax"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from runtime.log_groups.patterns.delimited import delimited
from runtime.log_groups.patterns.structured import structured
from runtime.log_groups.patterns.values import compiled, invalid

Pattern = Callable[[str], "Mapping[str, str] | None"]
"""Called with an event: None when it does not match, else the values that were extracted from it."""

_TERM = re.compile(
    r"(?P<sign>[?-]?)(?:\"(?P<phrase>(?:[^\"\\]|\\.)*)\"|%(?P<regex>[^%]*)%|(?P<word>[^\s\"%]+))(?=\s|$)"
)
_WORD = re.compile(r"\w+")


def compile_pattern(text: str) -> Pattern:
    """The pattern `text` means; an empty one matches every event.

    Raises:
        ApiError: it cannot be read.
    """
    text = text.strip()
    if text.startswith("{"):
        return structured(text)
    if text.startswith("["):
        return delimited(text)
    return _terms(text)


def _terms(text: str) -> Pattern:
    """Terms, of which all must be there; `-` those that must not, `?` those of which one must.

    Source: "You can't combine the question mark with other filter patterns"; then it is ignored.
    """
    found: dict[str, list[Callable[[str], bool]]] = {"": [], "-": [], "?": []}
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TERM.match(text, at)
        if match is None:
            raise invalid(f"Invalid character(s) in term '{text[at:].split()[0]}'")
        found[match["sign"]].append(_term(match))
        at = match.end()
    wanted, unwanted, either = found[""], found["-"], found["?"]
    if wanted or unwanted:
        either = []

    def matches(message: str) -> Mapping[str, str] | None:
        good = (
            all(is_in(message) for is_in in wanted)
            and not any(is_in(message) for is_in in unwanted)
            and (not either or any(is_in(message) for is_in in either))
        )
        return {} if good else None

    return matches


def _term(match: re.Match[str]) -> Callable[[str], bool]:
    if match["regex"] is not None:
        pattern = compiled(match["regex"])
        return lambda message: pattern.search(message) is not None
    if match["phrase"] is not None:
        phrase = re.sub(r"\\(.)", r"\1", match["phrase"])
        return lambda message: phrase in message
    word = match["word"]
    if not _WORD.fullmatch(word):
        raise invalid(f"Invalid character(s) in term '{word}'")
    return lambda message: word in message

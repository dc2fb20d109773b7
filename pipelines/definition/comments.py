"""Variable references that YAML takes for comments: `echo #{variables.level}` without quotes is just `echo`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from core.source import Diagnostic, Location

_CANDIDATE = re.compile(r"(?:^|(?<=[ \t]))#\{[A-Za-z0-9@\-_]+\.[A-Za-z0-9@\-_.]+\}", re.MULTILINE)


def swallowed_references(text: str, file: str) -> Iterator[Diagnostic]:
    """One diagnostic for each reference in `text`, good YAML, with which a comment begins."""
    candidates = list(_CANDIDATE.finditer(text))
    if not candidates:
        return
    scalars = [
        (event.start_mark.index, event.end_mark.index)
        for event in yaml.parse(text, Loader=yaml.CSafeLoader)
        if isinstance(event, yaml.ScalarEvent) and event.start_mark and event.end_mark
    ]
    for found in candidates:
        line_start = text.rfind("\n", 0, found.start()) + 1
        if _in_comment_that_begins_at(found.start(), line_start, text, scalars):
            location = Location(file, text.count("\n", 0, found.start()) + 1, found.start() - line_start + 1)
            what = f"{found.group()} is a comment here, because a blank stands before the #"
            yield Diagnostic(location, what, hint="put the whole text in quotes")


def _in_comment_that_begins_at(index: int, line_start: int, text: str, scalars: list[tuple[int, int]]) -> bool:
    """Whether `#` at `index` is the first of its line that stands outside every scalar."""
    outside = (
        place
        for place in range(line_start, index + 1)
        if text[place] == "#" and not any(start <= place < end for start, end in scalars)
    )
    return next(outside, None) == index

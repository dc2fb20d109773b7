"""Artifact patterns: `*` is any run inside one path segment, `**` crosses directories. Pure.

Source: CodeBuild buildspec reference, artifacts/files.
"""

from __future__ import annotations

import functools
import re

_PIECES = re.compile(r"\*\*/|\*{2,}|\*|[^*]+")


def normal(pattern: str) -> str:
    """`pattern` without `./`, doubled and trailing slashes: `./a//b/` is `a/b`; a leading `/` stays."""
    root = "/" if pattern.startswith("/") else ""
    return root + "/".join(segment for segment in pattern.split("/") if segment not in ("", "."))


def leaves(pattern: str) -> bool:
    """Whether the pattern leads out of the directory it is relative to."""
    return pattern.startswith("/") or ".." in pattern.split("/")


def is_glob(pattern: str) -> bool:
    """Whether the pattern can name more than one path."""
    return "*" in pattern


def matches(pattern: str, path: str) -> bool:
    """Whether the whole relative `path` (segments joined by `/`) fits `pattern`; dot files are like others."""
    return compiled(normal(pattern)).fullmatch(path) is not None


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """A normal pattern as a regular expression for whole paths."""
    text = ""
    at = 0
    for piece in _PIECES.findall(pattern):
        whole_segment = at == 0 or pattern[at - 1] == "/"
        if piece == "**/" and whole_segment:
            text += "(?:[^/]+/)*"
        elif piece.startswith("**"):
            slash = "/" if piece.endswith("/") else ""
            text += (".+" if whole_segment and at + len(piece) == len(pattern) else ".*") + slash
        elif piece == "*":
            segment_end = at + 1 == len(pattern) or pattern[at + 1] == "/"
            text += "[^/]+" if whole_segment and segment_end else "[^/]*"
        else:
            text += re.escape(piece)
        at += len(piece)
    return re.compile(text, re.DOTALL)


def fixed_part(pattern: str) -> str:
    """The directories before the first segment with a `*`: where a search can begin (`a/b/*.py` → `a/b`)."""
    segments = pattern.split("/")
    fixed = []
    for segment in segments[:-1]:
        if "*" in segment:
            break
        fixed.append(segment)
    return "/".join(fixed)

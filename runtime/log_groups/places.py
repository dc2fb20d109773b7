"""Where groups and streams are on disk, and how their names become paths and paths names again. Pure.

A function's own group is readable as it is: `aws/lambda/orders/2026/11/23/[1]0123….log`. Any other group, and a stream
whose name is no path, is quoted, because names may hold what paths must not (`..`, nothing between two slashes).
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

SETTINGS = "%group.json"
"""The file in a group's directory with what is known of the group."""
_FUNCTION_GROUP = re.compile(r"/aws/lambda/([A-Za-z0-9_-]{1,140})")
_PLAIN_STREAM = re.compile(r"[\w\[\]$.#@=+,-]{1,200}(/[\w\[\]$.#@=+,-]{1,200})*", re.ASCII)
_OTHER_GROUPS, _END, _OTHER_STREAMS = "%groups", "%", "%streams"
_PIECE = 200
"""A file name has at most 255 bytes, a quoted name up to three times 512."""


def group_directory(root: Path, group: str) -> Path:
    """The directory of `group` under `root`."""
    match = _FUNCTION_GROUP.fullmatch(group)
    if match is not None:
        return root / "aws" / "lambda" / match[1]
    return root.joinpath(_OTHER_GROUPS, *_pieces(group), _END)


def stream_path(directory: Path, stream: str) -> Path:
    """The file of `stream` in a group's directory."""
    parts = stream.split("/")
    if _PLAIN_STREAM.fullmatch(stream) and not {".", ".."} & set(parts):
        return directory.joinpath(*parts[:-1], f"{parts[-1]}.log")
    pieces = _pieces(stream)
    return directory.joinpath(_OTHER_STREAMS, *pieces[:-1], f"{pieces[-1]}.log")


def groups(root: Path) -> dict[str, Path]:
    """Every group under `root` by name, with its directory; sorted."""
    functions = (root / "aws" / "lambda").glob("*")
    found = {f"/aws/lambda/{path.name}": path for path in functions if path.is_dir()}
    others = root / _OTHER_GROUPS
    for path in others.rglob(_END):
        found[unquote("".join(path.relative_to(others).parts[:-1]))] = path
    return dict(sorted(found.items()))


def streams(directory: Path) -> dict[str, Path]:
    """Every stream of a group by name, with its file; sorted, which for functions is roughly the oldest first."""
    found: dict[str, Path] = {}
    for path in directory.rglob("*.log"):
        relative = PurePosixPath(path.relative_to(directory).as_posix().removesuffix(".log"))
        if relative.parts[0] == _OTHER_STREAMS:
            found[unquote("".join(relative.parts[1:]))] = path
        else:
            found[str(relative)] = path
    return dict(sorted(found.items()))


def _pieces(name: str) -> list[str]:
    """`name` quoted, in pieces that are file names; none is `.` or `..` or begins with a mark of ours."""
    text = quote(name, safe="").replace(".", "%2E").replace("~", "%7E")
    return [f"{text[at : at + _PIECE]}" for at in range(0, len(text), _PIECE)]

"""Where the template starts: from its first line on it is noted who imports what."""

from __future__ import annotations

from .stash import Stash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any


def main(startup: frozenset[str]) -> tuple[CodeType, dict[str, Any]]:
    """Returns only in a process that was forked to become a handler: what it is to run, at the bottom of its stack.

    `startup` are the modules that a fresh interpreter has.
    """
    stash = Stash(startup)
    stash.record()
    from .serving import serve

    return serve(stash)

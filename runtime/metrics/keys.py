"""What is counted apart. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """The dimensions of a count. Empty strings stand for "no such dimension".

    Invocations are counted under (function, resource, executed version), the last only for aliases, and summed up for
    fewer dimensions. Concurrency does not add up, so it is sampled under (function) and, for all functions, under ().
    """

    function: str
    resource: str = ""
    version: str = ""

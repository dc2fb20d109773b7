"""Marker and MaxItems: one page of a list. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from runtime.api.errors import invalid

T = TypeVar("T")


def page(items: Sequence[T], marker: str | None, size: int | None, largest: int = 50) -> tuple[list[T], str | None]:
    """The page of `items` after `marker`, at most `size` (and never more than `largest`), and the next marker if any.

    Raises:
        ApiError: the marker is none of ours.
    """
    start = 0
    if marker:
        try:
            start = int(base64.b64decode(marker, validate=True))
        except (binascii.Error, ValueError):
            raise invalid("Invalid Marker") from None
    end = start + min(size or largest, largest)
    following = base64.b64encode(str(end).encode()).decode() if end < len(items) else None
    return list(items[start:end]), following

"""JSON that somebody else wrote, read so that nothing in it is worse than an error."""

from __future__ import annotations

import json
from typing import Any


def json_of(text: str | bytes) -> Any:
    """What the JSON in `text` says.

    Raises:
        ValueError: it is none, or is nested deeper than can be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def check_json(payload: bytes) -> None:
    """Do nothing about a payload that is strict JSON: in UTF-8, without NaN and Infinity.

    Raises:
        ValueError: it is not.
    """
    try:
        _STRICT.decode(payload.decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_STRICT = json.JSONDecoder(parse_constant=_refuse)

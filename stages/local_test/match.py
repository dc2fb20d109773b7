"""What an answer lacks of what was expected, as sentences. Pure.

An object contains another when it has each of its keys with a value that contains the other's; a list contains another
of the same length item by item; everything else must be equal, where true is not 1. Exact means equal everywhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from core.document import Path, dotted
from stages.local_test.cases import Expectation

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answered. `payload` is a JSON value, or text when it is none; `error` "" when it returned."""

    payload: Any
    error: str
    duration_ms: float


def differences(expect: Expectation, answer: Answer) -> list[str]:
    """Why the answer is not the expected one; empty when it is."""
    found = _error_differences(expect, answer)
    if expect.has_payload and not (found and answer.error):
        compare = _unequal if expect.exact else _lacking
        found += compare(expect.payload, answer.payload, ("payload",))
    if expect.max_duration_ms is not None and answer.duration_ms > expect.max_duration_ms:
        found.append(f"took {answer.duration_ms:g} ms, at most {expect.max_duration_ms:g} ms were expected")
    return found


def _error_differences(expect: Expectation, answer: Answer) -> list[str]:
    payload = answer.payload if isinstance(answer.payload, dict) else {}
    kind, message = str(payload.get("errorType", "")), str(payload.get("errorMessage", ""))
    if not answer.error:
        return [f"the function was expected to fail, but it returned {_shown(answer.payload)}"] if expect.error else []
    if not expect.error:
        return [f"function error {answer.error}: {f'{kind}: {message}' if kind else _shown(answer.payload)}"]
    found = []
    if expect.error not in ("any", answer.error):
        found.append(f"function error: expected {expect.error}, got {answer.error}")
    if expect.error_type and expect.error_type != kind:
        found.append(f"errorType: expected {expect.error_type}, got {kind or 'none'} ({message})")
    if expect.error_message not in message:
        found.append(f"errorMessage: expected to contain {_shown(expect.error_message)}, got {_shown(message)}")
    return found


def _lacking(expected: Any, found: Any, path: Path) -> list[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        missing = [f"{dotted((*path, key))}: is missing" for key in expected if key not in found]
        both = (key for key in expected if key in found)
        return missing + [line for key in both for line in _lacking(expected[key], found[key], (*path, key))]
    return _items(expected, found, path, _lacking)


def _unequal(expected: Any, found: Any, path: Path) -> list[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        extra = [f"{dotted((*path, key))}: was not expected" for key in found if key not in expected]
        missing = [f"{dotted((*path, key))}: is missing" for key in expected if key not in found]
        both = (key for key in expected if key in found)
        return missing + extra + [line for key in both for line in _unequal(expected[key], found[key], (*path, key))]
    return _items(expected, found, path, _unequal)


def _items(expected: Any, found: Any, path: Path, compare: Any) -> list[str]:
    """Lists item by item, everything else by value."""
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return [f"{dotted(path)}: expected {len(expected)} items, got {len(found)}"]
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for index, (one, other) in pairs for line in compare(one, other, (*path, index))]
    if _same_kind(expected, found) and expected == found:
        return []
    return [f"{dotted(path)}: expected {_shown(expected)}, got {_shown(found)}"]


def _same_kind(expected: Any, found: Any) -> bool:
    return isinstance(expected, bool) == isinstance(found, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

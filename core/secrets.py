"""Taking secret values out of text before it is written anywhere."""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse
from collections.abc import Iterable

MASK = "***"

_SHORTEST = 4  # shorter values would mask half of every log
_SHORTEST_FRAGMENT = 8  # for parts of a value: a line of a key, base64 at an unknown offset


class Redactor:
    """Masks every value it knows, also as base64, URL-encoded and JSON-escaped text. Safe to use from many threads.

    Values shorter than 4 characters are ignored. Each longer line of a value with several lines is masked by itself.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: frozenset[str] = frozenset()
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Mask `value` from now on."""
        forms = _forms(value)
        with self._lock:
            self._forms |= forms

    def redact(self, text: str) -> str:
        """`text` with `***` in place of each stretch that is covered by known values (overlaps become one mask)."""
        spans = sorted(span for form in self._forms if form in text for span in _spans(form, text))
        if not spans:
            return text
        parts: list[str] = []
        done = 0
        end = -1
        for start, stop in spans:
            if start > end:
                parts += [text[done:start], MASK]
            end = max(end, stop)
            done = end
        return "".join([*parts, text[done:]])


def _spans(form: str, text: str) -> Iterable[tuple[int, int]]:
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = text.find(form, at + 1)


def _forms(value: str) -> frozenset[str]:
    """Every text that gives `value` away."""
    if len(value) < _SHORTEST:
        return frozenset()
    lines = [line.strip() for line in value.splitlines()]
    parts = {value} | ({line for line in lines if len(line) >= _SHORTEST_FRAGMENT} if len(lines) > 1 else set())
    forms: set[str] = set()
    for part in parts:
        forms |= {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
        forms |= _url_forms(part) | _base64_forms(part)
    return frozenset(forms)


def _url_forms(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    encoded = {urllib.parse.quote(raw, safe=""), urllib.parse.quote(raw), urllib.parse.quote_plus(raw)}
    return encoded | {_lower_hex(text) for text in encoded}


def _lower_hex(text: str) -> str:
    head, *rest = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def _base64_forms(value: str) -> set[str]:
    """Base64 of the value alone, and of the value inside a longer text (the part its neighbours do not change)."""
    raw = value.encode("utf-8", "surrogatepass")
    forms: set[str] = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode("ascii")
        forms |= {whole, whole.rstrip("=")}
        for offset in range(3):
            padded = encode(b"\0" * offset + raw).decode("ascii")
            first = -(-offset * 8 // 6)
            last = (offset + len(raw)) * 8 // 6
            if last - first >= _SHORTEST_FRAGMENT:
                forms.add(padded[first:last])
    return {form for form in forms if len(form) >= _SHORTEST}

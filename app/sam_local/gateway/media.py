"""Media types: which bodies are binary. Pure."""

from __future__ import annotations

from collections.abc import Iterable

_TEXTS = (
    "application/json", "application/xml", "application/javascript", "application/x-www-form-urlencoded",
    "application/graphql", "image/svg+xml",
)  # fmt: skip


def essence(content_type: str) -> str:
    """`text/html` of `text/html; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def matches_any(content_type: str, types: Iterable[str]) -> bool:
    """Whether it is one of the `types`, in which `*/*` and `image/*` stand for all of them."""
    found = essence(content_type)
    return any(
        wanted == "*/*" or wanted == found or (wanted.endswith("/*") and found.startswith(wanted[:-1]))
        for wanted in map(str.lower, types)
    )


def is_text(content_type: str, body: bytes) -> bool:
    """Whether an HTTP API passes the body on as text. Without a type, what is UTF-8 is text."""
    found = essence(content_type)
    if not found:
        return _is_utf8(body)
    named = found.startswith("text/") or found in _TEXTS or found.endswith(("+json", "+xml"))
    return named and _is_utf8(body)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

"""A request as it came in, and an answer as it goes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request. `path` and `query` are as sent, header names too; `request_id` is the event's."""

    method: str
    path: str
    query: str
    headers: Pairs
    body: bytes
    source_ip: str
    scheme: str
    protocol: str
    at: datetime
    request_id: str

    @property
    def target(self) -> str:
        """Path and query, as sent."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def header(self, name: str) -> str:
        """The first value of a header; "" when it was not sent."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    def parameters(self) -> Pairs:
        """The query's parameters, decoded, in their order."""
        return tuple(parse_qsl(self.query, keep_blank_values=True))

    @property
    def host(self) -> str:
        """The Host header."""
        return self.header("host")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One answer; Content-Length is added when it is sent."""

    status: int
    headers: Pairs = ()
    body: bytes = b""

    def having(self, headers: Iterable[tuple[str, str]]) -> Outgoing:
        """The answer with these headers instead of those of the same names."""
        given = tuple(headers)
        names = {name.lower() for name, _ in given}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return Outgoing(self.status, kept + given, self.body)


def json_answer(status: int, text: str, headers: Iterable[tuple[str, str]] = ()) -> Outgoing:
    """An answer of API Gateway's own."""
    return Outgoing(status, (("Content-Type", "application/json"), *headers), text.encode())


def last_values(pairs: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    """name → last value; None when there are none. Source: API Gateway, "the last value is passed"."""
    return dict(pairs) or None


def all_values(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]] | None:
    """name → every value; None when there are none."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found or None


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    """name → values with commas between; None when there are none. Source: payload format 2.0."""
    found = all_values(pairs)
    return {name: ",".join(values) for name, values in found.items()} if found else None


def or_none(values: Mapping[str, str]) -> dict[str, str] | None:
    """A copy; None when it is empty."""
    return dict(values) or None

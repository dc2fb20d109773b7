"""What an extension may ask the Telemetry API for. Pure. Source: reference §2, and the Telemetry API's reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from runtime.reading import json_of

_VERSIONS = ("2022-07-01", "2022-12-13", "2025-01-29")
TYPES = ("platform", "function", "extension")
_HOSTS = frozenset({"sandbox.localdomain", "sandbox"})
RESERVED_PORT = 9001
"""Where the APIs of an environment listen on AWS."""


class InvalidSubscription(Exception):
    """The request breaks these rules (the text says which)."""


@dataclass(frozen=True, slots=True)
class Buffering:
    """When a batch is sent: at whichever of these is reached first."""

    max_items: int = 1000
    max_bytes: int = 262_144
    timeout_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Destination:
    """Where events go, inside the sandbox."""

    protocol: str
    """`HTTP` or `TCP`."""
    port: int
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One extension's wish."""

    types: tuple[str, ...]
    destination: Destination
    buffering: Buffering


def parse(body: bytes) -> Subscription:
    """The subscription that `body` asks for.

    Raises:
        InvalidSubscription: with every mistake.
    """
    try:
        document = json_of(body)
    except ValueError as error:
        raise InvalidSubscription(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InvalidSubscription("the body is not a JSON object")
    problems: list[str] = []
    if document.get("schemaVersion") not in _VERSIONS:
        problems.append(f"schemaVersion should be one of {', '.join(_VERSIONS)}")
    types = _types(document.get("types"), problems)
    destination = _destination(document.get("destination"), problems)
    buffering = _buffering(document.get("buffering") or {}, problems)
    if problems or destination is None:
        raise InvalidSubscription("; ".join(problems))
    return Subscription(types, destination, buffering)


def _types(value: Any, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        problems.append("types should not be empty")
        return ()
    unknown = [str(each) for each in value if each not in TYPES]
    if unknown:
        problems.append(f"unknown types: {', '.join(unknown)}")
    return tuple(dict.fromkeys(str(each) for each in value))


def _destination(value: Any, problems: list[str]) -> Destination | None:
    if not isinstance(value, dict) or value.get("protocol") not in {"HTTP", "TCP"}:
        problems.append("destination should have a protocol, HTTP or TCP")
        return None
    if value["protocol"] == "TCP":
        return _at(value.get("port"), "TCP", "/", problems)
    try:
        address = urlsplit(str(value.get("URI", "")))
        port = address.port
    except ValueError:
        problems.append("URI is not valid")
        return None
    if address.scheme != "http" or address.hostname not in _HOSTS:
        problems.append("URI should start with http://sandbox.localdomain")
        return None
    return _at(port, "HTTP", address.path or "/", problems)


def _at(port: Any, protocol: str, path: str, problems: list[str]) -> Destination | None:
    if port is None:
        problems.append("URI port is not provided" if protocol == "HTTP" else "port is not provided")
    elif not _is_number(port) or not 1 <= port <= 65_535:
        problems.append("port should be between 1 and 65535")
    elif port == RESERVED_PORT:
        problems.append(f"port {RESERVED_PORT} is reserved")
    else:
        return Destination(protocol, port, path)
    return None


def _buffering(value: Any, problems: list[str]) -> Buffering:
    if not isinstance(value, Mapping):
        problems.append("buffering should be an object")
        return Buffering()
    return Buffering(
        max_items=_within(value, "maxItems", 1000, 10_000, 1000, problems),
        max_bytes=_within(value, "maxBytes", 262_144, 1_048_576, 262_144, problems),
        timeout_s=_within(value, "timeoutMs", 25, 30_000, 1000, problems) / 1000,
    )


def _within(value: Mapping[str, Any], name: str, low: int, high: int, default: int, problems: list[str]) -> int:
    number = value.get(name, default)
    if not _is_number(number) or not low <= number <= high:
        problems.append(f"{name} should be between {low} and {high}")
        return default
    return int(number)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

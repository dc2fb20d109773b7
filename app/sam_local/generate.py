"""Sample events: templates under `events/`, one file each, filled with values. Pure but for reading those files.

A file holds `fields` (name → default, help, and how a value is encoded), `derived` values (made of a field or of a
template of their own) and the `event`, in whose texts `{{name}}` stands for a value.
Source: the event examples in the developer guides of Lambda and of each service.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from core.document import suggest
from core.errors import InvalidInput

_ROOT = Path(__file__).with_name("events")
_PLACE = re.compile(r"\{\{([a-z0-9-]+)\}\}")
_KPL_MAGIC = b"\xf3\x89\x9a\xc2"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of an event that a flag gives."""

    name: str
    default: str
    help: str
    encoding: str = ""
    type: str = "text"


@dataclass(frozen=True, slots=True)
class Event:
    """One sample event."""

    service: str
    name: str
    help: str
    fields: Mapping[str, Field]
    derived: Mapping[str, Mapping[str, Any]]
    event: Any


@cache
def services() -> Mapping[str, tuple[str, ...]]:
    """service → its events, both sorted."""
    return {
        directory.name: tuple(sorted(path.stem for path in directory.glob("*.json")))
        for directory in sorted(_ROOT.iterdir())
        if directory.is_dir()
    }


def load(service: str, name: str) -> Event:
    """The event of that name.

    Raises:
        InvalidInput: there is no such service, or no such event of it.
    """
    if service not in services():
        raise InvalidInput(f"there is no service '{service}'", hint=suggest(service, services()))
    if name not in services()[service]:
        hint = suggest(name, services()[service]) or f"it has {', '.join(services()[service])}"
        raise InvalidInput(f"{service} has no event '{name}'", hint=hint)
    data = json.loads((_ROOT / service / f"{name}.json").read_text("utf-8"))
    fields = {key: Field(key, **described) for key, described in data["fields"].items()}
    return Event(service, name, data["help"], fields, data.get("derived", {}), data["event"])


def generate(event: Event, given: Mapping[str, str]) -> Any:
    """The event with `given` values (by field name), and defaults for the others.

    Raises:
        InvalidInput: a field that the event does not have, or a value that is none.
    """
    for name in given:
        if name not in event.fields:
            raise InvalidInput(f"No such option: --{name}", hint=suggest(name, event.fields))
    plain = {name: given.get(name, field.default) for name, field in event.fields.items()}
    values: dict[str, Any] = {name: _value(event.fields[name], text) for name, text in plain.items()}
    for name, how in event.derived.items():
        source = how["of"]
        text = plain[source] if isinstance(source, str) else json.dumps(_filled(source, plain), separators=(",", ":"))
        values[name] = _encoded(text, how["encoding"])
    return _filled(event.event, values)


def _value(field: Field, text: str) -> Any:
    if field.type == "text":
        return _encoded(text, field.encoding)
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) if field.type == "number" else True
    if value is None or not fits:
        raise InvalidInput(f"{text!r} is no {'number' if field.type == 'number' else 'JSON'}", where=f"--{field.name}")
    return value


def _encoded(text: str, encoding: str) -> str:
    """`text` through each step of `encoding` (`gzip+base64`)."""
    raw = text.encode()
    for step in encoding.split("+") if encoding else ():
        raw = _STEPS[step](raw)
    return raw.decode("utf-8")


def _aggregated(data: bytes) -> bytes:
    """One record as the Kinesis Producer Library aggregates several. Source: its aggregation format."""
    key = b"partKey03"
    record = b"\x08\x00" + b"\x1a" + _length(data) + data
    body = b"\x0a" + _length(key) + key + b"\x1a" + _length(record) + record
    return _KPL_MAGIC + body + hashlib.md5(body, usedforsecurity=False).digest()


def _length(data: bytes) -> bytes:
    """A length as a protocol buffer's variable-length number."""
    number, found = len(data), b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


_STEPS = {
    "url": lambda raw: quote_plus(raw, safe="/").encode(),  # as S3 writes keys
    "base64": base64.b64encode,
    "gzip": lambda raw: gzip.compress(raw, mtime=0),
    "md5": lambda raw: hashlib.md5(raw, usedforsecurity=False).hexdigest().encode(),
    "json": lambda raw: raw,
    "kpl": _aggregated,
}


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    """`template` with every `{{name}}` replaced; a text that is nothing else becomes the value itself."""
    if isinstance(template, dict):
        return {key: _filled(item, values) for key, item in template.items()}
    if isinstance(template, list):
        return [_filled(item, values) for item in template]
    if not isinstance(template, str):
        return template
    whole = _PLACE.fullmatch(template)
    if whole is not None:
        return values[whole.group(1)]
    return _PLACE.sub(lambda match: str(values[match.group(1)]), template)

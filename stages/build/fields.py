"""Typed values out of a YAML document, every mistake collected with its place instead of raised."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.document import Document, Path, dotted, parse_yaml, suggest
from core.source import Diagnostic

# A plain scalar as it stands in the text, behind an anchor or a tag.
_PLAIN = re.compile(r"(?:[&!]\S*\s+)*([^\s,\[\]{}]+)")
_KINDS = {dict: "a mapping", list: "a list", str: "text", int: "a number", float: "a number", bool: "yes or no"}


class Fields:
    """The document `text` and what is wrong with it so far. Values that are wrong read as empty."""

    def __init__(self, text: str, file: str) -> None:
        """Raises: InvalidInput: it is not YAML at all."""
        self._document: Document = parse_yaml(text, file)
        self._lines = text.removeprefix("\ufeff").splitlines()
        self.mistakes: list[Diagnostic] = []

    def value(self, path: Path) -> Any:
        """The plain value at `path`, None when there is none."""
        value = self._document.data
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def has(self, path: Path) -> bool:
        """Whether the key at `path` is written, whatever its value."""
        parent = self.value(path[:-1])
        return isinstance(parent, dict) and path[-1] in parent

    def mistake(self, path: Path, what: str, hint: str = "", *, key: bool = False) -> None:
        """Note a mistake at the value of `path`, or at its key."""
        place = self._document.key_location(path) if key else self._document.location(path)
        self.mistakes.append(Diagnostic(place, what, dotted(path), hint))

    def unsupported(self, path: Path, what: str, hint: str = "") -> None:
        """Note that AWS knows `what` but this version does not serve it."""
        self.mistake(path, f"{what} is not supported by this version of Penstock", hint, key=True)

    def mapping(self, path: Path, known: Sequence[str] | None = None, *, required: bool = False) -> Mapping[str, Any]:
        """The mapping at `path`; with `known`, other keys are mistakes."""
        value = self.value(path)
        if value is None and not required and not self.has(path):
            return {}
        if not isinstance(value, dict):
            self._wrong_kind(path, value, "a mapping")
            return {}
        for key in value if known is not None else ():
            if known is not None and key not in known:
                hint = suggest(key, known) or f"possible here: {', '.join(known)}"
                self.mistake((*path, key), f"unknown key '{key}'", hint, key=True)
        return value

    def text(self, path: Path) -> str:
        """The text at `path`. Numbers, yes and no read as they are written: `3.10` is "3.10", `true` is "true"."""
        value = self.value(path)
        if isinstance(value, str):
            return value
        if isinstance(value, bool | int | float):
            return self._written(path, value)
        if value is not None:
            self._wrong_kind(path, value, "text")
        return ""

    def texts(self, path: Path, *, required: bool = False) -> tuple[str, ...]:
        """The list of texts at `path`; empty items are mistakes, and so is an empty list when `required`."""
        value = self.value(path)
        if value is None and not required and not self.has(path):
            return ()
        if not isinstance(value, list):
            self._wrong_kind(path, value, "a list")
            return ()
        if required and not value:
            self.mistake(path, "the list is empty")
        return tuple(self._item((*path, index), item) for index, item in enumerate(value))

    def text_map(self, path: Path, check: Callable[[str], str]) -> dict[str, str]:
        """The mapping name → text at `path`; `check(name)` says what is wrong with a name, "" when nothing is."""
        found: dict[str, str] = {}
        for name in self.mapping(path):
            problem = check(name)
            if problem:
                self.mistake((*path, name), problem, key=True)
            found[name] = self.text((*path, name))
        return found

    def flag(self, path: Path, *, default: bool = False) -> bool:
        """Whether `path` says yes (or true); `default` when it says nothing."""
        value = self.value(path)
        words = {"yes": True, "true": True, "no": False, "false": False}
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        if isinstance(value, bool):
            return value
        if self.has(path):
            self._wrong_kind(path, value, "yes or no")
        return default

    def _item(self, path: Path, item: Any) -> str:
        if isinstance(item, dict | list):
            hint = "quote the whole item: ': ' or a leading '[' or '{' makes it more than text"
            self.mistake(path, f"an item must be text, not {_KINDS[type(item)]}", hint)
            return ""
        text = self.text(path)
        if not text.strip():
            self.mistake(path, "an item is empty")
        return text

    def _written(self, path: Path, value: Any) -> str:
        """How a value that YAML reads as no text stands in the file."""
        place = self._document.location(path)
        line = self._lines[place.line - 1] if place.line <= len(self._lines) else ""
        match = _PLAIN.match(line, place.column - 1)
        return match.group(1) if match else str(value)

    def _wrong_kind(self, path: Path, value: Any, wanted: str) -> None:
        found = "empty" if value is None else _KINDS.get(type(value), type(value).__name__)
        self.mistake(path, f"this must be {wanted}, not {found}" if value is not None else f"this must be {wanted}")

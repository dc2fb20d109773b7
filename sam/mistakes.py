"""Mistakes found in a template, gathered with their places until the whole file was read."""

from __future__ import annotations

from core.document import Document, Path, dotted
from core.errors import InvalidInput
from core.source import Diagnostic


class Mistakes:
    """Every mistake of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []

    def add(self, path: Path, what: str, hint: str = "") -> None:
        """The value at `path` is wrong."""
        self._found.append(Diagnostic(self._document.location(path), what, where=dotted(path), hint=hint))

    def add_key(self, path: Path, what: str, hint: str = "") -> None:
        """The key at the end of `path` is wrong."""
        self._found.append(Diagnostic(self._document.key_location(path), what, where=dotted(path), hint=hint))

    def warn(self, path: Path, what: str, hint: str = "") -> None:
        """The key at the end of `path` should be known to have no effect."""
        place = self._document.key_location(path)
        self.warnings.append(Diagnostic(place, what, where=dotted(path), hint=hint, severity="warning"))

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self) -> None:
        """Raises: InvalidInput with all of them, in the order of the file."""
        if self._found:
            raise InvalidInput.of(sorted(set(self._found), key=lambda found: (found.location, found.what)))

"""Bytes as they arrive to lines of text."""

from __future__ import annotations

from collections.abc import Callable

LONGEST = 1 << 16  # bytes; longer lines come in pieces


class Lines:
    """Gives each line to `on_line` without its line end, invalid UTF-8 replaced."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take more bytes; the last line waits for its end."""
        self._rest += chunk
        *whole, rest = self._rest.split(b"\n")
        self._rest = rest
        for line in whole:
            self._pieces(line.removesuffix(b"\r"))
        while len(self._rest) > LONGEST:
            self._on_line(_text(self._cut()))

    def end(self) -> None:
        """Give what has no line end."""
        if self._rest:
            self._pieces(self._rest)
            self._rest = bytearray()

    def _pieces(self, line: bytearray) -> None:
        self._rest, rest = line, self._rest
        while len(self._rest) > LONGEST:
            self._on_line(_text(self._cut()))
        self._on_line(_text(self._rest))
        self._rest = rest

    def _cut(self) -> bytearray:
        """The first piece of the rest, not ending inside a character."""
        end = LONGEST
        while end > LONGEST - 4 and self._rest[end] & 0xC0 == 0x80:
            end -= 1
        piece, self._rest = self._rest[:end], self._rest[end:]
        return piece


def _text(line: bytearray) -> str:
    return line.decode("utf-8", "replace")

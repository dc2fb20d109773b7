"""Places in the files a user wrote, and what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: `file:line:column: error: where: what; hint`.

    `where` is the dotted path of the value (`stages[2].actions[0].provider`), empty for the whole file.
    """

    location: Location
    what: str
    where: str = ""
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.location}: {self.severity}: {where}{self.what}{hint}"

"""The one error tree, and the exit code each class ends the command line with.

    PenstockError                 1   we failed, and can say where and why
    ├── InvalidInput              2   a file, flag or value the user wrote is wrong (carries Diagnostics)
    ├── NotAllowed                3   understood, but not possible now (says what is possible)
    │   ├── IllegalTransition         a state machine refused an event
    │   └── Conflict                  somebody else changed the record first (compare-and-set lost)
    │       └── LeaseLost             another driver holds the lease now
    ├── NotFound                  4   no such execution, function, artifact, …
    ├── Unavailable               5   a server, tool or network we need does not answer
    └── Interrupted             130   the user stopped us

A pipeline that ran and failed is no error: it is an outcome, and the command line answers it with exit code 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.source import Diagnostic


class PenstockError(Exception):
    """What went wrong, where and why, and what to try next.

    `what` is one sentence without a full stop. `hint` is optional and begins with a verb.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.why:
            text += f": {self.why}"
        if self.hint:
            text += f"; {self.hint}"
        return text


class InvalidInput(PenstockError):
    """Every mistake found in what the user wrote, all at once, each with its place."""

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        hint: str = "",
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        super().__init__(what, where=where, why=why, hint=hint)
        self.diagnostics = tuple(diagnostics)

    @classmethod
    def of(cls, diagnostics: Sequence[Diagnostic]) -> InvalidInput:
        """An error that carries `diagnostics` (at least one)."""
        count = len(diagnostics)
        return cls(f"{count} mistake{'s' if count != 1 else ''} found", diagnostics=diagnostics)

    def __str__(self) -> str:
        if self.diagnostics:
            return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)
        return super().__str__()


class NotAllowed(PenstockError):
    """The request is understood but not possible in the present state."""

    exit_code = 3


class IllegalTransition(NotAllowed):
    """A state machine has no row for this event in this state."""


class Conflict(NotAllowed):
    """The record changed since it was read; nothing was written."""


class LeaseLost(Conflict):
    """Another driver holds the lease; whoever sees this must stop writing at once."""


class NotFound(PenstockError):
    """The named thing does not exist."""

    exit_code = 4


class Unavailable(PenstockError):
    """Something we depend on does not answer."""

    exit_code = 5


class Interrupted(PenstockError):
    """The user interrupted us."""

    exit_code = 130

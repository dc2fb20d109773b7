"""A state machine as one table: what is not in the table is illegal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from core.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Machine(Generic[S, E]):
    """The legal moves of one kind of thing; `name` is the word messages use for it ("execution")."""

    name: str
    table: Mapping[tuple[S, E], S]

    def next(self, state: S, event: E) -> S:
        """The state after `event`.

        Raises:
            IllegalTransition: the table has no such row; the hint lists what is possible now.
        """
        try:
            return self.table[(state, event)]
        except KeyError:
            raise IllegalTransition(
                f"{event.value} is not possible while the {self.name} is {state.value}",
                hint=self._possible(state),
            ) from None

    def allowed(self, state: S) -> tuple[E, ...]:
        """The events possible in `state`, in table order; empty for a final state."""
        return tuple(event for (here, event) in self.table if here == state)

    def final(self, state: S) -> bool:
        """Whether nothing can happen any more."""
        return not self.allowed(state)

    def _possible(self, state: S) -> str:
        events = ", ".join(event.value for event in self.allowed(state))
        return f"possible now: {events}" if events else f"{state.value} is final"

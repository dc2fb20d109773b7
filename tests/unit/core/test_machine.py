"""A machine does what its table says and nothing else."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import IllegalTransition
from core.machine import Machine


class State(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    GONE = "gone"


class Move(StrEnum):
    PUSH = "push"
    PULL = "pull"
    DROP = "drop"


DOOR = Machine(
    "door",
    {
        (State.OPEN, Move.PUSH): State.SHUT,
        (State.SHUT, Move.PULL): State.OPEN,
        (State.SHUT, Move.DROP): State.GONE,
    },
)

_tables = st.dictionaries(st.tuples(st.sampled_from(State), st.sampled_from(Move)), st.sampled_from(State), max_size=9)


@given(_tables, st.sampled_from(State), st.sampled_from(Move))
def test_what_is_not_in_the_table_is_illegal(table: dict[tuple[State, Move], State], state: State, move: Move) -> None:
    machine = Machine("thing", table)
    if (state, move) in table:
        assert machine.next(state, move) == table[(state, move)]
        assert move in machine.allowed(state)
        assert not machine.final(state)
    else:
        with pytest.raises(IllegalTransition):
            machine.next(state, move)
        assert move not in machine.allowed(state)


def test_a_refusal_says_what_is_possible_now() -> None:
    with pytest.raises(IllegalTransition) as caught:
        DOOR.next(State.SHUT, Move.PUSH)
    assert str(caught.value) == "push is not possible while the door is shut; possible now: pull, drop"
    with pytest.raises(IllegalTransition, match="gone is final"):
        DOOR.next(State.GONE, Move.PUSH)

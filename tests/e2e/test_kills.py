"""Any process may be killed at any instant: the release goes on or goes back, and is never left half-way."""

from __future__ import annotations

import os
import random

from scripts.workshop import Workshop
from tests.e2e import kills


def test_a_release_survives_the_kill_of_each_process(workshop: Workshop) -> None:
    """One kill -9 of each process and one of all together; PENSTOCK_KILLS asks for more rounds."""
    rounds = int(os.environ.get("PENSTOCK_KILLS", len(kills.VICTIMS)))
    kills.begin(workshop)
    chance = random.Random(2)
    for number in range(rounds):
        victim = kills.VICTIMS[number % len(kills.VICTIMS)]
        kills.round_of(workshop, number, victim, chance, wrong=number % 3 == 2)

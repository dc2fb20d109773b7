"""The life of an execution environment as one table. Source: reference §3."""

from __future__ import annotations

from enum import StrEnum

from core.machine import Machine


class Phase(StrEnum):
    """What an environment is doing."""

    INIT = "Init"
    """Starting, with no invocation bound to it."""
    IDLE = "Idle"
    """Its runtime waits in `next`."""
    BUSY = "Busy"
    """An invocation runs."""
    ANSWERED = "Answered"
    """The result was posted; the runtime has not asked for the next event yet."""
    PROMISED = "Promised"
    """Answered, and the next invocation is waiting for the runtime to ask."""
    RESET = "Reset"
    """Without a process: init failed, or the last invocation timed out or killed it."""
    RESTARTING = "Restarting"
    """Init runs again inside an invocation, under the function's timeout."""
    RETIRED = "Retired"
    """Gone for good."""


class Happening(StrEnum):
    """What moves an environment."""

    READY = "asking for the next event"
    ASSIGNED = "being given an invocation"
    ANSWERED = "posting a result"
    LOST = "losing its process"
    RETIRED = "being retired"


LIFE: Machine[Phase, Happening] = Machine(
    "environment",
    {
        (Phase.INIT, Happening.READY): Phase.IDLE,
        (Phase.INIT, Happening.LOST): Phase.RESET,
        (Phase.IDLE, Happening.ASSIGNED): Phase.BUSY,
        (Phase.IDLE, Happening.LOST): Phase.RESET,
        (Phase.BUSY, Happening.ANSWERED): Phase.ANSWERED,
        (Phase.BUSY, Happening.LOST): Phase.RESET,
        (Phase.ANSWERED, Happening.READY): Phase.IDLE,
        (Phase.ANSWERED, Happening.ASSIGNED): Phase.PROMISED,
        (Phase.ANSWERED, Happening.LOST): Phase.RESET,
        (Phase.PROMISED, Happening.READY): Phase.BUSY,
        (Phase.PROMISED, Happening.LOST): Phase.RESTARTING,
        (Phase.RESET, Happening.ASSIGNED): Phase.RESTARTING,
        (Phase.RESTARTING, Happening.READY): Phase.BUSY,
        (Phase.RESTARTING, Happening.LOST): Phase.RESET,
        **{(phase, Happening.RETIRED): Phase.RETIRED for phase in Phase if phase is not Phase.RETIRED},
    },
)

AVAILABLE = frozenset({Phase.IDLE, Phase.ANSWERED, Phase.RESET})
"""Where an invocation may be given to it."""

"""The life of an execution environment as one table. Source: reference §3."""

from __future__ import annotations

from enum import StrEnum

from core.machine import Machine


class Phase(StrEnum):
    """What an environment is doing."""

    INIT = "Init"
    """Starting, with no invocation bound to it."""
    IDLE = "Idle"
    """Its runtime, and every extension, waits for the next event."""
    BUSY = "Busy"
    """An invocation runs."""
    ANSWERED = "Answered"
    """The result was posted; the runtime has not asked for the next event yet. Only without extensions."""
    FINISHING = "Finishing"
    """The result was posted; the runtime or an extension is still at work, under the function's timeout."""
    PROMISED = "Promised"
    """Answered, and the next invocation is waiting for the runtime to ask."""
    SHUTDOWN = "Shutdown"
    """The Shutdown phase: processes are being asked to end."""
    RESET = "Reset"
    """Without a process: init failed, or the last invocation timed out or killed it."""
    RESTARTING = "Restarting"
    """Init runs again inside an invocation, under the function's timeout."""
    RETIRED = "Retired"
    """Gone for good."""


class Happening(StrEnum):
    """What moves an environment."""

    READY = "everybody asking for the next event"
    ASSIGNED = "being given an invocation"
    ANSWERED = "posting a result"
    ANSWERED_FIRST = "posting a result before extensions are done"
    LOST = "losing its processes"
    ENDING = "being shut down"
    RETIRED = "being retired"


_BREAKABLE = (Phase.INIT, Phase.IDLE, Phase.BUSY, Phase.ANSWERED, Phase.FINISHING, Phase.RESTARTING)

LIFE: Machine[Phase, Happening] = Machine(
    "environment",
    {
        (Phase.INIT, Happening.READY): Phase.IDLE,
        (Phase.IDLE, Happening.ASSIGNED): Phase.BUSY,
        (Phase.BUSY, Happening.ANSWERED): Phase.ANSWERED,
        (Phase.BUSY, Happening.ANSWERED_FIRST): Phase.FINISHING,
        (Phase.ANSWERED, Happening.READY): Phase.IDLE,
        (Phase.ANSWERED, Happening.ASSIGNED): Phase.PROMISED,
        (Phase.FINISHING, Happening.READY): Phase.IDLE,
        (Phase.PROMISED, Happening.READY): Phase.BUSY,
        (Phase.PROMISED, Happening.LOST): Phase.RESTARTING,
        (Phase.SHUTDOWN, Happening.LOST): Phase.RESET,
        (Phase.RESET, Happening.ASSIGNED): Phase.RESTARTING,
        (Phase.RESTARTING, Happening.READY): Phase.BUSY,
        **{(phase, Happening.LOST): Phase.RESET for phase in _BREAKABLE},
        **{(phase, Happening.ENDING): Phase.SHUTDOWN for phase in _BREAKABLE},
        **{(phase, Happening.RETIRED): Phase.RETIRED for phase in Phase if phase is not Phase.RETIRED},
    },
)

AVAILABLE = frozenset({Phase.IDLE, Phase.ANSWERED, Phase.RESET})
"""Where an invocation may be given to it."""

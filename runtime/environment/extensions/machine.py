"""The life of one extension as one table. Source: reference §2 and §3; states under AWS's own names."""

from __future__ import annotations

from enum import StrEnum

from core.machine import Machine


class Standing(StrEnum):
    """Where an extension stands."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    """It waits in `/event/next`."""
    RUNNING = "Running"
    """It was given an event and has not asked for the next one yet."""
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    LAUNCH_ERROR = "LaunchError"
    EXITED = "Exited"


class Step(StrEnum):
    """What moves an extension."""

    REGISTER = "registering"
    NEXT = "asking for the next event"
    EVENT = "being given an event"
    INIT_ERROR = "reporting an init error"
    EXIT_ERROR = "reporting an exit error"
    LAUNCH_FAILED = "failing to start"
    EXIT = "ending"


EXTENSION: Machine[Standing, Step] = Machine(
    "extension",
    {
        (Standing.STARTED, Step.REGISTER): Standing.REGISTERED,
        (Standing.STARTED, Step.LAUNCH_FAILED): Standing.LAUNCH_ERROR,
        (Standing.REGISTERED, Step.NEXT): Standing.READY,
        (Standing.REGISTERED, Step.INIT_ERROR): Standing.INIT_ERROR,
        (Standing.REGISTERED, Step.EXIT_ERROR): Standing.EXIT_ERROR,
        (Standing.READY, Step.NEXT): Standing.READY,  # its connection broke while it waited, and it asks again
        (Standing.READY, Step.EVENT): Standing.RUNNING,
        (Standing.READY, Step.EXIT_ERROR): Standing.EXIT_ERROR,
        (Standing.RUNNING, Step.NEXT): Standing.READY,
        (Standing.RUNNING, Step.EXIT_ERROR): Standing.EXIT_ERROR,
        (Standing.INIT_ERROR, Step.INIT_ERROR): Standing.INIT_ERROR,
        (Standing.EXIT_ERROR, Step.EXIT_ERROR): Standing.EXIT_ERROR,
        **{
            (standing, Step.EXIT): Standing.EXITED
            for standing in (Standing.STARTED, Standing.REGISTERED, Standing.READY, Standing.RUNNING)
        },
        (Standing.INIT_ERROR, Step.EXIT): Standing.INIT_ERROR,  # what it said stays known after its end
        (Standing.EXIT_ERROR, Step.EXIT): Standing.EXIT_ERROR,
    },
)

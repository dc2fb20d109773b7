"""What a mapping's state asks of its poller, and the state it comes to. Pure. Source: reference §12, "ESM states"."""

from __future__ import annotations

from enum import StrEnum

CREATING, ENABLING, ENABLED = "Creating", "Enabling", "Enabled"
DISABLING, DISABLED, UPDATING, DELETING = "Disabling", "Disabled", "Updating", "Deleting"


class Task(StrEnum):
    """What is to be done about a mapping."""

    NOTHING = "nothing"
    POLL = "poll"
    REST = "rest"
    FORGET = "forget"


def task(state: str, *, enabled: bool, polling: bool) -> tuple[Task, str]:
    """What to do, and the state afterwards. POLL also replaces a poller that runs with older settings."""
    if state == DELETING:
        return Task.FORGET, state
    if state == ENABLED:
        return (Task.NOTHING if polling else Task.POLL), state
    if state == DISABLED:
        return (Task.REST if polling else Task.NOTHING), state
    return (Task.POLL, ENABLED) if enabled else (Task.REST, DISABLED)

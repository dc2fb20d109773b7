"""What a server is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtime.queues.retry import RETRY_DELAYS_S


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the server keeps its state, where it listens, whom it answers for, and its limits."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 0
    account: str = "123456789012"
    region: str = "us-east-1"
    concurrency: int = 1000
    """Source: reference §8, concurrency per region."""
    max_environments: int = 64
    """Processes at once on this machine; beyond it invocations wait."""
    idle_s: float = 300.0
    init_timeout_s: float = 10.0
    retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S
    isolation: bool = True
    """Whether functions are kept apart from this machine as far as it allows; off, they run as this server's user."""
    sandbox_users: tuple[int, int] = (50_000, 59_999)
    """The user ids that sandboxes may have, when this server is root."""
    strict_roles: bool = False
    """Whether a function may only have a role that the local IAM knows."""
    echo_logs: int | None = None
    """A file descriptor that gets every line the functions log, as they log it."""
    one_shot: bool = False
    """Whether a single invocation is expected, for which preparing others would take longer than it saves."""
    untimed: bool = False
    """Whether functions may take as long as they like: somebody is debugging them."""
    throw_away: bool = False
    """Ends when its standard input does, that is with whoever started it, and takes its home along."""

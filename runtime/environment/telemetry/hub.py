"""The telemetry of one environment: what happened so far, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from runtime.environment.telemetry import events
from runtime.environment.telemetry.delivery import Subscriber
from runtime.environment.telemetry.events import PlatformEvent
from runtime.environment.telemetry.subscription import Subscription
from runtime.reading import json_of

_EARLY_EVENTS = 10_000


class SubscriptionClosed(Exception):
    """Init is over: nobody can subscribe any more."""


class Telemetry:
    """Made for environments that may have extensions. Events of the init are kept for whoever subscribes in it.

    `host` is where ports of the sandbox are reached; `structured` says that function logs are JSON.
    """

    def __init__(self, now: Callable[[], datetime], host: str, *, structured: bool) -> None:
        self._now = now
        self._host = host
        self._structured = structured
        self._open = True
        self._early: list[tuple[str, str]] = []
        self._subscribers: dict[str, Subscriber] = {}

    def platform(self, event: PlatformEvent) -> None:
        """Tell of a platform event."""
        self._tell("platform", event.type, event.record)

    def log_line(self, kind: str, text: str) -> None:
        """Tell of a line that the function (`function`) or an extension (`extension`) wrote."""
        record: Any = text
        if self._structured and kind == "function" and text.startswith("{"):
            try:
                record = json_of(text)
            except ValueError:
                record = text
        self._tell(kind, kind, record)

    def subscribe(self, name: str, subscription: Subscription) -> None:
        """Tell extension `name` from now on, and of what happened since init began; a second wish replaces the first.

        Raises:
            SubscriptionClosed: init is over.
        """
        if not self._open:
            raise SubscriptionClosed
        before = self._subscribers.pop(name, None)
        if before is not None:
            before.close()
        subscriber = self._subscribers[name] = Subscriber(self._host, subscription, self._dropped)
        for kind, event in self._early:
            if kind in subscriber.types:
                subscriber.add(event)

    def close_subscription(self) -> None:
        """Init is over."""
        self._open = False
        self._early.clear()

    async def flush(self) -> None:
        """Send what waits."""
        await asyncio.gather(*(subscriber.flush() for subscriber in self._subscribers.values()))

    def close(self) -> None:
        """Tell nobody any more."""
        for subscriber in self._subscribers.values():
            subscriber.close()
        self._subscribers.clear()
        self.close_subscription()

    def _tell(self, kind: str, event_type: str, record: Any) -> None:
        if not self._open and not self._subscribers:
            return
        encoded = events.encode(event_type, record, self._now())
        for subscriber in self._subscribers.values():
            if kind in subscriber.types:
                subscriber.add(encoded)
        if self._open and len(self._early) < _EARLY_EVENTS:
            self._early.append((kind, encoded))

    def _dropped(self, count: int, size_bytes: int, why: str) -> None:
        self.platform(events.logs_dropped(count, size_bytes, why))

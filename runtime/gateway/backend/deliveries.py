"""Events on their way to functions: asynchronously invoked, tried again, given up to whoever wants to know."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from runtime.gateway.backend.functions import Functions
from runtime.gateway.events.retries import Retries, is_final
from runtime.policy.callers import Role, Service

_log = logging.getLogger(__name__)
_THREADS = 8
_SERVER_AWAY_S = 0.25
"""A server that restarts is asked this often; that costs the event no attempt."""


@dataclass(frozen=True, slots=True)
class Dead:
    """An event that is given up."""

    payload: str
    code: str
    message: str
    attempts: int
    condition: str
    """`MaximumRetryAttempts`, `MaximumEventAgeInSeconds`; empty when there was no point in trying again."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one function. `dead` is called, in some thread, when it is given up."""

    arn: str
    payload: str
    caller: Service | Role
    retries: Retries
    dead: Callable[[Dead], None] | None = None
    trace: str = ""
    made: int = 0
    began: float = 0.0


class Deliveries:
    """Takes events at once and delivers them in the order of their times."""

    def __init__(self, functions: Functions, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._functions = functions
        self._monotonic = monotonic
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._changed = threading.Condition()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="delivery")
        threading.Thread(target=self._run, name="deliveries", daemon=True).start()

    def put(self, delivery: Delivery) -> None:
        """Deliver it, beginning now."""
        now = self._monotonic()
        self._again(replace(delivery, began=now), now)

    def _again(self, delivery: Delivery, due: float) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (due, next(self._numbers), delivery))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting or self._waiting[0][0] > self._monotonic():
                    self._changed.wait(self._waiting[0][0] - self._monotonic() if self._waiting else None)
                _, _, delivery = heapq.heappop(self._waiting)
            self._threads.submit(self._safely, delivery)

    def _safely(self, delivery: Delivery) -> None:
        try:
            self._try(delivery)
        except Exception:  # noqa: BLE001  (nobody waits for the thread: the log must say it)
            _log.exception("an event for %s could not be delivered", delivery.arn)

    def _try(self, delivery: Delivery) -> None:
        try:
            answer = self._functions.invoke(
                delivery.arn, delivery.payload.encode(), delivery.caller, "Event", delivery.trace
            )
        except OSError:
            self._again(delivery, self._monotonic() + _SERVER_AWAY_S)
            return
        if answer.status == 202:
            return
        delivery = replace(delivery, made=delivery.made + 1)
        now = self._monotonic()
        final = is_final(answer.status)
        delay_s = None if final else delivery.retries.delay_s(delivery.made, now - delivery.began)
        if delay_s is not None:
            self._again(delivery, now + delay_s)
            return
        _log.warning("an event for %s is given up: %s %s", delivery.arn, answer.code, answer.message)
        if delivery.dead is not None:
            condition = "" if final else delivery.retries.condition(delivery.made)
            delivery.dead(Dead(delivery.payload, answer.code, answer.message, delivery.made, condition))

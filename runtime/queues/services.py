"""Calls of other AWS services, each in a thread of its own kind, so that none holds up the event loop or the end."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol

_MAX_THREADS = 256
_IDLE_S = 30.0

Work = Callable[[], None]


class Clients(Protocol):
    """Where clients come from."""

    def client(self, service: str) -> Any:
        """A botocore client of `service` ("sqs"); usable from any thread."""
        ...


class Services:
    """`call` runs one operation. Threads are made when all are busy, go when idle, and never keep the process alive."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._work: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = self._outstanding = 0

    async def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """The operation's result (`operation` as botocore names it: "receive_message").

        Raises:
            botocore.exceptions.BotoCoreError: the service could not be reached.
            botocore.exceptions.ClientError: it answered with an error.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def work() -> None:
            result, error = None, None
            try:
                result = getattr(self._clients.client(service), operation)(**parameters)
            except BaseException as raised:  # noqa: BLE001  (it is the caller's)
                error = raised
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        self._submit(work)
        return await future

    def _submit(self, work: Work) -> None:
        with self._lock:
            self._outstanding += 1
            if self._outstanding > self._threads and self._threads < _MAX_THREADS:
                self._threads += 1
                threading.Thread(target=self._serve, daemon=True, name="aws-call").start()
            self._work.put(work)

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=_IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._work.empty():
                        self._threads -= 1
                        return
                continue
            work()
            with self._lock:
                self._outstanding -= 1

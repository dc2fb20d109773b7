"""An ASGI application that answers a little later instead of 503: Prefect's server on SQLite gives up at once when two
transactions meet, and its client then sleeps two seconds before it asks again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_UNAVAILABLE = 503


class Patient:
    """Wraps `application`: a request answered 503 is put to it again, after each of `waits_s`, before 503 is passed on.

    Right for an application whose 503 means "nothing was written": SQLite's busy and snapshot errors roll back.
    """

    def __init__(
        self, application: Application, waits_s: tuple[float, ...] = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
    ) -> None:
        self._application = application
        self._waits_s = waits_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        request = await _whole(receive)
        for wait_s in self._waits_s:
            answer = await _attempt(self._application, scope, request, receive, send)
            if answer.passed_on:
                return
            await asyncio.sleep(wait_s)
        await self._application(scope, _replay(request, receive), send)


class _Answer:
    """Passes an answer on unless it begins with 503."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.passed_on = True

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.passed_on = message["status"] != _UNAVAILABLE
        if self.passed_on:
            await self._send(message)


async def _attempt(
    application: Application, scope: Scope, request: list[Message], receive: Receive, send: Send
) -> _Answer:
    answer = _Answer(send)
    try:
        await application(dict(scope), _replay(request, receive), answer)
    except Exception:
        if answer.passed_on:
            raise  # Starlette raises again after it answered; of a 503 that is kept back nobody needs to know
    return answer


async def _whole(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _replay(request: list[Message], receive: Receive) -> Receive:
    rest = iter(request)

    async def next_message() -> Message:
        for message in rest:
            return message
        return await receive()

    return next_message

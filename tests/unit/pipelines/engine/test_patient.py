"""The front before Prefect's server: a 503 is tried again, everything else passes as it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipelines.engine.patient import Message, Patient, Receive, Scope, Send


class Busy:
    """Answers 503 some times, then 201 with the request's body."""

    def __init__(self, times: int, *, raises: bool = False) -> None:
        self.left = times
        self.bodies: list[bytes] = []
        self.raises = raises

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        self.bodies.append(body)
        busy = self.left > 0
        self.left -= 1
        await send({"type": "http.response.start", "status": 503 if busy else 201, "headers": []})
        await send({"type": "http.response.body", "body": b"busy" if busy else body})
        if busy and self.raises:
            raise RuntimeError("database is locked")  # Starlette's outermost middleware does so after its answer


def call(application: Any, kind: str = "http") -> list[Message]:
    """What `application` answers to a request whose body comes in two pieces."""
    requests: list[Message] = [
        {"type": "http.request", "body": b"one ", "more_body": True},
        {"type": "http.request", "body": b"two", "more_body": False},
    ]
    answers: list[Message] = []

    async def receive() -> Message:
        return requests.pop(0)

    async def send(message: Message) -> None:
        answers.append(message)

    asyncio.run(application({"type": kind, "state": {}}, receive, send))
    return answers


@pytest.mark.parametrize("raises", [False, True])
def test_a_busy_answer_is_tried_again_with_the_whole_body(raises: bool) -> None:
    busy = Busy(2, raises=raises)
    answers = call(Patient(busy, waits_s=(0, 0, 0)))
    assert [answer.get("status") for answer in answers] == [201, None]
    assert busy.bodies == [b"one two"] * 3


def test_when_patience_ends_the_503_is_passed_on() -> None:
    busy = Busy(9)
    answers = call(Patient(busy, waits_s=(0, 0)))
    assert answers[0]["status"] == 503
    assert len(busy.bodies) == 3


def test_other_failures_are_not_repeated() -> None:
    calls = 0

    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal calls
        calls += 1
        await send({"type": "http.response.start", "status": 500, "headers": []})
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        call(Patient(broken, waits_s=(0, 0)))
    assert calls == 1


def test_what_is_no_request_goes_straight_through() -> None:
    seen: list[str] = []

    async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    call(Patient(application), kind="websocket")
    assert seen == ["websocket"]

"""What a client of InvokeWithResponseStream is sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from botocore.eventstream import EventStreamBuffer

from core.ids import RandomIds
from runtime.http import Request, Response
from runtime.invoke.invoker import Call
from runtime.invoke.results import Result
from runtime.invoke.streaming import StreamApi

REQUEST = Request("POST", "/2021-11-15/functions/f/response-streaming-invocations", "", {}, b"{}")


class Function:
    """In place of an invoker: streams pieces, then ends with the result."""

    def __init__(self, pieces: list[bytes], result: Result) -> None:
        self._pieces = pieces
        self._result = result
        self.task: asyncio.Task[None] | None = None

    def invoke(self, _name: str, _qualifier: str | None, call: Call, answer: Any) -> None:
        """As an invoker."""
        self.task = asyncio.get_running_loop().create_task(self._run(call, answer))

    async def _run(self, call: Call, answer: Any) -> None:
        if self._pieces:
            assert call.on_stream is not None
            push = call.on_stream("3", "text/plain")
            for piece in self._pieces:
                await push(piece)
        answer(self._result, "3")


def sent(function: Function, limit_bytes: int = 100) -> tuple[Response, list[tuple[str, bytes]]]:
    """The response, and its events."""

    async def run() -> tuple[Response, list[tuple[str, bytes]]]:
        api = StreamApi(function, RandomIds(), lambda error, _id: Response(400), limit_bytes)  # type: ignore[arg-type]
        reply: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        api.handle(REQUEST, reply.set_result)
        response = await asyncio.wait_for(reply, 5)
        assert response.stream is not None
        buffer = EventStreamBuffer()
        async for piece in response.stream:
            buffer.add_data(piece)
        messages: list[Any] = [*buffer]
        return response, [(each.headers[":event-type"], each.payload) for each in messages]

    return asyncio.run(run())


def test_pieces_are_chunks_and_the_end_says_that_all_is_well() -> None:
    response, events = sent(Function([b"a", b"b"], Result(b"")))
    assert dict(response.headers)["X-Amz-Executed-Version"] == "3"
    assert events == [("PayloadChunk", b"a"), ("PayloadChunk", b"b"), ("InvokeComplete", b"{}")]


def test_an_error_in_the_middle_is_told_at_the_end() -> None:
    _, events = sent(Function([b"a"], Result(b'{"errorType":"Oops"}', "Oops")))
    assert [kind for kind, _ in events] == ["PayloadChunk", "InvokeComplete"]
    assert json.loads(events[-1][1]) == {"ErrorCode": "Oops", "ErrorDetails": '{"errorType":"Oops"}'}


def test_what_comes_after_the_limit_is_dropped_and_said() -> None:
    _, events = sent(Function([b"x" * 60] * 3, Result(b"")))
    assert [payload for kind, payload in events if kind == "PayloadChunk"] == [b"x" * 60]
    assert json.loads(events[-1][1])["ErrorCode"] == "Function.ResponseSizeTooLarge"


def test_a_whole_result_is_one_chunk() -> None:
    _, events = sent(Function([], Result(b'"whole"')))
    assert events == [("PayloadChunk", b'"whole"'), ("InvokeComplete", b"{}")]

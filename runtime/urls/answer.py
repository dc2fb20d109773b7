"""The answer to one request to a function URL: whole, or as the function streams it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from runtime.channel import Channel
from runtime.http import Reply, Request, Response
from runtime.invoke.invocation import Push
from runtime.invoke.results import Result
from runtime.invoke.streaming import MAX_STREAM_BYTES
from runtime.urls.cors import applied
from runtime.urls.response import HTTP_INTEGRATION, JSON, BadResult, Prelude, response_of

_log = logging.getLogger(__name__)


class Answer:
    """`reply` is called once. `streams`: the URL's invoke mode is RESPONSE_STREAM."""

    def __init__(self, request: Request, cors: Mapping[str, Any], reply: Reply, *, streams: bool) -> None:
        self._request = request
        self._cors = cors
        self._reply = reply
        self.streams = streams
        self.ids: tuple[tuple[str, str], ...] = ()
        self._sent = False
        self._body: Channel | None = None
        self._prelude: Prelude | None = None
        self._size = 0

    def send(self, response: Response) -> None:
        """Answer, unless that is done."""
        if self._sent:
            return
        self._sent = True
        headers = applied(self._cors, self._request, (*response.headers, *self.ids))
        if self._request.method == "HEAD":
            self._reply(Response(response.status, headers, length=len(response.body)))
            return
        self._reply(Response(response.status, headers, response.body, response.stream))

    # a result that is streamed ----------------------------------------------------------------------------------

    def begins(self, _version: str, content_type: str) -> Push:
        """The function begins to stream."""
        self._body = Channel()
        if content_type == HTTP_INTEGRATION:
            self._prelude = Prelude()
        else:
            self._open(Response(200, (("Content-Type", content_type),)))
        return self._piece

    async def _piece(self, data: bytes) -> None:
        assert self._body is not None
        self._size += len(data)
        if self._size > MAX_STREAM_BYTES:
            self._body.break_off()
        elif self._prelude is not None:
            self._head(self._prelude, data)
        else:
            await self._body.push(data)
            return
        await asyncio.sleep(0)

    def _head(self, prelude: Prelude, data: bytes) -> None:
        try:
            found = prelude.feed(data)
        except BadResult as error:
            self._bad(error)
            return
        if found is not None:
            head, rest = found
            self._prelude = None
            self._open(head)
            assert self._body is not None
            self._body.put(rest)

    def _open(self, head: Response) -> None:
        self.send(Response(head.status, head.headers, stream=self._body))

    # the end ----------------------------------------------------------------------------------------------------

    def done(self, result: Result, _version: str) -> None:
        """The invocation is over."""
        if self._body is not None:
            if result.error_type:
                self._body.break_off()
            self._body.end()
            self.send(failure(502, "Internal Server Error"))  # when the stream ended before its head was complete
        elif result.error_type:
            self.send(failure(502, "Internal Server Error"))
        elif self.streams:
            self.send(Response(200, (("Content-Type", JSON),), result.payload))
        else:
            try:
                self.send(response_of(result.payload))
            except BadResult as error:
                self._bad(error)

    def _bad(self, error: BadResult) -> None:
        _log.info("a function's result is no HTTP response: %s", error)
        self.send(failure(502, "Internal Server Error"))


def failure(status: int, what: str | Mapping[str, Any], *headers: tuple[str, str]) -> Response:
    """What Lambda itself answers in place of the function."""
    if status >= 500:
        return Response(status, (("Content-Type", JSON), *headers), str(what).encode())
    body = {"Message": what} if isinstance(what, str) else dict(what)
    return Response(status, (("Content-Type", JSON), *headers), json.dumps(body).encode())

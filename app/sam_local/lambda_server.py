"""start-lambda: the private runtime under a fixed address, with logical ids beside function names."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from app.sam_local.front import Send
from app.sam_local.gateway.messages import Incoming
from app.sam_local.lambda_api import OWNER
from app.sam_local.live import Live
from app.sam_local.upstream import Head, Upstream

_FUNCTION = re.compile(r"(/20\d\d-\d\d-\d\d/functions/)([^/]+)(/.*)?")
_UNQUALIFIED = re.compile(r"^(arn:[^:]+:lambda:[^:]*:[^:]*:function:|[^:]*:function:)?([^:]+)(:.*)?$")


class LambdaServer:
    """Passes every request on, body and answer as they are; `say` tells of each invocation."""

    def __init__(self, live: Live, upstream: Upstream, say: Callable[[str], None]) -> None:
        self._live = live
        self._upstream = upstream
        self._say = say

    async def answer(self, incoming: Incoming, send: Send) -> None:
        """See `front.Answers`."""
        target = self._target(incoming.path) + (f"?{incoming.query}" if incoming.query else "")
        headers = incoming.headers if incoming.header("authorization") else (*incoming.headers, *OWNER.items())
        async with contextlib.aclosing(self._upstream.stream(incoming.method, target, headers, incoming.body)) as parts:
            async for part in parts:
                if isinstance(part, Head):
                    self._say(f"{incoming.at:%Y-%m-%d %H:%M:%S} {incoming.method} {incoming.path} {part.status}")
                    await send({"type": "http.response.start", "status": part.status, "headers": _passed_on(part)})
                else:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _target(self, path: str) -> str:
        """The path with the function's name where a logical id stood."""
        match = _FUNCTION.fullmatch(path)
        if match is None:
            return path
        reference = _UNQUALIFIED.match(unquote(match.group(2)))
        if reference is None:
            return path
        before, name, after = (part or "" for part in reference.groups())
        function = self._live.find(name)
        if function is None:
            return path
        return f"{match.group(1)}{quote(before + function.function_name + after, safe='')}{match.group(3) or ''}"


def _passed_on(head: Head) -> list[tuple[bytes, bytes]]:
    """The answer's headers but those about the connection to the runtime."""
    return [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in head.headers
        if name.lower() not in ("connection", "transfer-encoding", "keep-alive")
    ]

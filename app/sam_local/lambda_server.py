"""start-lambda: the private runtime under a fixed address, with logical ids beside function names."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from app.sam_local.front import Send, pass_on
from app.sam_local.gateway.messages import Incoming
from app.sam_local.lambda_api import OWNER
from app.sam_local.live import Live
from app.sam_local.upstream import Upstream

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
        await pass_on(self._upstream, incoming, target, headers, send, self._say)

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

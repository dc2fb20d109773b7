"""start-api: the template's APIs and function URLs on one port."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

from app.sam_local.front import Send, pass_on, send_answer, told
from app.sam_local.gateway.answers import THROTTLED
from app.sam_local.gateway.match import NoMatch, find
from app.sam_local.gateway.messages import Incoming, Outgoing, Pairs
from app.sam_local.gateway.serve import Ask, Call, Gateway, answered, timed_out
from app.sam_local.live import Live
from app.sam_local.problems import LocalError
from app.sam_local.upstream import Head, Upstream
from sam.local.model import Api, LocalFunction, LocalTemplate, Route

_LOCAL = ".localhost"
_NOT_ASKED = "is not evaluated on this machine"


class ApiServer:
    """Answers by the functions behind `upstream`; `say` tells of each request. `patient`: no time limit at all."""

    def __init__(
        self,
        live: Live,
        upstream: Upstream,
        say: Callable[[str], None],
        *,
        static: Path | None = None,
        authorizers: bool = True,
        patient: bool = False,
    ) -> None:
        self._live = live
        self._upstream = upstream
        self._say = say
        self._static = static
        self._authorizers = authorizers
        self._patient = patient

    async def answer(self, incoming: Incoming, send: Send) -> None:
        """See `front.Answers`."""
        function = url_function(self._live.project.template, incoming.host)
        if function is not None:
            await self._pass_on(function, incoming, send)
            return
        answer = await self._answer(incoming)
        self._say(told(incoming, answer.status))
        await send_answer(send, answer)

    async def _answer(self, incoming: Incoming) -> Outgoing:
        template = self._live.project.template
        file = self._file(template, incoming)
        if file is not None:
            return file
        gateway = Gateway(template.apis, template.region, template.account, self._authorizers)
        step = gateway.route(incoming)
        if isinstance(step, Ask):
            head, payload = await self._invoke(step.authorizer.function, step.event)
            step = gateway.authorized(incoming, step, payload, failed=_failed(head))
        return step if isinstance(step, Outgoing) else await self._call(step, incoming)

    async def _pass_on(self, function: LocalFunction, incoming: Incoming, send: Send) -> None:
        """Let the runtime answer, which serves function URLs itself."""
        host = self._live.url_host(function)
        if not host:
            raise LocalError(f"the function {function.logical_id} does not run; see above why")
        await pass_on(self._upstream, incoming, incoming.target, [*_without_host(incoming.headers), ("Host", host)],
                      send, self._say)  # fmt: skip

    async def _call(self, call: Call, incoming: Incoming) -> Outgoing:
        try:
            async with asyncio.timeout(None if self._patient else call.timeout_s):
                head, payload = await self._invoke(call.function, call.event)
        except TimeoutError:
            self._say(f"{call.function} took longer than {call.timeout_s:g} s, which is all that the API waits")
            return timed_out(call)
        if head.status == 429:
            return THROTTLED
        answer, problem = answered(call, incoming, payload, failed=_failed(head))
        if problem:
            self._say(f"Invalid lambda response received: {problem}")
        return answer

    async def _invoke(self, logical_id: str, event: bytes) -> tuple[Head, bytes]:
        function = self._live.find(logical_id)
        if function is None or not self._live.is_made(logical_id):
            raise LocalError(f"the function {logical_id} does not run; see above why")
        return await self._upstream.invoke(function.function_name, event)

    def _file(self, template: LocalTemplate, incoming: Incoming) -> Outgoing | None:
        """A file of the static directory; only what no API has at exactly this path."""
        if self._static is None or incoming.method not in ("GET", "HEAD"):
            return None
        found = find(template.apis, incoming.method, incoming.path)
        if not isinstance(found, NoMatch) and found.route.path != "$default" and not found.route.path.endswith("+}"):
            return None
        path = (self._static / unquote(incoming.path).lstrip("/")).resolve()
        if not path.is_relative_to(self._static.resolve()) or not path.is_file():
            return None
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Outgoing(200, (("Content-Type", kind),), path.read_bytes())


def url_function(template: LocalTemplate, host: str) -> LocalFunction | None:
    """The function whose URL has that host: `<logical id>.localhost`; alone in its template, any host."""
    having = [function for function in template.functions if function.url is not None]
    label = host.partition(":")[0].lower()
    for function in having:
        if label == f"{function.logical_id.lower()}{_LOCAL}":
            return function
    return having[0] if len(having) == 1 and not template.apis else None


def mounted(template: LocalTemplate, url: str, *, authorizers: bool) -> Iterator[str]:
    """One line for each route and function URL."""
    for api in template.apis:
        for route in api.routes:
            place = f"{url}{route.path}" if route.path.startswith("/") else f"{url}/ ({route.path})"
            yield f"Mounting {route.function} at {place} [{route.method}]{_protected(api, route, authorizers)}"
    scheme, _, rest = url.partition("://")
    port = rest.rpartition(":")[2]
    for function in template.functions:
        if function.url is not None:
            alone = url_function(template, rest) is function
            place = f"{url}/" if alone else f"{scheme}://{function.logical_id.lower()}{_LOCAL}:{port}/"
            signed = f", {function.url.auth_type} {_NOT_ASKED}" if function.url.auth_type != "NONE" else ""
            yield f"Mounting {function.logical_id} at {place} [function URL{signed}]"


def _protected(api: Api, route: Route, asked: bool) -> str:
    if not route.authorizer:
        return ""
    if route.authorizer in api.authorizers:
        return f" (authorizer {route.authorizer}{'' if asked else ', disabled'})"
    return f" (authorizer {route.authorizer} {_NOT_ASKED}: the route is open)"


def _failed(head: Head) -> bool:
    return bool(head.header("x-amz-function-error")) or head.status >= 300


def _without_host(headers: Pairs) -> Pairs:
    return tuple(pair for pair in headers if pair[0].lower() != "host")

"""Everything between a request and its answer but the invocations themselves: steps that a server carries out. Pure.

`route` says what is to be done first; `authorized` and `answered` what the results of the invocations come to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.sam_local.gateway import authorize
from app.sam_local.gateway.answers import (
    HTTP_ERROR,
    HTTP_TIMEOUT,
    REST_ERROR,
    REST_TIMEOUT,
    Malformed,
    http_answer,
    no_route,
    rest_answer,
)
from app.sam_local.gateway.cors import added_headers, is_preflight, preflight, rest_preflight
from app.sam_local.gateway.events import proxy_event
from app.sam_local.gateway.match import Match, NoMatch, find, methods_of
from app.sam_local.gateway.messages import Incoming, Outgoing
from sam.local.model import Api, Authorizer, Cors

_TIMEOUT_S = {"rest": 29.0, "http": 30.0}


@dataclass(frozen=True, slots=True)
class Ask:
    """Invoke the authorizer's function with `event`, then go on with `authorized`."""

    match: Match
    authorizer: Authorizer
    event: bytes
    arn: str


@dataclass(frozen=True, slots=True)
class Call:
    """Invoke `function` (a logical id) with `event`, then go on with `answered`."""

    function: str
    event: bytes
    match: Match
    cors: Cors | None
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Gateway:
    """The APIs of a template. `authorizers`: whether they are asked at all."""

    apis: Sequence[Api]
    region: str
    account: str
    authorizers: bool = True

    def route(self, incoming: Incoming) -> Outgoing | Ask | Call:
        """The first step."""
        found = find(self.apis, incoming.method, incoming.path)
        if isinstance(found, NoMatch) or found.route.method == "ANY":
            answer = self._preflight(incoming)
            if answer is not None:
                return answer
        if isinstance(found, NoMatch):
            return no_route(found)
        authorizer = found.api.authorizers.get(found.route.authorizer) if self.authorizers else None
        if authorizer is None:
            return self._call(incoming, found, None)
        values = authorize.identity(authorizer, found, incoming)
        if values is None:
            return authorize.UNAUTHORIZED
        event = authorize.question(authorizer, found, incoming, values, self.region, self.account)
        arn = authorize.method_arn(found, incoming, self.region, self.account)
        return Ask(found, authorizer, _encoded(event), arn)

    def authorized(self, incoming: Incoming, ask: Ask, payload: bytes, *, failed: bool) -> Outgoing | Call:
        """The step after the authorizer answered."""
        told = authorize.decide(ask.authorizer, ask.match, ask.arn, payload, failed=failed)
        return told if isinstance(told, Outgoing) else self._call(incoming, ask.match, told)

    def _call(self, incoming: Incoming, match: Match, authorizer: dict[str, Any] | None) -> Call:
        event = proxy_event(incoming, match, self.account, authorizer)
        cors = match.api.cors if match.api.kind == "http" else None
        timeout_s = match.route.timeout_ms / 1000 if match.route.timeout_ms else _TIMEOUT_S[match.api.kind]
        return Call(match.route.function, _encoded(event), match, cors, timeout_s)

    def _preflight(self, incoming: Incoming) -> Outgoing | None:
        """The answer of an API with CORS to a browser's question about a path that has no OPTIONS of its own."""
        if incoming.method != "OPTIONS":
            return None
        api, methods = methods_of(self.apis, incoming.path)
        if api is None or api.cors is None:
            return None
        if api.kind == "rest":
            return rest_preflight(api.cors, methods)
        return preflight(api.cors, incoming) if is_preflight(incoming) else None


def answered(call: Call, incoming: Incoming, payload: bytes, *, failed: bool) -> tuple[Outgoing, str]:
    """What the client gets, and why it is an error of the gateway's ("" when it is not)."""
    answer, problem = _answer(call, incoming, payload, failed=failed)
    if call.cors is not None:
        answer = answer.having(added_headers(call.cors, incoming))
    return answer, problem


def timed_out(call: Call) -> Outgoing:
    """The function took longer than the API waits."""
    return REST_TIMEOUT if call.match.api.kind == "rest" else HTTP_TIMEOUT


def _answer(call: Call, incoming: Incoming, payload: bytes, *, failed: bool) -> tuple[Outgoing, str]:
    broken = REST_ERROR if call.match.api.kind == "rest" else HTTP_ERROR
    if failed:
        return broken, "the function failed"
    try:
        if call.match.api.kind == "rest":
            return rest_answer(payload, incoming.header("accept"), call.match.api.binary_types), ""
        if call.match.route.payload == "1.0":
            return rest_answer(payload, incoming.header("accept"), ("*/*",)), ""
        return http_answer(payload), ""
    except Malformed as problem:
        return broken, str(problem)


def _encoded(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()

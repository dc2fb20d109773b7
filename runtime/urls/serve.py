"""Requests to function URLs: who may, what the function is given, how its result is answered, what is counted."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Protocol

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import ApiError
from runtime.catalog.documents import FunctionUrl
from runtime.catalog.store import Catalog
from runtime.gateway.addresses import URL_MARK
from runtime.http import Reply, Request, Response
from runtime.invoke.api import new_trace
from runtime.invoke.invoker import Call, Invoker
from runtime.invoke.results import MAX_PAYLOAD_BYTES
from runtime.names import Scope
from runtime.policy.authority import Authority
from runtime.policy.callers import Anonymous, Caller, account_of, shown
from runtime.policy.guard import Guard
from runtime.policy.signature import access_key_id
from runtime.urls.answer import Answer, failure
from runtime.urls.cors import preflight
from runtime.urls.event import Visit, event_of

_log = logging.getLogger(__name__)
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


class Recorder(Protocol):
    """Who counts."""

    def put_lambda(
        self, name: str, function: str, value: float, at: float, *, resource: str = "", unit: str = "Count"
    ) -> None:
        """See Metrics."""
        ...


class _Forbidden(Exception):
    """The caller may not; the text says why, for our log."""


class UrlApi:
    """Answers every request whose Host is a function URL's."""

    def __init__(
        self,
        catalog: Catalog,
        invoker: Invoker,
        guard: Guard,
        authority: Authority,
        recorder: Recorder,
        scope: Scope,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._catalog = catalog
        self._invoker = invoker
        self._guard = guard
        self._authority = authority
        self._recorder = recorder
        self._scope = scope
        self._clock = clock
        self._ids = ids
        self._urls: dict[str, FunctionUrl] = {}
        self._generation = -1
        self._tasks: set[asyncio.Task[None]] = set()

    @staticmethod
    def matches(request: Request) -> bool:
        """Whether `request` is for a function URL."""
        return URL_MARK in request.headers.get("host", "")

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer `request`, now or later."""
        task = asyncio.get_running_loop().create_task(self._answer(request, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request, reply: Reply) -> None:
        url = self._find(request)
        if url is None:
            reply(failure(404, "Not Found"))
            return
        began = self._clock.now().timestamp()

        def counted(response: Response) -> None:
            self._count(url, response.status, began)
            reply(response)

        answer = Answer(request, url.cors, counted, streams=url.invoke_mode == "RESPONSE_STREAM")
        question = preflight(url.cors, request)
        if question is not None:
            counted(question)
            return
        try:
            await self._invoke(url, request, answer)
        except _Forbidden as refusal:
            _log.info("%s %s to %s: %s", request.method, request.path, url.function, refusal)
            answer.send(failure(403, _FORBIDDEN, ("x-amzn-ErrorType", "AccessDeniedException")))
        except ApiError as error:
            answer.send(_refused(error))
        except Exception:  # noqa: BLE001  (a fault of ours must not leave the client without an answer)
            _log.exception("%s %s to %s failed", request.method, request.path, url.function)
            answer.send(failure(500, "Internal Server Error"))

    async def _invoke(self, url: FunctionUrl, request: Request, answer: Answer) -> None:
        request_id = self._ids.uuid()
        trace_id = request.headers.get("x-amzn-trace-id") or new_trace(request_id)
        answer.ids = (("x-amzn-RequestId", request_id), ("X-Amzn-Trace-Id", trace_id))
        visit = await self._visit(url, request, request_id, trace_id)
        if len(request.body) > MAX_PAYLOAD_BYTES:
            answer.send(failure(413, "Request Entity Too Large"))
            return
        payload = json.dumps(event_of(request, visit), separators=(",", ":")).encode()
        on_stream = answer.begins if answer.streams else None
        call = Call(request_id, payload, trace_id, on_stream=on_stream)
        self._invoker.invoke(url.function, url.qualifier or None, call, answer.done)

    async def _visit(self, url: FunctionUrl, request: Request, request_id: str, trace_id: str) -> Visit:
        """Who comes, when it may.

        Raises:
            _Forbidden: it may not.
        """
        now, arn = self._clock.now(), self._scope.arn(url.function, url.qualifier or None)
        if url.auth_type == "NONE":
            self._demand(Anonymous(), arn, url.auth_type)
            return Visit(url.url_id, request_id, trace_id, now)
        if not access_key_id(request):
            raise _Forbidden("the request is not signed")
        try:
            caller = await self._guard.caller(request)
        except ApiError as error:
            raise _Forbidden(error.message) from None
        self._demand(caller, arn, url.auth_type)
        return Visit(
            url.url_id, request_id, trace_id, now, account_of(caller, self._scope.account), self._iam(caller, request)
        )

    def _demand(self, caller: Caller, arn: str, auth_type: str) -> None:
        """Both permissions are there. Source: reference §13, "URL access"."""
        for action, context in (
            ("lambda:InvokeFunctionUrl", {"lambda:FunctionUrlAuthType": auth_type}),
            ("lambda:InvokeFunction", {"lambda:InvokedViaFunctionUrl": "true"}),
        ):
            decision = self._authority.authorise(caller, action, arn, context)
            if not decision.allowed:
                raise _Forbidden(f"{action}: {decision.reason}")

    def _iam(self, caller: Caller, request: Request) -> dict[str, Any]:
        account, name = account_of(caller, self._scope.account), shown(caller, self._scope.account)
        return {
            "accessKey": access_key_id(request),
            "accountId": account,
            "callerId": name,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": name,
            "userId": name,
        }

    def _find(self, request: Request) -> FunctionUrl | None:
        if self._generation != self._catalog.generation:
            self._generation = self._catalog.generation
            self._urls = {url.url_id: url for url in self._catalog.urls()}
        url_id, _, rest = request.headers["host"].partition(URL_MARK)
        return self._urls.get(url_id) if rest.partition(".")[0] == self._scope.region else None

    def _count(self, url: FunctionUrl, status: int, began: float) -> None:
        now = self._clock.now().timestamp()
        resource = f"{url.function}:{url.qualifier}" if url.qualifier else url.function
        samples = [("UrlRequestCount", 1.0, "Count"), ("UrlRequestLatency", (now - began) * 1000, "Milliseconds")]
        if 400 <= status < 600:
            samples.append((f"Url{status // 100}xxCount", 1.0, "Count"))
        for name, value, unit in samples:
            self._recorder.put_lambda(name, url.function, value, now, resource=resource, unit=unit)


def _refused(error: ApiError) -> Response:
    """An invocation that did not begin: throttled, or not possible now."""
    if error.code == "TooManyRequestsException":
        body = {"Reason": error.members.get("Reason"), "Type": "User", "message": error.message}
        return failure(429, body, ("x-amzn-ErrorType", error.code))
    _log.info("a function URL's function was not invoked: %s: %s", error.code, error.message)
    return failure(502, "Internal Server Error")

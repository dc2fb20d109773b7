"""Runs invocations: finds the version, keeps the concurrency limit, hands the event to an environment, counts it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from core.clock import Clock
from runtime.api.errors import ApiError, not_found
from runtime.catalog.documents import RecursionConfig
from runtime.catalog.records import FunctionVersion
from runtime.catalog.store import Catalog
from runtime.control.states import check_invocable
from runtime.invoke import lineage
from runtime.invoke.invocation import Invocation, Push
from runtime.invoke.results import Result
from runtime.invoke.route import Draw, Route, resolve
from runtime.invoke.slots import Slot, Slots
from runtime.names import Scope, parse

Serving = Callable[[str, str], FunctionVersion | None]
Answer = Callable[[Result, str], None]
"""Called once with the result and the version that ran."""


class Recorder(Protocol):
    """Who counts invocations."""

    def started(self, route: Route, second: int, running: int, running_account: int) -> None:
        """An invocation starts, as the `running`th of its function at this moment."""
        ...

    def ended(self, route: Route, version: FunctionVersion, second: int, result: Result) -> None:
        """An invocation of `version` that started in `second` ended."""
        ...

    def throttled(self, route: Route, second: int) -> None:
        """An invocation was refused."""
        ...

    def unreserved(self, second: int, running: int) -> None:
        """An invocation starts, as the `running`th of those without a concurrency of their own."""
        ...

    def provisioned_busy(
        self, route: Route, version: str, second: int, busy: int, ready: int, *, spilled: bool
    ) -> None:
        """An invocation starts of a version that has `ready` environments ahead of time, `busy` of them at work now;
        `spilled`: it got none of them."""
        ...

    def put_lambda(
        self, name: str, function: str, value: float, at: float,
        *, resource: str = "", version: str = "", unit: str = "Count",
    ) -> None:  # fmt: skip
        """A sample of one of Lambda's metrics."""
        ...


class Runner(Protocol):
    """Who runs an invocation on a version."""

    def submit(self, version: FunctionVersion, invocation: Invocation) -> None:
        """Call `invocation.done` later."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One event for a function."""

    request_id: str
    payload: bytes
    trace_id: str = ""
    client_context: str = ""
    wants_log: bool = False
    on_stream: Callable[[str, str], Push] | None = None
    """As an invocation's, but told the version that runs before the Content-Type."""
    paced: bool = False
    """Whether it counts for the requests per second: synchronous ones do."""


class Invoker:
    """The data plane. `limit` is the account's concurrency (Source: reference §8, 1000)."""

    def __init__(
        self,
        catalog: Catalog,
        serving: Serving,
        runner: Runner,
        recorder: Recorder,
        scope: Scope,
        clock: Clock,
        draw: Draw,
        limit: int = 1000,
    ) -> None:
        self._catalog = catalog
        self._serving = serving
        self._runner = runner
        self._recorder = recorder
        self._scope = scope
        self._clock = clock
        self._draw = draw
        self._slots = Slots(catalog, limit)
        self._routes: dict[tuple[str, str | None], tuple[Route, str]] = {}
        self._generation = -1

    def route(self, name: str, qualifier: str | None) -> tuple[Route, str]:
        """The route and the ARN that `name` and `qualifier` (as sent) mean.

        Raises:
            ApiError: no such function, version or alias.
        """
        if self._generation != self._catalog.generation:
            self._routes.clear()
            self._generation = self._catalog.generation
        known = self._routes.get((name, qualifier))
        if known is None:
            reference = parse(name, self._scope, qualifier)
            route = resolve(self._catalog, reference)
            arn = self._scope.arn(reference.name, reference.qualifier)
            if route is None:
                raise not_found(arn)
            known = self._routes[(name, qualifier)] = (route, arn)
        return known

    def check(self, name: str, qualifier: str | None) -> str:
        """The version a call would run now (for DryRun).

        Raises:
            ApiError: as `invoke`, but for throttling.
        """
        route, arn = self.route(name, qualifier)
        return self._version(route, arn).version

    def invoke(self, name: str, qualifier: str | None, call: Call, answer: Answer) -> None:
        """Run `call`; `answer` is called later.

        Raises:
            ApiError: no such function, version or alias; not invocable now; too many at once; part of a loop.
        """
        route, arn = self.route(name, qualifier)
        version = self._version(route, arn)
        second = int(self._clock.now().timestamp())
        if lineage.runs_before(call.trace_id, route.function) >= lineage.LIMIT:
            self._check_loop(route, second)
        try:
            slot = self._slots.take(route.function, version.version, second, paced=call.paced)
        except ApiError:
            self._recorder.throttled(route, second)
            raise
        running, total = self._slots.running(route.function), self._slots.total
        invocation = Invocation(
            request_id=call.request_id,
            arn=arn,
            payload=call.payload,
            done=partial(self._done, route, version, second, slot, answer),
            trace_id=lineage.entered(call.trace_id, route.function),
            client_context=call.client_context,
            wants_log=call.wants_log,
            on_stream=partial(call.on_stream, version.version) if call.on_stream is not None else None,
            answer=lambda result: answer(result, version.version),
        )
        self._runner.submit(version, invocation)
        self._recorder.started(route, second, running, total)  # while the function runs already
        self._count_slot(route, version.version, second, slot)

    async def run(self, name: str, qualifier: str | None, call: Call) -> tuple[Result, str]:
        """`invoke` for coroutines: the result and the version that ran."""
        future: asyncio.Future[tuple[Result, str]] = asyncio.get_running_loop().create_future()

        def answer(result: Result, version: str) -> None:
            if not future.done():
                future.set_result((result, version))

        self.invoke(name, qualifier, call, answer)
        return await future

    def _count_slot(self, route: Route, version: str, second: int, slot: Slot) -> None:
        if slot is Slot.SHARED:
            self._recorder.unreserved(second, self._slots.shared)
        busy, ready = self._slots.ready(route.function, version)
        if ready:
            spilled = slot is not Slot.PROVISIONED
            self._recorder.provisioned_busy(route, version, second, busy, ready, spilled=spilled)

    def _check_loop(self, route: Route, second: int) -> None:
        """Nothing when the function may run in a loop."""
        config = self._catalog.find(RecursionConfig, route.function)
        if config is None or config.recursive_loop != "Allow":
            self._recorder.put_lambda("RecursiveInvocationsDropped", route.function, 1, second, resource=route.resource)
            raise lineage.stopped()

    def _version(self, route: Route, arn: str) -> FunctionVersion:
        version = self._serving(route.function, route.choose(self._draw))
        if version is None:
            raise not_found(arn)
        check_invocable(version)
        return version

    def _done(
        self, route: Route, version: FunctionVersion, second: int, slot: Slot, answer: Answer, result: Result
    ) -> None:
        self._slots.give_back(route.function, version.version, slot)
        if not result.answered:
            answer(result, version.version)
        self._recorder.ended(route, version, second, result)  # before the caller can ask for it, all the same

"""Prefect as the hands: a flow run advances one execution until nothing can be done now, each action is a task of it.

The only module that imports Prefect's client side. Flow runs are made ahead: created and Running at the server, each
waits in this process for an execution, so that starting one waits for no request. What the server says at a flow run's
end changes nothing: the execution's truth is in the store by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prefect import Flow, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import State
from prefect.context import AsyncClientContext, FlowRunContext
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.states import Cancelled, Crashed, Failed

from pipelines.engine.commands import Decision
from store.records import ActionRecord, ActionStatus

_log = logging.getLogger(__name__)

_LABEL_AFTER_S = 0.5
_REARM_AFTER_S = 0.25
_LONGEST_WAIT_S = 5.0


@dataclass(slots=True)
class Drive:
    """One execution being advanced. `settle`, `perform` and `park` are the engine's, run in threads.

    `changed` is set when something about the execution may have changed. `result` is set at the end, with None or
    the exception that ended the drive.
    """

    execution_id: str
    label: str
    settle: Callable[[], Awaitable[Decision]]
    perform: Callable[[str], Awaitable[ActionStatus]]
    park: Callable[[], Awaitable[bool]]
    gone: Callable[[], str]
    now: Callable[[], datetime]
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    result: asyncio.Future[None] = field(default_factory=asyncio.Future)


async def advance(drive: Drive) -> None:
    """Settle, perform what needs performing, look again whenever something ends or changes; park when nothing is left.

    Raises:
        LeaseLost: somebody else drives the execution now, or it was let go of. Work under way has been told.
    """
    working: dict[str, asyncio.Task[Any]] = {}
    try:
        while not drive.gone():
            drive.changed.clear()
            decision = await drive.settle()
            for record in decision.work:
                if record.id not in working:
                    working[record.id] = asyncio.create_task(_performed(drive, record))
            if not working:
                if await drive.park():
                    return
                continue
            limit_s = _LONGEST_WAIT_S
            if decision.wake_at is not None:
                limit_s = min(limit_s, max(0.0, (decision.wake_at - drive.now()).total_seconds()))
            await _something(drive, working, limit_s)
            for action_id in [known for known, work in working.items() if work.done()]:
                working.pop(action_id).result()
    finally:
        if working:
            await asyncio.wait(working.values())


async def _something(drive: Drive, working: dict[str, asyncio.Task[Any]], limit_s: float) -> None:
    """Return when some work has ended, the execution may have changed, or that much time has passed."""
    changed = asyncio.create_task(drive.changed.wait())
    try:
        await asyncio.wait([changed, *working.values()], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        changed.cancel()


async def _performed(drive: Drive, record: ActionRecord) -> None:
    name = f"{record.stage}/{record.action}"
    named: Any = _action.with_options(name=name, task_run_name=name)
    state = await named(drive.execution_id, record.id, return_state=True)
    if not state.is_completed():
        await state.aresult(raise_on_failure=not _told(state))


_OUTCOME = "the action "


def _told(state: State[Any]) -> bool:
    """Whether the task ended not completed because its action did: that is no exception."""
    return state.is_failed() and (state.message or "").startswith(_OUTCOME)


_drive: ContextVar[Drive] = ContextVar("drive")


@task(name="action", cache_policy=NO_CACHE, persist_result=False)
async def _action(execution_id: str, action_id: str) -> State[Any] | None:  # noqa: ARG001 - shown as its parameters
    """One attempt at one action, performed in a thread."""
    status = await _drive.get().perform(action_id)
    return None if status is ActionStatus.SUCCEEDED else Failed(message=f"{_OUTCOME}is {status.value}")


class FlowRuns:
    """Flow runs that wait, Running, for an execution. `url` tells where the server answers now ("" while it does not).

    `on_ready` is called when another one is ready to be taken.
    """

    def __init__(self, name: str, url: Callable[[], str], on_ready: Callable[[], None], spare: int = 3) -> None:
        self._flow: Flow[..., Any] = flow(
            name=f"advance ({name})", persist_result=False, validate_parameters=False, retries=0
        )(self._body)
        self._url = url
        self._on_ready = on_ready
        self._spare = spare
        self._born = datetime.now(UTC)
        self._ready: list[asyncio.Future[Drive | None]] = []
        self._runs: set[asyncio.Task[None]] = set()
        self._starting = 0
        self._taken = asyncio.Event()
        self._closed = False

    @property
    def ready(self) -> int:
        """How many can be taken at once."""
        return len(self._ready)

    def take(self, drive: Drive) -> None:
        """Let the flow run that has waited longest advance `drive`. Raises: IndexError when none is ready."""
        self._ready.pop(0).set_result(drive)
        self._taken.set()

    async def serve(self) -> None:
        """Keep some ready, whatever happens to the server, until `close`."""
        rest_s = 0.1
        while not self._closed:
            url = self._url()
            try:
                if url:
                    async with _connected(url):
                        await self._keep_ready(url)
                        rest_s = 0.1
            except Exception as problem:  # noqa: BLE001 - httpx, Prefect and OS errors alike: it comes back or it does not
                _log.warning("no flow run can be made ready at %s: %s", url, str(problem) or type(problem).__name__)
                rest_s = min(2.0, rest_s * 2)
            await self._pause(rest_s)

    async def close(self, patience_s: float) -> None:
        """Cancel those that wait, and give all a moment to tell the server their end."""
        self._closed = True
        self._taken.set()
        self._dismiss()
        if self._runs:
            await asyncio.wait(self._runs, timeout=patience_s)

    async def _keep_ready(self, url: str) -> None:
        sweeping = asyncio.create_task(self._sweep())
        try:
            while not self._closed and self._url() == url:
                if len(self._ready) + self._starting < self._spare:
                    if self._ready:
                        await self._pause(_REARM_AFTER_S)  # an execution that just began goes first
                    await self._make_one()
                else:
                    self._taken.clear()
                    await self._pause(1.0)
        finally:
            sweeping.cancel()
            self._dismiss()

    async def _make_one(self) -> None:
        """Return when another one is ready. Raises: whatever kept it from that."""
        began = len(self._ready)
        run = asyncio.create_task(self._one())
        self._runs.add(run)
        run.add_done_callback(self._ended)
        self._starting += 1
        try:
            while not run.done() and len(self._ready) <= began:
                began = min(began, len(self._ready))
                await asyncio.sleep(0.005)
        finally:
            self._starting -= 1
        if run.done() and (problem := run.exception()) is not None:
            raise problem

    async def _one(self) -> None:
        run: Any = self._flow()
        await run

    def _ended(self, run: asyncio.Task[None]) -> None:
        self._runs.discard(run)
        if not run.cancelled() and (problem := run.exception()) is not None:
            _log.info("a flow run's end was not told to the server: %s", problem)

    async def _body(self) -> State[Any] | None:
        """What runs inside a flow run: wait for an execution, advance it, hand over how that went."""
        waiting: asyncio.Future[Drive | None] = asyncio.get_running_loop().create_future()
        self._ready.append(waiting)
        self._on_ready()
        drive = await waiting
        if drive is None:
            return Cancelled(message="the runner did not need it")
        _drive.set(drive)
        labelling = asyncio.create_task(_label(drive, _LABEL_AFTER_S))
        problem = await _advanced(drive)
        if not labelling.done():
            labelling.cancel()
            await _label(drive, 0)
        return None if problem is None else Failed(message=str(problem) or type(problem).__name__)

    def _dismiss(self) -> None:
        while self._ready:
            self._ready.pop().set_result(None)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._taken.wait(), seconds)

    async def _sweep(self) -> None:
        """Tell the server of flow runs that an earlier process of this name left behind."""
        client = get_client()
        running: dict[str, Any] = {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}
        before = {"start_time": {"before_": self._born}}
        left = await client.read_flow_runs(
            flow_filter=FlowFilter.model_validate({"name": {"any_": [self._flow.name]}}),
            flow_run_filter=FlowRunFilter.model_validate({**running, **before}),
        )
        for run in left:
            await client.set_flow_run_state(run.id, Crashed(message="the runner it ran in is gone"), force=True)


async def _advanced(drive: Drive) -> Exception | None:
    """Advance it and tell the result: the execution does not wait for what Prefect does afterwards."""
    try:
        await advance(drive)
    except Exception as problem:  # noqa: BLE001 - the runner decides what it means
        if not drive.result.done():
            drive.result.set_exception(problem)
        return problem
    if not drive.result.done():
        drive.result.set_result(None)
    return None


async def _label(drive: Drive, after_s: float) -> None:
    """Let the flow run carry the execution's name; nothing depends on it."""
    await asyncio.sleep(after_s)
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    with contextlib.suppress(Exception):
        await get_client().update_flow_run(
            context.flow_run.id,
            name=drive.label,
            parameters={"execution_id": drive.execution_id},
            tags=[drive.execution_id],
        )


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[None]:
    """Flow runs started inside talk to the server at `url` through one client, without heartbeat threads.

    Raises: when the server does not answer.
    """
    settings: dict[Any, Any] = {
        PREFECT_API_URL: url,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_LOGGING_TO_API_ENABLED: False,
        PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False,
    }
    with temporary_settings(updates=settings):
        async with AsyncClientContext():
            yield

"""Prefect as the hands: a flow run advances one execution until nothing can be done now, each action is a task of it.

The only module that imports Prefect's client side. Flow runs are made ahead: created and Running at the server, each
waits in this process for an execution, so that starting one waits for no request. What the server says at a flow run's
end changes nothing: the execution's truth is in the store by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prefect import Flow, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import State
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import AsyncClientContext, FlowRunContext
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.states import Completed, Crashed, Failed

from core.errors import Unavailable
from pipelines.engine.drive import Drive, advance
from pipelines.engine.perform import Performed
from pipelines.engine.settle import Settled
from store.records import ActionRecord, ActionStatus

_log = logging.getLogger(__name__)

_LABEL_AFTER_S = 0.5
_REARM_AFTER_S = 0.25
_SHORTEST_REST_S = 0.1
_MOST_LEFT_BEHIND = 200
_LONGEST_REST_S = 2.0


async def _performed(drive: Drive, record: ActionRecord, begun: bool) -> Settled | None:
    """What the attempt's end made possible. Raises: what kept it from being performed."""
    hand = _Hand(drive, record, begun)
    _hand.set(hand)
    name = f"{record.stage}/{record.action}"
    named: Any = _action.with_options(name=name, task_run_name=name)
    await named(drive.execution_id, record.id, return_state=True)
    if hand.problem is not None:
        raise hand.problem
    return hand.performed.settled if hand.performed is not None else None


@dataclass(slots=True)
class _Hand:
    """One attempt on its way through a task; what came of it is left here, whatever the task's state says."""

    drive: Drive
    record: ActionRecord
    begun: bool
    performed: Performed | None = None
    problem: Exception | None = None


_hand: ContextVar[_Hand] = ContextVar("hand")


@task(name="action", cache_policy=NO_CACHE, persist_result=False)
async def _action(execution_id: str, action_id: str) -> State[Any] | None:  # noqa: ARG001 - shown as its parameters
    """One attempt at one action, performed in a thread. The task fails when the action does."""
    hand = _hand.get()
    try:
        hand.performed = await hand.drive.perform(hand.record, hand.begun)
    except Exception as problem:  # noqa: BLE001 - the drive decides what it means
        hand.problem = problem
        return Failed(message=_said(problem))
    status = hand.performed.status
    return None if status is ActionStatus.SUCCEEDED else Failed(message=f"the action is {status.value}")


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
        self._connections: set[asyncio.Task[None]] = set()
        self._came = asyncio.Event()
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
        rest_s = _SHORTEST_REST_S
        while not self._closed:
            url = self._url()
            if url:
                left = asyncio.Event()
                connection = asyncio.create_task(self._connect(url, left))
                self._connections.add(connection)
                connection.add_done_callback(self._connections.discard)
                done, _ = await asyncio.wait(
                    [connection, asyncio.create_task(left.wait())], return_when=asyncio.FIRST_COMPLETED
                )
                problem = connection.exception() if connection in done else None
                if problem is None:
                    rest_s = _SHORTEST_REST_S
                else:
                    _log.warning("no flow run can be made ready at %s: %s", url, _said(problem))
                    rest_s = min(_LONGEST_REST_S, rest_s * 2)
            await self._pause(rest_s)

    async def close(self, patience_s: float) -> bool:
        """End those that wait, and give all a moment to tell the server; whether it heard them all."""
        self._closed = True
        self._taken.set()
        self._dismiss()
        if self._runs or self._connections:
            await asyncio.wait({*self._runs, *self._connections}, timeout=patience_s)
        return not self._runs

    async def _connect(self, url: str, left: asyncio.Event) -> None:
        """Keep some ready at `url` while the server is there, then set `left` and wait for those that still run.

        Raises: what httpx, Prefect or the system raise when no flow run can be made there.
        """
        async with _connected(url):
            runs: set[asyncio.Task[None]] = set()
            sweeping = asyncio.create_task(self._sweep())
            try:
                await self._keep_ready(url, runs)
            finally:
                sweeping.cancel()
                self._dismiss()
                left.set()
                if runs:
                    await asyncio.wait(runs)

    async def _keep_ready(self, url: str, runs: set[asyncio.Task[None]]) -> None:
        while not self._closed and self._url() == url:
            if len(self._ready) < self._spare:
                if self._ready:
                    await self._pause(_REARM_AFTER_S)  # an execution that just began goes first
                await self._make_one(runs)
            else:
                self._taken.clear()
                await self._pause(1.0)

    async def _make_one(self, runs: set[asyncio.Task[None]]) -> None:
        """Return when another one is ready. Raises: whatever kept it from that."""
        run = asyncio.create_task(self._one())
        for group in (runs, self._runs):
            group.add(run)
            run.add_done_callback(group.discard)
        run.add_done_callback(_told)
        self._came.clear()
        arriving = asyncio.create_task(self._came.wait())
        await asyncio.wait([run, arriving], return_when=asyncio.FIRST_COMPLETED)
        if not arriving.done():
            arriving.cancel()
            await run

    async def _one(self) -> None:
        run: Any = self._flow()
        await run

    async def _body(self) -> State[Any] | None:
        """What runs inside a flow run: wait for an execution, advance it, hand over how that went."""
        waiting: asyncio.Future[Drive | None] = asyncio.get_running_loop().create_future()
        self._ready.append(waiting)
        self._came.set()
        self._on_ready()
        drive = await waiting
        if drive is None:
            return Completed(name="Unneeded", message="the runner ended before it was needed")
        labelling = asyncio.create_task(_label(drive, _LABEL_AFTER_S))
        problem = await _advanced(drive)
        if not labelling.done():
            labelling.cancel()
            await _label(drive, 0)
        return None if problem is None else Failed(message=_said(problem))

    def _dismiss(self) -> None:
        while self._ready:
            self._ready.pop().set_result(None)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._taken.wait(), seconds)

    async def _sweep(self) -> None:
        """Tell the server of flow runs that an earlier process of this name left behind."""
        client = get_client()
        try:
            left = await client.read_flow_runs(
                flow_filter=FlowFilter.model_validate({"name": {"any_": [self._flow.name]}}),
                flow_run_filter=FlowRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}),
                sort=FlowRunSort.ID_DESC,
                limit=_MOST_LEFT_BEHIND,
            )
            for run in left:
                if run.created is not None and run.created < self._born:
                    await client.set_flow_run_state(run.id, Crashed(message="the runner it ran in is gone"), force=True)
        except Exception as problem:  # noqa: BLE001 - whoever reads Prefect's own lists sees them running still, nobody else
            _log.warning("flow runs of an earlier runner are still shown as running: %s", _said(problem))


async def _advanced(drive: Drive) -> Exception | None:
    """Advance it and tell the result: the execution does not wait for what Prefect does afterwards."""
    try:
        await advance(drive, _performed)
    except Exception as problem:  # noqa: BLE001 - the runner decides what it means
        drive.result.set_exception(problem)
        return problem
    except BaseException:
        drive.result.set_exception(Unavailable("the flow run was cut off"))
        raise
    drive.result.set_result(None)
    return None


def _told(run: asyncio.Task[None]) -> None:
    """A flow run is over; that the server could not be told so matters to nobody."""
    if not run.cancelled() and (problem := run.exception()) is not None:
        _log.info("the end of a flow run was not told to the server: %s", _said(problem))


def _said(problem: BaseException) -> str:
    return str(problem) or type(problem).__name__


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

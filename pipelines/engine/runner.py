"""The warm process: finds executions that are due, takes their leases, and lets flow runs advance them.

One asyncio loop in a thread of its own (Prefect takes SIGTERM for itself in a main thread), work in thread pools, and a
datagram socket on which one byte means "look now".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from core.errors import LeaseLost, PenstockError
from core.holder import this_process
from core.process import kill_tagged
from core.socket_path import short
from pipelines.definition import from_data
from pipelines.engine.claims import Claims, Renewer
from pipelines.engine.drive import Drive
from pipelines.engine.flow import FlowRuns
from pipelines.engine.holding import Holding
from pipelines.engine.observe import Definitions
from pipelines.engine.perform import Performed, Workshop, perform
from pipelines.engine.prefect_home import announced_url
from pipelines.engine.settle import Settler
from stages.base import Dependencies, Provider
from stages.registry import create, names
from store.records import ActionRecord, ExecutionRecord, Lease

POLL_S = 0.5
POLL_WHILE_DRIVING_S = 0.1
MOST_AT_ONCE = 8
MOST_ACTIONS = 64
PATIENCE_S = 5.0
LONGEST_REST_S = 30.0

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class _Driven:
    """An execution this runner drives now; `revision` is the newest one it knows of."""

    holding: Holding
    drive: Drive
    revision: int
    working: set[str] = field(default_factory=set)


class Runner:
    """Drives executions until `stop`. `prefect_url` tells where the server answers now ("" while it does not)."""

    def __init__(
        self,
        workshop: Workshop,
        *,
        name: str,
        holder: str,
        socket_path: Path,
        prefect_url: Callable[[], str],
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        settler = self._settler = workshop.settler
        self._workshop = workshop
        self._socket_path = socket_path
        self._most_at_once = most_at_once
        self._claims = Claims(settler.database, settler.clock, holder)
        self._renewer = Renewer(settler.database, settler.clock, self._lost)
        self._runs = FlowRuns(name, prefect_url, self._look_now)
        self._driven: dict[str, _Driven] = {}
        self._going_back: set[asyncio.Future[None]] = set()
        self._resting: dict[str, tuple[float, float]] = {}  # execution → (until when, for how long)
        self._minds = ThreadPoolExecutor(4, thread_name_prefix="decide")
        self._hands = ThreadPoolExecutor(MOST_ACTIONS, thread_name_prefix="action")
        self._stopping = False
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._wake: asyncio.Event

    def run(self) -> bool:
        """Drive until `stop` is called; False when something did not end in time and only the process's end helps."""
        thread = threading.Thread(target=self._in_loop, name="runner")
        self._clean = True
        self._renewer.start()
        thread.start()
        thread.join()
        self._renewer.stop()
        self._minds.shutdown(wait=False)
        self._hands.shutdown(wait=False)
        return self._clean

    def stop(self) -> None:
        """Hand back what is driven and end `run`, from any thread or signal handler."""
        self._stopping = True
        if self._started.is_set():
            self._loop.call_soon_threadsafe(self._wake.set)

    def _in_loop(self) -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self._main())
        finally:
            if self._clean:
                loop.close()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        nudges = self._bind()
        self._loop.add_reader(nudges, self._nudged, nudges)
        serving = asyncio.create_task(self._runs.serve())
        self._started.set()
        try:
            while not self._stopping:
                self._wake.clear()
                await self._look()
                limit = POLL_WHILE_DRIVING_S if self._driven else POLL_S
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), limit)
        finally:
            self._loop.remove_reader(nudges)
            nudges.close()
            self._socket_path.unlink(missing_ok=True)
            await self._leave()
            serving.cancel()

    def _bind(self) -> socket.socket:
        self._socket_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket_path.unlink(missing_ok=True)
        nudges = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        nudges.setblocking(False)
        nudges.bind(short(self._socket_path))
        self._socket_path.chmod(0o600)
        return nudges

    def _nudged(self, nudges: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while nudges.recv(64):
                pass
        self._wake.set()

    def _look_now(self) -> None:
        self._wake.set()

    def _lost(self, holding: Holding) -> None:
        self._loop.call_soon_threadsafe(self._tell, holding)

    def _tell(self, holding: Holding) -> None:
        for driven in self._driven.values():
            if driven.holding is holding:
                driven.drive.changed.set()

    async def _look(self) -> None:
        """Tell the drives whose execution has changed, and begin to drive what is due and free."""
        room = min(self._most_at_once - len(self._driven), self._runs.ready)
        now = self._loop.time()
        busy = {*self._driven, *(key for key, rest in self._resting.items() if rest[0] > now)}
        try:
            ours, taken = await self._think(self._claims.look, busy, room)
        except PenstockError:
            _log.exception("looking for due executions failed")
            return
        for execution in ours:
            driven = self._driven.get(execution.id)
            if driven is not None and driven.revision != execution.revision:
                driven.revision = execution.revision
                driven.drive.changed.set()
        for execution, lease in taken:
            self._drive(execution, lease)

    def _drive(self, execution: ExecutionRecord, lease: Lease) -> None:
        holding = Holding(lease)
        self._renewer.keep(holding)
        driven = _Driven(holding, self._new_drive(execution, holding), execution.revision)
        self._driven[execution.id] = driven
        driven.drive.result.add_done_callback(lambda result: self._ended(execution.id, driven, result))
        self._runs.take(driven.drive)

    def _new_drive(self, execution: ExecutionRecord, holding: Holding) -> Drive:
        async def work(attempt: ActionRecord, begun: bool) -> Performed:
            self._driven[execution.id].working.add(attempt.id)
            try:
                task = partial(perform, self._workshop, holding, attempt, begun=begun)
                return await self._loop.run_in_executor(self._hands, task)
            finally:
                self._driven[execution.id].working.discard(attempt.id)

        return Drive(
            execution_id=execution.id,
            label=f"{execution.pipeline}/{execution.number}",
            settle=lambda: self._think(self._settler.settle, execution.id, holding.lease),
            perform=work,
            park=lambda: self._think(self._settler.park, execution.id, holding.lease),
            gone=lambda: holding.gone,
            now=self._settler.clock.now,
        )

    def _ended(self, execution_id: str, driven: _Driven, result: asyncio.Future[None]) -> None:
        self._renewer.forget(driven.holding)
        del self._driven[execution_id]
        problem = result.exception()
        if problem is not None or driven.holding.gone:
            told = "" if execution_id in self._resting else _told(problem)
            back = self._loop.run_in_executor(
                self._minds, self._claims.hand_back, execution_id, driven.holding.lease, told
            )
            self._going_back.add(back)
            back.add_done_callback(self._going_back.discard)
        if problem is None or isinstance(problem, LeaseLost):
            self._resting.pop(execution_id, None)
        else:
            rest_s = min(LONGEST_REST_S, 2 * self._resting.get(execution_id, (0.0, 0.5))[1])
            self._resting[execution_id] = (self._loop.time() + rest_s, rest_s)
            _log.error("execution %s cannot be advanced, next try in %.0f s", execution_id, rest_s, exc_info=problem)
        self._wake.set()

    async def _think(self, function: Callable[..., T], *arguments: object) -> T:
        return await self._loop.run_in_executor(self._minds, function, *arguments)

    async def _leave(self) -> None:
        """Hand back: what runs is told to stop and left as it is, for whoever comes next."""
        drives = list(self._driven.values())
        for driven in drives:
            driven.holding.let_go("the runner is shutting down")
            driven.drive.changed.set()
        if drives:
            await asyncio.wait([driven.drive.result for driven in drives], timeout=PATIENCE_S)
        for driven in list(self._driven.values()):
            self._clean = False
            for action_id in driven.working:
                await self._think(kill_tagged, action_id)
            await self._think(self._claims.hand_back, driven.drive.execution_id, driven.holding.lease)
        if self._going_back:
            await asyncio.wait(self._going_back)
        self._clean = await self._runs.close(patience_s=1.0) and self._clean


def _told(problem: BaseException | None) -> str:
    """What the ledger is told of `problem`: its kind only, for the text of a foreign error may hold anything."""
    if problem is None or isinstance(problem, LeaseLost):
        return ""
    return f"Penstock could not advance it ({type(problem).__name__}) and tries again; the runner's log says more"


def main(dependencies: Dependencies, *, name: str, secrets: tuple[str, ...] = ()) -> int:
    """Run until SIGTERM or SIGINT; 0. The process needs the environment of `prefect_home.client_environment`."""
    providers: dict[str, Provider] = {}

    def provider(of: str) -> Provider:
        if of not in providers:
            providers[of] = create(of, dependencies)
        return providers[of]

    tidying = ThreadPoolExecutor(1, thread_name_prefix="tidy")
    settler = Settler(dependencies.database, Definitions(from_data), dependencies.clock, dependencies.ids)
    workshop = Workshop(
        settler,
        dependencies.artifacts,
        dependencies.home,
        provider,
        lambda path: _later(tidying, path),
        secrets,
    )
    runner = Runner(
        workshop,
        name=name,
        holder=this_process(),
        socket_path=dependencies.home / "run" / f"{name}.sock",
        prefect_url=lambda: announced_url(dependencies.home / "run" / "prefect.json"),
    )
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: runner.stop())
    for known in names():
        _preload(provider, known)
    clean = runner.run()
    tidying.shutdown(wait=clean)
    if not clean:
        logging.shutdown()
        os._exit(0)  # a provider that does not stop would keep the process; its execution has been handed back
    return 0


def _later(pool: ThreadPoolExecutor, path: Path) -> None:
    pool.submit(shutil.rmtree, path, ignore_errors=True)


def _preload(provider: Callable[[str], Provider], name: str) -> None:
    """Import it now rather than in an execution; what cannot be loaded fails its own actions then."""
    try:
        provider(name)
    except Exception:  # noqa: BLE001
        _log.exception("provider %s cannot be loaded", name)

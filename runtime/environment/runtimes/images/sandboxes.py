"""Sandboxes that are containers: the same promises as any sandbox, kept by the Docker engine."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.environment.memory import MemoryGauge
from runtime.environment.runtimes.images.spec import ContainerSpec, EngineError, ImageSpec
from runtime.http import Handler, Reply, Request, Streams
from runtime.isolation.listener import Listener
from runtime.isolation.spec import Exit, Isolation, OnExit, OnLine, Paths, ProcessSpec, SandboxSpec
from runtime.isolation.users import Users

if TYPE_CHECKING:
    from runtime.environment.runtimes.images.engine import Run

_SETTLE_S = 0.005
"""How long a result waits for what the function wrote before it: logs come through the engine."""
_STOP_S = 10.0
_PARTIAL_BYTES = 1 << 18
_log = logging.getLogger(__name__)


class Containers:
    """Every container of one server. The engine is asked for when the first one is wanted."""

    def __init__(self, home: Path, users: tuple[int, int]) -> None:
        self._home = home
        self._range = users
        self._users: Users | None = None
        self._api: Any = None
        self._connecting = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._marker = home / "containers"
        """There while containers may have been left behind."""

    async def start(self) -> None:
        """Remove what an earlier server left behind."""
        if self._marker.exists():
            try:
                await asyncio.to_thread(self._sweep)
            except EngineError as error:
                _log.warning("containers of an earlier server may be left: %s", error)
            else:
                self._marker.unlink(missing_ok=True)

    def create(
        self, image: ImageSpec, spec: SandboxSpec, on_request: Handler, streams: Streams | None = None
    ) -> ContainerSandbox:
        """A sandbox for `image`."""
        if self._users is None:
            self._users = Users(*self._range)
        self._marker.touch()
        return ContainerSandbox(self, self._users, image, spec, on_request, streams, str(self._home))

    def api(self) -> Any:
        """The engine's API, from any thread.

        Raises:
            EngineError: no engine answers.
        """
        with self._connecting:
            if self._api is None:
                self._api = _engine().connect()
            return self._api

    def _sweep(self) -> None:
        _engine().sweep(self.api(), str(self._home))

    def in_thread(self, work: Callable[[], None]) -> None:
        """Do `work` away from the event loop."""

        def done() -> None:
            try:
                work()
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=done, daemon=True)
        self._threads.add(thread)
        thread.start()

    async def stop(self) -> None:
        """Wait until every container that was ended is gone."""
        end = asyncio.get_running_loop().time() + _STOP_S
        while self._threads and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.01)
        if self._api is not None and not self._threads:
            self._marker.unlink(missing_ok=True)
        if self._users is not None:
            self._users.close()


class ContainerSandbox:
    """See Sandbox. Each `spawn` is a new container, so /tmp does not outlive a reset."""

    def __init__(
        self,
        containers: Containers,
        users: Users,
        image: ImageSpec,
        spec: SandboxSpec,
        on_request: Handler,
        streams: Streams | None,
        home: str,
    ) -> None:
        self._containers = containers
        self._users = users
        self._user = users.take()
        self._image = image
        self._spec = spec
        self._home = home
        self._loop = asyncio.get_running_loop()
        self._run: Run | None = None
        self._on_line: OnLine = _ignore
        self._partial = b""
        self._gauge = MemoryGauge()
        self._on_request = on_request
        self._listener = Listener()
        self._listener.serve(self._handle, streams, lambda: self._user)
        self.address = self._listener.address
        self.host = "127.0.0.1"
        self.paths = Paths("/var/task", "/opt", "/var/runtime", "/tmp", ())  # noqa: S108  (the container's own)
        self.isolation = Isolation(namespaces=True, memory="docker", cpu="docker", temporary="tmpfs")

    @property
    def is_connected(self) -> bool:
        """See Sandbox."""
        return self._listener.is_connected

    def spawn(self, process: ProcessSpec, on_line: OnLine, on_exit: OnExit) -> None:
        """See Sandbox."""
        spec = ContainerSpec(
            image=self._image,
            environment=process.environment,
            memory_mb=self._spec.memory_mb,
            temporary_mb=self._spec.temporary_mb,
            user=self._user,
            owner=self._spec.owner,
            home=self._home,
        )
        self._on_line = on_line
        run: Run = _engine().Run(self._containers.api, spec, lambda data: self._later(self._wrote, run, data))
        self._run = run
        self._containers.in_thread(lambda: self._later(self._exited, run, run.run(), on_exit))

    def _later(self, call: Callable[..., None], *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *arguments)

    def _handle(self, request: Request, reply: Reply) -> None:
        if request.method == "POST" and request.incoming is None:
            self._loop.call_later(_SETTLE_S, self._on_request, request, reply)
        else:
            self._on_request(request, reply)

    def _wrote(self, run: Run, data: bytes) -> None:
        if run is not self._run:
            return
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._on_line(line.decode("utf-8", "replace"))
        if len(self._partial) > _PARTIAL_BYTES:
            self.drain()

    def _exited(self, run: Run, ended: Exit, on_exit: OnExit) -> None:
        if run is self._run:
            self.drain()
            self._run = None
            on_exit(ended)

    def signal(self, name: str, number: int) -> None:  # noqa: ARG002  (there is one process)
        """See Sandbox."""
        if self._run is not None:
            run = self._run
            self._containers.in_thread(lambda: run.signal(number))

    def drain(self) -> None:
        """See Sandbox: as far as the engine has handed it over."""
        if self._partial:
            partial, self._partial = self._partial, b""
            self._on_line(partial.decode("utf-8", "replace"))

    def settled(self) -> None:
        """See Sandbox."""
        if self._run is not None:
            self._containers.in_thread(self._run.limit_cpu)

    def kill(self) -> None:
        """See Sandbox."""
        self.drain()
        run, self._run = self._run, None
        if run is not None:
            self._containers.in_thread(run.end)
        self._listener.disconnect()

    def close(self) -> None:
        """See Sandbox."""
        self.kill()
        self._listener.close()
        self._users.give_back(self._user)

    def memory_peak_mb(self) -> int:
        """See Sandbox: of the container's first process."""
        pid = self._run.pid if self._run is not None else 0
        return self._gauge.peak_mb(pid or None, self._loop.time())


def _engine() -> Any:
    """The module that speaks to Docker, loaded when it is first needed."""
    from runtime.environment.runtimes.images import engine

    return engine


def _ignore(_text: str) -> None:
    """Nothing runs yet."""

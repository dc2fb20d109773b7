"""The server: every part put together, started and stopped in order."""

from __future__ import annotations

import asyncio
import gc
import random
import shutil
import socket
from collections.abc import Callable

from core.clock import Clock
from core.ids import Ids
from runtime.api.errors import ApiError, rest_json
from runtime.api.model import load_service
from runtime.catalog.code import CodeStore
from runtime.catalog.records import FunctionVersion
from runtime.catalog.store import Catalog
from runtime.control import operations
from runtime.control.aliases import Aliases
from runtime.control.functions import Functions
from runtime.control.tags import Tags
from runtime.dispatch import Dispatcher
from runtime.environment.environment import Environment, Workshop
from runtime.environment.fleet import Fleet
from runtime.environment.launcher import Launcher
from runtime.http import HttpProtocol, Response
from runtime.invoke.api import InvokeApi
from runtime.invoke.invoker import Invoker
from runtime.invoke.route import Draw
from runtime.logs import Logs
from runtime.metrics.cloudwatch import CloudWatch
from runtime.metrics.store import Metrics
from runtime.names import Scope
from runtime.queues.events import Events
from runtime.settings import Settings


class Server:
    """One local Lambda endpoint. `draw` decides the alias routing of each invocation."""

    def __init__(self, settings: Settings, clock: Clock, ids: Ids, draw: Draw | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._draw = draw or random.SystemRandom().random
        self._connections: set[HttpProtocol] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.port = 0

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://{self._settings.host}:{self.port}"

    async def start(self) -> None:
        """Listen, and answer from the first connection on.

        Raises:
            OSError: the address is taken, or the home cannot be written.
        """
        settings = self._settings
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((settings.host, settings.port))
        self.port = self._socket.getsockname()[1]
        home = settings.home
        shutil.rmtree(home / "scratch", ignore_errors=True)
        scope = Scope(settings.account, settings.region)
        model = load_service("lambda")
        self._code = CodeStore(home / "code")
        self._catalog = Catalog(home / "catalog.db")
        self._logs = Logs(home / "logs")
        self._metrics = Metrics(home / "metrics.db", self._clock)
        self._launcher = Launcher(home / "runtimes")
        await self._launcher.start()
        workshop = Workshop(
            launcher=self._launcher,
            logs=self._logs,
            clock=self._clock,
            ids=self._ids,
            scope=scope,
            endpoint_url=self.url,
            scratch=home / "scratch",
            init_timeout_s=settings.init_timeout_s,
        )
        self._fleet = Fleet(self._maker(workshop), settings.max_environments, settings.idle_s)
        runtimes = frozenset(model.shape_for("Runtime").metadata["enum"])
        self._functions = Functions(
            self._catalog, self._code, scope, self._clock, self._ids, runtimes, self._discard_stale
        )
        await self._functions.settle_all()
        invoker = Invoker(
            self._catalog, self._functions.serving, self._fleet, self._metrics, scope, self._clock, self._draw,
            settings.concurrency,
        )  # fmt: skip
        self._events = Events(home / "events.db", invoker, self._clock, settings.retry_delays_s)

        def fail(error: ApiError, request_id: str) -> Response:
            return rest_json(error, model, request_id)

        table = operations.table(
            self._functions,
            Aliases(self._catalog, scope, self._ids),
            Tags(self._catalog, scope),
            f"{settings.host}:{self.port}",
        )
        invoke = InvokeApi(invoker, self._events, self._ids, fail)
        dispatcher = Dispatcher(model, table, invoke, self._code, (CloudWatch(self._metrics, self._ids),), self._ids)
        self._metrics.start()
        self._events.start()
        gc.freeze()  # what was loaded to start stays; collecting must not look at it again
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpProtocol(dispatcher, self._connections), sock=self._socket, backlog=1024
        )

    async def stop(self) -> None:
        """Stop listening, end every environment, write what is pending."""
        self._server.close()
        await self._events.stop()
        self._fleet.stop()
        await self._launcher.stop()
        await self._functions.stop()
        for connection in list(self._connections):
            connection.close()
        await self._metrics.stop()
        self._logs.close()
        self._catalog.close()

    def _maker(self, workshop: Workshop) -> Callable[[FunctionVersion, Callable[[Environment], None]], Environment]:
        def make(version: FunctionVersion, available: Callable[[Environment], None]) -> Environment:
            return Environment(version, self._code.directory(version.code_sha256), workshop, available)

        return make

    def _discard_stale(self, name: str) -> None:
        self._fleet.discard(name, lambda version: self._catalog.version(name, version.version) is not None)

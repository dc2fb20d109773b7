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
from runtime.alarms.service import CloudWatch, invoking
from runtime.api.errors import ApiError, rest_json
from runtime.api.model import load_service
from runtime.billing.provisioned import ProvisionedMeter
from runtime.billing.service import CostService
from runtime.catalog.code import CodeStore
from runtime.catalog.records import FunctionVersion
from runtime.catalog.store import Catalog
from runtime.control import operations
from runtime.control.plane import Ground, plane
from runtime.control.provisioned import Provisioning
from runtime.control.settling import Settling
from runtime.control.uploads import Uploads
from runtime.control.urls import local_address
from runtime.dispatch import Dispatcher
from runtime.environment.assembly import Package, Workshop
from runtime.environment.environment import Environment
from runtime.environment.fleet import Fleet, Make
from runtime.environment.runtimes import observe
from runtime.environment.runtimes.images.sandboxes import Containers
from runtime.gateway.clients import Clients
from runtime.gateway.files import Files
from runtime.gateway.gateway import Gateway
from runtime.gateway.trusted import PROOF, caller_of
from runtime.http import HttpProtocol, Response
from runtime.invoke.api import InvokeApi
from runtime.invoke.invoker import Invoker
from runtime.invoke.route import Draw
from runtime.invoke.streaming import StreamApi
from runtime.isolation.sandboxes import PREPARED, LocalSandboxes
from runtime.log_groups.service import CloudWatchLogs
from runtime.logs import Logs
from runtime.metrics.store import Metrics
from runtime.names import Scope
from runtime.policy.callers import Role
from runtime.policy.door import Backend, door
from runtime.pollers.pollers import Pollers
from runtime.queues.queues import Queues
from runtime.settings import Settings
from runtime.urls.serve import UrlApi

CONTAINER_USERS = (800_000, 809_999)
"""User ids that containers run under."""


class Server:
    """One local Lambda endpoint. `draw` decides the alias routing of each invocation."""

    def __init__(self, settings: Settings, clock: Clock, ids: Ids, draw: Draw | None = None) -> None:
        self._settings = settings
        self._scope = Scope(settings.account, settings.region)
        self._clock = clock
        self._ids = ids
        self._draw = draw or random.SystemRandom().random
        self._connections: set[HttpProtocol] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets NODELAY
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
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((self._settings.host, self._settings.port))
        self.port = self._socket.getsockname()[1]
        self._machine = await asyncio.to_thread(observe.this_machine)
        self._open()
        await self._sandboxes.start()
        await self._containers.start()
        await self._settling.all()
        dispatcher = self._assemble()
        self._metrics.start()
        self._cloudwatch.start()
        self._log_service.start()
        self._meter.start()
        self._queues.start()
        gc.freeze()  # what was loaded to start stays; collecting must not look at it again
        self._server = await asyncio.get_running_loop().create_server(
            lambda: HttpProtocol(dispatcher, self._connections, streams=self._gateway.wants_stream),
            sock=self._socket,
            backlog=1024,
        )
        self._gateway.start(self.url)
        Provisioning(self._catalog, self._fleet).start()
        self._pollers.start()

    def _open(self) -> None:
        """What is kept on disk, and what runs functions."""
        settings, home = self._settings, self._settings.home
        shutil.rmtree(home / "scratch", ignore_errors=True)
        self._code = CodeStore(home / "code")
        self._catalog = Catalog(home / "catalog.db")
        self._logs = Logs(home / "logs", settings.echo_logs)
        self._metrics = Metrics(home / "metrics.db", self._clock)
        self._log_service = CloudWatchLogs(self._logs, self._metrics, self._scope, self._clock, self._ids)
        self._meter = ProvisionedMeter(self._catalog, self._metrics, self._clock)
        files = Files(home / "gateway")
        self._gateway = Gateway(files, self._scope)
        self._clients = Clients(self.url, self._scope)
        backend = Backend(
            self._gateway.handle,
            lambda: self._gateway.running,
            lambda headers: caller_of(headers, files.secret()) if PROOF in headers else None,
        )
        self._door = door(
            self._catalog, self._scope, self._clock, self._ids, backend, self._resident,
            strict=settings.strict_roles, warns=not settings.throw_away,
        )  # fmt: skip
        self._sandboxes = LocalSandboxes(
            home, off=not settings.isolation, users=settings.sandbox_users,
            environments=settings.max_environments, prepared=1 if settings.one_shot else PREPARED,
            preload=not settings.one_shot,
        )  # fmt: skip
        self._settling = Settling(self._catalog, self._code, self._ids, self._discard_stale)
        self._containers = Containers(home, CONTAINER_USERS)
        workshop = Workshop(
            containers=self._containers,
            sandboxes=self._sandboxes,
            logs=self._logs,
            clock=self._clock,
            ids=self._ids,
            scope=self._scope,
            endpoint_url=self.url,
            machine=self._machine,
            credentials=self._door.sessions.credentials_for,
            role_warning=self._door.execution_roles.warning,
            init_timeout_s=settings.init_timeout_s,
            untimed=settings.untimed,
        )
        self._fleet = Fleet(self._maker(workshop), settings.max_environments, settings.idle_s)
        self._invoker = Invoker(
            self._catalog, self._settling.serving, self._fleet, self._metrics, self._scope, self._clock, self._draw,
            settings.concurrency,
        )  # fmt: skip
        self._queues = Queues(
            home / "events.db", self._invoker, self._catalog, self._metrics, self._clients, self._clock, self._ids,
            settings.retry_delays_s,
        )  # fmt: skip
        self._pollers = Pollers(
            self._queues, self._invoker, self._catalog, self._metrics, self._scope, self._clock, self._ids
        )
        invoke = invoking(self._door.authority, self._queues.events, self._scope, self._ids)
        self._cloudwatch = CloudWatch(
            home / "alarms.db", self._metrics, self._clients, invoke, self._scope, self._clock, self._ids
        )

    def _assemble(self) -> Dispatcher:
        """What answers requests."""
        model = load_service("lambda")
        settings = self._settings
        ground = Ground(
            catalog=self._catalog,
            code=self._code,
            aws=Uploads(settings.home / "uploads", self._clients) if settings.throw_away else self._clients,
            scope=self._scope,
            clock=self._clock,
            ids=self._ids,
            runtimes=frozenset(model.shape_for("Runtime").metadata["enum"]),
            concurrency=settings.concurrency,
            url_address=local_address(settings.region, self.port),
            provisioner=self._fleet,
            settling=self._settling,
            on_delete=self._discard_stale,
        )
        host = f"{self._settings.host}:{self.port}"
        table = operations.table(plane(ground), host)

        def fail(error: ApiError, request_id: str) -> Response:
            return rest_json(error, model, request_id)

        invoke = InvokeApi(self._invoker, self._queues.events, self._ids, fail)
        others = (
            self._cloudwatch.service,
            CostService(self._metrics, self._clock),
            self._log_service.service,
            self._door.identity,
            self._gateway,
        )
        stream = StreamApi(self._invoker, self._ids, fail)
        urls = UrlApi(
            self._catalog, self._invoker, self._door.guard, self._door.authority, self._metrics, self._scope,
            self._clock, self._ids,
        )  # fmt: skip
        return Dispatcher(model, table, invoke, stream, urls, self._code, others, self._ids, self._door.guard)

    async def stop(self) -> None:
        """Stop listening, end every environment, write what is pending."""
        self._server.close()
        await self._cloudwatch.stop()
        await self._log_service.stop()
        await self._meter.stop()
        await self._pollers.stop()
        await self._queues.stop()
        self._clients.close()
        await self._gateway.stop()
        await self._fleet.wind_down()
        self._fleet.stop()
        await self._sandboxes.stop()
        await self._containers.stop()
        await self._settling.stop()
        for connection in list(self._connections):
            connection.close()
        await self._metrics.stop()
        self._logs.close()
        self._catalog.close()

    def _maker(self, workshop: Workshop) -> Make:
        def make(
            version: FunctionVersion, available: Callable[[Environment], None], *, provisioned: bool
        ) -> Environment:
            directories = [self._code.directory(digest) for digest in version.packages]
            task_root = None if version.is_image else directories.pop(0)
            package = Package(task_root, tuple(directories))
            return Environment(version, package, workshop, available, provisioned=provisioned)

        return make

    def _resident(self, peer: tuple[str, int]) -> Role | None:
        """The role session of the function whose sandbox a connection comes out of."""
        owner = self._sandboxes.owner_of(peer, (self._settings.host, self.port))
        return self._door.sessions.of_function(owner) if owner is not None else None

    def _discard_stale(self, name: str) -> None:
        self._fleet.discard(name, lambda version: self._catalog.version(name, version.version) is not None)

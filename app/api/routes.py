"""The table of addresses, and one short function for each: read the request, ask the service, answer a document."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from app import documents
from app.api import answers, bodies
from app.api.follow import Follower, stream
from app.api.guard import Guard
from app.api.watch import Watch
from app.local import status_of
from app.version import own_version
from core.errors import InvalidInput, PenstockError
from pipelines.service import Answer, Choice, Service


class Routes:
    """The handlers; `service` answers, `watch` wakes the followers, `processes` describes who runs."""

    def __init__(self, service: Service, watch: Watch, processes: Callable[[], dict[str, object]]) -> None:
        self._service = service
        self._watch = watch
        self._processes = processes

    def table(self) -> list[Route]:
        """Every address."""
        one = "/v1/executions/{ref}"
        return [
            Route("/v1/health", self.health),
            Route("/v1/status", self.status),
            Route("/v1/pipelines", self.pipelines),
            Route("/v1/executions", self.executions),
            Route("/v1/executions", self.start, methods=["POST"]),
            Route(one, self.show),
            Route(f"{one}/follow", self.follow),
            Route(f"{one}/events", self.events),
            Route(f"{one}/why", self.why),
            Route(f"{one}/stop", self.stop, methods=["POST"]),
            Route(f"{one}/retry", self.retry, methods=["POST"]),
            Route("/v1/approvals", self.approve, methods=["POST"]),
            Route("/v1/rollbacks", self.roll_back, methods=["POST"]),
            Route("/v1/plans", self.plan, methods=["POST"]),
        ]

    async def health(self, _request: Request) -> Response:
        """Whether we answer, and who we are; needs no token."""
        return answers.document({"status": "ok", "version": own_version()})

    async def status(self, _request: Request) -> Response:
        """Every pipeline's state, and which processes run."""
        states = await run_in_threadpool(self._service.status)
        return answers.document(
            {"pipelines": [documents.state(item) for item in states], "processes": self._processes()}
        )

    async def pipelines(self, _request: Request) -> Response:
        """Every pipeline."""
        found = await run_in_threadpool(self._service.pipelines)
        return answers.document({"pipelines": [documents.pipeline(item) for item in found]})

    async def executions(self, request: Request) -> Response:
        """The newest executions (`?pipeline=`, `status=`, `limit=`)."""
        query = request.query_params
        found = await run_in_threadpool(
            self._service.executions, query.get("pipeline"), status_of(query.get("status")), _limit(query.get("limit"))
        )
        return answers.document({"executions": [documents.execution(item) for item in found]})

    async def start(self, request: Request) -> Response:
        """Start an execution; null when its key was used before."""
        body = await bodies.read(request, bodies.Start)
        execution = await run_in_threadpool(
            self._service.start,
            body.file_text,
            Path(body.file),
            variables=body.variables,
            trigger_type="StartPipelineExecution",
            trigger_detail=body.trigger_detail,
            key=body.key,
            source_revisions=body.source_revisions,
        )
        if execution is None:
            return answers.document({"execution": None})
        if body.follow:
            return self._stream(execution.id, with_logs=False)
        return answers.document({"execution": documents.execution(execution)}, 201)

    async def show(self, request: Request) -> Response:
        """One execution as a tree (`?pipeline=` narrows numbers and prefixes)."""
        view = await run_in_threadpool(
            self._service.show, request.path_params["ref"], request.query_params.get("pipeline")
        )
        return answers.document(documents.tree(view))

    async def follow(self, request: Request) -> Response:
        """The follow stream (`?logs=1` with log lines, `after=` without the events before)."""
        after = _number(request.query_params.get("after", "0"), "after")
        view = await run_in_threadpool(self._service.show, request.path_params["ref"])
        return self._stream(view.execution.id, with_logs=request.query_params.get("logs") == "1", after=after)

    async def events(self, request: Request) -> Response:
        """Ledger events of one execution (`?after=`)."""
        after = _number(request.query_params.get("after", "0"), "after")
        found = await run_in_threadpool(self._service.events, request.path_params["ref"], after)
        return answers.document({"events": [documents.event(item) for item in found]})

    async def why(self, request: Request) -> Response:
        """The story of one execution."""
        told = await run_in_threadpool(self._service.why, request.path_params["ref"])
        return answers.document(documents.story(told))

    async def stop(self, request: Request) -> Response:
        """Stop one execution."""
        body = await bodies.read(request, bodies.Stop)

        def act() -> Response:
            record = self._service.stop(request.path_params["ref"], abandon=body.abandon, reason=body.reason)
            return answers.document({"execution": documents.execution(record)})

        return await run_in_threadpool(act)

    async def retry(self, request: Request) -> Response:
        """Retry a stage of one execution."""
        body = await bodies.read(request, bodies.Retry)
        record = await run_in_threadpool(self._service.retry, request.path_params["ref"], body.stage, body.mode)
        return answers.document({"execution": documents.execution(record)})

    async def approve(self, request: Request) -> Response:
        """Answer an approval."""
        body = await bodies.read(request, bodies.Approval)
        action = await run_in_threadpool(self._service.answer, Answer(**body.model_dump()))
        return answers.document({"action": documents.attempt(action)})

    async def roll_back(self, request: Request) -> Response:
        """Undo a release."""
        body = await bodies.read(request, bodies.Rollback)
        choice = Choice(body.deployment, body.function, body.alias, body.target, body.to_version)
        undone = await run_in_threadpool(self._service.roll_back, choice, body.by, body.reason)
        return answers.document({"deployment": documents.deployment(undone)})

    async def plan(self, request: Request) -> Response:
        """What the releases of a pipeline file would do now."""
        body = await bodies.read(request, bodies.Plan)
        plans = await run_in_threadpool(
            self._service.plan, body.file_text, Path(body.file), body.variables, body.action
        )
        return answers.document({"plans": [documents.plan(item) for item in plans]})

    def _stream(self, execution_id: str, *, with_logs: bool, after: int = 0) -> Response:
        follower = Follower(self._service, execution_id, with_logs, after)
        return StreamingResponse(stream(follower, self._watch), media_type="application/x-ndjson")


def application(routes: Routes, watch: Watch, token: str) -> ASGIApp:
    """The guarded ASGI application."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        watch.close()

    handlers = {
        PenstockError: answers.on_penstock_error,
        HTTPException: answers.on_http_error,
        ClientDisconnect: answers.on_disconnect,
    }
    app = Starlette(
        routes=routes.table(),
        exception_handlers={**handlers, Exception: answers.on_crash},
        lifespan=lifespan,
    )
    return Guard(app, token)


def _limit(text: str | None) -> int:
    return min(_number(text or "20", "limit"), 1000)


def _number(text: str, where: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise InvalidInput(f"{text!r} is no number", where=where)
    return int(text)

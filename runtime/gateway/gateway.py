"""Every service that is not ours, on our endpoint: requests go on to the backend, which is started by the first."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from runtime.gateway.addresses import LAMBDA, service_of, target_of
from runtime.gateway.files import Files
from runtime.gateway.process import BackendProcess
from runtime.gateway.upstream import Exchange
from runtime.http import Request, Response
from runtime.names import Scope

_log = logging.getLogger(__name__)
OURS = frozenset({"", LAMBDA, "logs", "monitoring"})
"""Services that never reach the backend."""
PROOF_HEADER = "x-penstock-backend"
_PRIVATE = ("x-penstock-", "x-moto-")
_PIECE_BYTES = 1 << 20


class Gateway:
    """One of the dispatcher's services: the last, which takes what no other knows."""

    def __init__(self, files: Files, scope: Scope) -> None:
        self._files = files
        self._process = BackendProcess(files, scope)

    def start(self, server_url: str) -> None:
        """Go on with a backend that an earlier server left running, if there is one."""
        self._process.adopt(server_url)

    async def stop(self) -> None:
        """End the backend; what it kept in memory is gone."""
        await self._process.stop()

    @property
    def running(self) -> bool:
        """Whether the backend has been started: until then nothing is in it."""
        return self._process.running

    @staticmethod
    def wants_stream(request: Request) -> bool:
        """Whether a long body is passed on as it arrives."""
        return Gateway._service(request, "") not in OURS

    def matches(self, request: Request, service: str) -> bool:
        """Whether the request is for none of our own services."""
        return self._service(request, service) not in OURS

    async def handle(self, request: Request) -> Response:
        """The backend's answer; 503 when there is none, which clients try again."""
        if request.path.startswith("/moto-api"):
            return _failure(404, "NotFound", "There is no such address")
        try:
            return await self._ask(request)
        except OSError as error:
            _log.warning("%s %s: %s", request.method, request.path, error)
            return _failure(503, "ServiceUnavailable", "The service does not answer; the runtime's log says why")

    @staticmethod
    def _service(request: Request, signed: str) -> str:
        return signed or service_of(request.method, request.path, request.query, request.headers)

    async def _ask(self, request: Request) -> Response:
        service = self._service(request, "")
        target = target_of(service, request.path, request.query, request.headers.get("host", ""))
        headers = {name: value for name, value in request.headers.items() if not name.startswith(_PRIVATE)}
        body, length, spool = await self._body(request)
        try:
            for attempt in (1, 2):
                port = await self._process.port()
                headers[PROOF_HEADER] = self._files.secret()
                try:
                    return await Exchange(port).run(request.method, target, headers, body, length)
                except ConnectionRefusedError:  # it died; the next look at it starts another
                    if attempt == 2:
                        raise
                    await asyncio.sleep(0.05)
            raise AssertionError("unreachable")
        finally:
            if spool is not None:
                spool.close()

    async def _body(self, request: Request) -> tuple[bytes | AsyncIterator[bytes], int, IO[bytes] | None]:
        """The body, its length, and the file that keeps it when its length had to be found out."""
        if request.incoming is None:
            return request.body, len(request.body), None
        if "content-length" in request.headers:
            return request.incoming, int(request.headers["content-length"]), None
        self._files.prepare()
        spool = tempfile.TemporaryFile(dir=self._files.directory)  # noqa: SIM115  (closed by the caller)
        async for piece in request.incoming:
            spool.write(piece)
        length = spool.tell()
        spool.seek(0)
        return _pieces(spool), length, spool


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _failure(status: int, code: str, message: str) -> Response:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Response(status, (("Content-Type", "application/json"), ("x-amzn-ErrorType", code)), body)

"""The backend's process: started when something needs it, adopted when an earlier server left it, ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from core import holder
from runtime.gateway.files import Files, Party
from runtime.names import Scope

_log = logging.getLogger(__name__)
_START_S = 30.0
_STOP_S = 5.0
_LOOK_S = 0.01
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "TZ", "SYSTEMROOT")


class BackendProcess:
    """`python -m runtime.gateway.backend` for one home."""

    def __init__(self, files: Files, scope: Scope) -> None:
        self._files = files
        self._scope = scope
        self._url = ""
        self._party: Party | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._starting: asyncio.Lock = asyncio.Lock()
        self._stopped = False

    def adopt(self, server_url: str) -> None:
        """Tell a backend that an earlier server left running where this server is."""
        self._url = server_url
        found = self._files.backend()
        if found is not None and found.alive:
            self._introduce()
            self._party = found
            _log.info("the backend of the other services (process %d) goes on", found.pid)

    @property
    def running(self) -> bool:
        """Whether it runs, started by this server or by one before it."""
        return self._party is not None and self._party.alive

    async def port(self) -> int:
        """Where the backend listens; starts it when it does not.

        Raises:
            OSError: it cannot be started, or was stopped for good.
        """
        if self._stopped:
            raise OSError("the server is stopping")
        if self._party is None or not self._party.alive:
            async with self._starting:
                if self._party is None or not self._party.alive:
                    self._party = await self._start()
        return self._party.port

    async def stop(self) -> None:
        """End it, whoever started it, for good: clients that try again do not start another."""
        self._stopped = True
        party, self._party = self._party or self._files.backend(), None
        if party is None or not party.alive:
            return
        os.kill(party.pid, signal.SIGTERM)
        if not await self._gone(party, _STOP_S):
            _log.warning("the backend (process %d) did not end by itself", party.pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(party.pid, signal.SIGKILL)
            await self._gone(party, _STOP_S)

    async def _gone(self, party: Party, within_s: float) -> bool:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if self._process is not None:
                self._process.poll()  # a child of ours is a zombie until we have asked
            if not party.alive:
                return True
            await asyncio.sleep(_LOOK_S)
        return False

    async def _start(self) -> Party:
        began = time.monotonic()
        self._files.prepare()
        self._files.forget_backend()
        self._introduce()
        command = [
            sys.executable, "-m", "runtime.gateway.backend", "--directory", str(self._files.directory),
            "--account", self._scope.account, "--region", self._scope.region,
        ]  # fmt: skip
        with (self._files.directory / "backend.log").open("ab") as log:
            process = self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[2],
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,  # it outlives this server when that is killed
            )
        while time.monotonic() < began + _START_S:
            party = self._files.backend()
            if party is not None and party.pid == process.pid:
                took_ms = (time.monotonic() - began) * 1000
                _log.info("the other services are answered by process %d, ready after %.0f ms", party.pid, took_ms)
                return party
            if process.poll() is not None:
                break
            await asyncio.sleep(_LOOK_S)
        else:
            process.kill()
        raise OSError(f"the backend of the other services did not start; see {self._files.directory / 'backend.log'}")

    def _introduce(self) -> None:
        port = int(self._url.rpartition(":")[2])
        self._files.tell_server(Party(holder.this_process(), port, self._url))

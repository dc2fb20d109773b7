"""What surrounds one environment's processes: their Runtime API listener, log pipes, starts and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from runtime.environment.launcher import Launch, Launcher
from runtime.environment.memory import MemoryGauge
from runtime.http import Handler, HttpProtocol, Streams
from runtime.isolation.spec import Exit, Isolation, OnExit, OnLine, Paths, ProcessSpec, SandboxSpec

_READ_BYTES = 1 << 16
_READS_AT_ONCE = 64
_RETRY_S = 0.01


class LocalSandboxes:
    """Sandboxes on this machine; what they write lies under `scratch`."""

    def __init__(self, launcher: Launcher, scratch: Path) -> None:
        self._launcher = launcher
        self._scratch = scratch
        self._made = 0

    def create(self, spec: SandboxSpec, on_request: Handler, streams: Streams | None = None) -> LocalSandbox:
        """See Sandboxes."""
        self._made += 1
        temporary = self._scratch / str(self._made)
        temporary.mkdir(parents=True, mode=0o700)
        return LocalSandbox(self._launcher, spec, temporary, on_request, streams)


class LocalSandbox:
    """See Sandbox. The address stays the same when processes are replaced."""

    def __init__(
        self, launcher: Launcher, spec: SandboxSpec, temporary: Path, on_request: Handler, streams: Streams | None
    ) -> None:
        self._launcher = launcher
        self._temporary = temporary
        self._on_request = on_request
        self._streams = streams
        self._connections: set[HttpProtocol] = set()
        self._server: asyncio.Server | None = None
        self._processes: dict[str, Process] = {}
        self._memory = MemoryGauge()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets NODELAY
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(16)
        host, port = self._socket.getsockname()
        self.address = f"{host}:{port}"
        self.paths = Paths(
            task_root=str(spec.task_root or temporary),
            layers=str(_merged(spec.layers, temporary)),
            runtime_directory=str(spec.runtime_directory or launcher.runtime_directory),
            temporary=str(temporary),
            interpreter=(),
        )
        self.isolation = Isolation(namespaces=False, memory="none", cpu="none", temporary="none")
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpProtocol(self._on_request, self._connections, streams=self._streams), sock=self._socket
        )

    def spawn(self, process: ProcessSpec, on_line: OnLine, on_exit: OnExit) -> None:
        """See Sandbox."""

        def ended(code: int) -> None:
            self._processes.pop(process.name, None)
            on_exit(Exit(code))

        self._processes[process.name] = Process(self._launcher, process, on_line, ended)

    def signal(self, name: str, number: int) -> None:
        """See Sandbox."""
        process = self._processes.get(name)
        if process is not None and process.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def drain(self) -> None:
        """See Sandbox."""
        for process in list(self._processes.values()):
            process.drain()
            process.flush()

    def settled(self) -> None:
        """See Sandbox: processor time is not limited here."""

    def kill(self) -> None:
        """See Sandbox."""
        processes, self._processes = self._processes, {}
        for process in processes.values():
            process.kill()
        self._disconnect()

    def close(self) -> None:
        """See Sandbox."""
        self.kill()
        self._listening.cancel()
        if self._server is not None:
            self._server.close()
        self._socket.close()
        shutil.rmtree(self._temporary, ignore_errors=True)
        shutil.rmtree(_merged_at(self._temporary), ignore_errors=True)

    def memory_peak_mb(self) -> int:
        """See Sandbox."""
        runtime = self._processes.get("runtime")
        return self._memory.peak_mb(runtime.pid if runtime is not None else None, asyncio.get_running_loop().time())

    def _disconnect(self) -> None:
        for connection in list(self._connections):
            connection.abort()


def _merged(layers: tuple[Path, ...], temporary: Path) -> Path:
    """Where the layers are seen as one directory: the only one itself, or a copy."""
    if len(layers) == 1:
        return layers[0]
    merged = _merged_at(temporary)
    for layer in layers:
        shutil.copytree(layer, merged, symlinks=True, dirs_exist_ok=True)
    return merged if layers else Path("/opt")


def _merged_at(temporary: Path) -> Path:
    return temporary.with_name(f"{temporary.name}-opt")


class Process:
    """One process: its log pipe, its start, its end."""

    def __init__(self, launcher: Launcher, spec: ProcessSpec, on_line: OnLine, on_exit: Callable[[int], None]) -> None:
        self._launcher = launcher
        self._launch = Launch(
            handler=spec.environment.get("_HANDLER", ""),
            directory=spec.directory,
            path=list(spec.module_path),
            environment=dict(spec.environment),
            arguments=spec.arguments,
        )
        self._on_line = on_line
        self._on_exit = on_exit
        self._identifier: str | None = None
        self._killed = False
        self._log: int | None = None
        self._partial = b""
        self.pid: int | None = None
        self._start()

    def _start(self) -> None:
        if self._killed:
            return
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        try:
            self._identifier = self._launcher.launch(self._launch, writing, self._started, self._exited)
        except OSError:  # the template has not read earlier requests yet, or it just died and is being replaced
            os.close(reading)
            asyncio.get_running_loop().call_later(_RETRY_S, self._start)
            return
        finally:
            os.close(writing)
        self._log = reading
        asyncio.get_running_loop().add_reader(reading, self.drain)

    def drain(self) -> None:
        """Hand on every complete line the process has written so far."""
        for _ in range(_READS_AT_ONCE):
            if self._log is None:
                return
            try:
                data = os.read(self._log, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self._close_log()
                return
            *lines, self._partial = (self._partial + data).split(b"\n")
            for line in lines:
                self._on_line(line.decode("utf-8", "replace"))
            if len(self._partial) > _READ_BYTES * 4:
                self.flush()

    def flush(self) -> None:
        """Hand on the last line although it has no end yet."""
        if self._partial:
            partial, self._partial = self._partial, b""
            self._on_line(partial.decode("utf-8", "replace"))

    def kill(self) -> None:
        """End the process at once; `on_exit` is not called for it."""
        self._killed = True
        if self._identifier is not None:
            self._launcher.kill(self._identifier)
        self._ended()

    def _started(self, pid: int) -> None:
        self.pid = pid

    def _exited(self, code: int) -> None:
        if not self._killed:
            self._ended()
            self._on_exit(code)

    def _ended(self) -> None:
        self.drain()
        self.flush()
        self._close_log()
        self.pid = None

    def _close_log(self) -> None:
        if self._log is not None:
            asyncio.get_running_loop().remove_reader(self._log)
            with contextlib.suppress(OSError):
                os.close(self._log)
            self._log = None
